// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/figures.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace fanfare {

namespace {

using label_list = std::vector<std::pair<std::string, std::string>>;

constexpr double us_per_second = 1e6; // microseconds

constexpr std::array<const char*, 4> outcome_names{"delivered", "retried",
                                                   "given_up", "gone"};

/// By hold_reason, the first of which holds nothing.
constexpr std::array<const char*, hold_reasons> hold_names{
  "none", "pause", "order",  "breaker",    "retry_after",
  "rate", "batch", "outage", "concurrency"};

/// Collects them in the order of a page.
class figure_list {
public:
  template <class Number>
  void
  count(const char* name, const char* help, Number value, label_list of = {}) {
    add(name, help, metric::kind::counter, std::move(of))
      .value = static_cast<double>(value);
  }
  template <class Number>
  void
  gauge(const char* name, const char* help, Number value, label_list of = {}) {
    add(name, help, metric::kind::gauge, std::move(of))
      .value = static_cast<double>(value);
  }
  template <std::size_t Size>
  void histogram(const char* name, const char* help,
                 const duration_histogram<Size>& from) {
    from.read(add(name, help, metric::kind::histogram, {}));
  }
  std::vector<metric> take() {
    return std::move(all_);
  }

private:
  metric& add(const char* name, const char* help, metric::kind type,
              label_list of) {
    all_.push_back(
      {.name = name, .help = help, .type = type, .labels = std::move(of)});
    return all_.back();
  }

  std::vector<metric> all_;
};

/// What the lanes have counted, together.
template <class Read>
std::uint64_t sum_of(const figure_sources& from, Read read) {
  std::uint64_t sum = 0;
  for (const auto& each : from.counted.figures().lanes)
    sum += read(*each);
  return sum;
}

void add_publishes(figure_list& to, const figure_sources& from) {
  const auto& counted = from.counted.of_commits();
  to.count("fanfare_notifications_total", "Notifications published.",
           counted.notifications.value());
  to.count("fanfare_notification_bytes_total",
           "Bytes of the bodies of notifications published.",
           counted.bytes.value());
  to.count("fanfare_publishes_refused_total",
           "Publishes that found too much waiting for the disk.",
           from.counted.publishes_refused());
  const auto tail = from.stored.tail;
  to.gauge("fanfare_unrouted_notifications",
           "Notifications that were not yet fanned out.",
           tail - std::min<position>(tail, from.crew.routed_upto));
}

void add_calls(figure_list& to, const figure_sources& from) {
  const auto& counted = from.counted.of_commits();
  for (std::size_t i = 0; i < outcome_names.size(); ++i)
    to.count("fanfare_calls_total", "Entries of the call log, by outcome.",
             counted.calls[i].value(), {{"outcome", outcome_names[i]}});
  for (std::size_t i = 0; i < failure_kinds.size(); ++i)
    to.count("fanfare_call_failures_total",
             "Entries of the call log that are no success, by kind.",
             counted.failures[i].value(),
             {{"kind", std::string{failure_kinds[i]}}});
  to.count(
    "fanfare_call_seconds_total", "Time that finished calls took together.",
    static_cast<double>(counted.call_microseconds.value()) / us_per_second);
  to.histogram("fanfare_call_duration_seconds",
               "How long calls took, from the look-up of the name to the end "
               "of the answer.",
               counted.call_duration);
  to.histogram("fanfare_publish_to_call_seconds",
               "From the publish of a notification to the start of its first "
               "attempt, for each webhook.",
               counted.wait);
  to.gauge("fanfare_calls_in_flight", "Attempts in flight.",
           from.crew.in_flight.load());
}

/// Seconds since what waits longest for its first attempt was published.
double oldest_wait(const figure_sources& from, bool held) {
  std::optional<std::int64_t> oldest;
  const auto take = [&oldest](std::int64_t when) {
    oldest = std::min(oldest.value_or(when), when);
  };
  for (const auto& each : from.counted.figures().lanes)
    if (const auto found = each->work.oldest(held))
      take(*found);
  const auto in_line = from.crew.waiting.oldest.load();
  if (!held && in_line != 0)
    take(in_line);
  if (!oldest)
    return 0;
  const auto now = std::chrono::duration<double>(from.now.time_since_epoch());
  return std::max(0.0, now.count() - static_cast<double>(*oldest));
}

void add_waiting(figure_list& to, const figure_sources& from) {
  to.gauge("fanfare_deliveries_waiting",
           "Notifications in memory that wait for a first attempt, each "
           "counted for each webhook.",
           sum_of(from, [](const auto& l) { return l.work.waiting(); }));
  to.gauge("fanfare_retries_waiting",
           "Retries that wait for their time, as of the last checkpoint.",
           from.stored.retries);
  for (const bool held : {false, true})
    to.gauge("fanfare_oldest_waiting_seconds",
             "Age of the oldest notification that waits for a first attempt, "
             "of webhooks that something holds and of the others; those that "
             "are paused aside.",
             oldest_wait(from, held), {{"held", held ? "true" : "false"}});
}

void add_webhooks(figure_list& to, const figure_sources& from) {
  to.gauge("fanfare_webhooks", "Webhooks that are registered.",
           from.crew.registered_webhooks.load());
  to.gauge("fanfare_webhooks_active", "Webhooks with something to do lately.",
           from.crew.active_webhooks.load());
  to.gauge("fanfare_webhooks_waiting",
           "Webhooks that have something to send and wait until others have "
           "come to rest.",
           from.crew.waiting.webhooks.load());
  to.gauge("fanfare_webhooks_behind",
           "Webhooks that have more to send than is in memory.",
           sum_of(from, [](const auto& l) { return l.work.behind(); }));
  for (std::size_t i = 1; i < hold_names.size(); ++i)
    to.gauge("fanfare_webhooks_held",
             "Webhooks that have something to send and are held, by what "
             "holds them.",
             sum_of(from,
                    [i](const auto& l) {
                      return l.work.held_by(static_cast<hold_reason>(i));
                    }),
             {{"reason", hold_names[i]}});
  to.gauge("fanfare_breakers_open",
           "Webhooks whose circuit breaker is open or half open.",
           sum_of(from, [](const auto& l) { return l.work.breakers_open(); }));
}

void add_connections(figure_list& to, const figure_sources& from) {
  to.count("fanfare_receiver_connections_opened_total",
           "Connections established to receivers.",
           sum_of(from, [](const auto& l) { return l.wire.opened.value(); }));
  to.count("fanfare_receiver_connections_reused_total",
           "Calls that began on a connection that was kept.",
           sum_of(from, [](const auto& l) { return l.wire.reused.value(); }));
  to.gauge("fanfare_receiver_connections_idle",
           "Connections to receivers that are kept for further calls.",
           sum_of(from, [](const auto& l) { return l.wire.idle.value(); }));
  const auto look_ups = [&](const char* result, auto read) {
    to.count("fanfare_dns_lookups_total",
             "Names of receivers that were looked up, by result.",
             sum_of(from, read), {{"result", result}});
  };
  look_ups("found", [](const auto& l) { return l.names.found.value(); });
  look_ups("not_found",
           [](const auto& l) { return l.names.not_found.value(); });
  look_ups("no_answer",
           [](const auto& l) { return l.names.no_answer.value(); });
  to.count("fanfare_dns_cache_hits_total",
           "Names of receivers whose addresses were in memory.",
           sum_of(from, [](const auto& l) { return l.names.cached.value(); }));
}

void add_store(figure_list& to, const figure_sources& from) {
  const auto& commits = from.counted.figures().commits;
  to.histogram("fanfare_commit_duration_seconds",
               "How long commits took until they were on disk.",
               commits.took());
  to.count("fanfare_commit_operations_total", "Operations in commits.",
           commits.operations());
  to.count("fanfare_commit_failures_total",
           "Commits that the disk did not take.", commits.failed());
  to.count("fanfare_log_written_bytes_total",
           "Bytes written to the log of commits.", from.stored.bytes_written);
  to.gauge("fanfare_store_bytes", "Bytes of the store in use.",
           from.stored.bytes_used);
  to.gauge("fanfare_store_max_bytes",
           "Bytes that the store may have; publishes are refused before.",
           from.stored.bytes_max);
  to.gauge("fanfare_ready",
           "1 while the engine runs and the disk takes writes.",
           from.ready ? 1 : 0);
}

void add_traces(figure_list& to, const figure_sources& from) {
  const auto spans = [&](const char* result, auto counted) {
    to.count("fanfare_trace_spans_total",
             "Spans that were recorded, by what became of them.",
             from.traced != nullptr ? (from.traced->*counted).load()
                                    : std::uint64_t{0},
             {{"result", result}});
  };
  spans("exported", &span_counts::exported);
  spans("dropped", &span_counts::dropped);
  spans("failed", &span_counts::failed);
}

} // namespace

std::vector<metric> figures_of(const figure_sources& from) {
  figure_list out;
  add_publishes(out, from);
  add_calls(out, from);
  add_waiting(out, from);
  add_webhooks(out, from);
  add_connections(out, from);
  add_store(out, from);
  add_traces(out, from);
  return out.take();
}

std::vector<metric> figures_of(const std::string& organizer,
                               const std::vector<webhook_record>& hooks,
                               std::size_t count,
                               const webhook_tallies& counted) {
  figure_list out;
  out.gauge("fanfare_organizer_webhooks",
            "Webhooks of the organizer, of which the first 1,000 have figures "
            "here.",
            count, {{"organizer", organizer}});
  const auto of = [&](const webhook_record& hook) {
    return label_list{{"organizer", organizer},
                      {"webhook", std::to_string(hook.id)}};
  };
  const auto tallied = [&](const webhook_record& hook, auto read) {
    auto* found = counted.find(hook.id);
    using number = decltype(read(*found));
    return found != nullptr ? read(*found) : number{};
  };
  for (const auto& hook : hooks)
    out.gauge("fanfare_webhook_enabled", "1 if the webhook is enabled.",
              hook.current().enabled ? 1 : 0, of(hook));
  for (const auto& hook : hooks)
    out.gauge("fanfare_webhook_paused", "1 if its owner has paused it.",
              hook.delivery.paused ? 1 : 0, of(hook));
  for (const auto& hook : hooks)
    out.gauge(
      "fanfare_webhook_breaker_open",
      "1 while its circuit breaker is open or half open.",
      tallied(hook,
              [](auto& t) { return webhook_tally::read(t.breaker_open); }),
      of(hook));
  for (const auto& hook : hooks)
    out.gauge(
      "fanfare_webhook_retries_waiting",
      "Its retries that wait for their time.",
      tallied(hook, [](auto& t) { return webhook_tally::read(t.retries); }),
      of(hook));
  for (const auto& hook : hooks)
    for (std::size_t i = 0; i < outcome_names.size(); ++i) {
      auto with_outcome = of(hook);
      with_outcome.emplace_back("outcome", outcome_names[i]);
      out.count(
        "fanfare_webhook_calls_total",
        "Its entries of the call log, by outcome.",
        tallied(hook, [i](auto& t) { return webhook_tally::read(t.calls[i]); }),
        std::move(with_outcome));
    }
  for (const auto& hook : hooks)
    out.count("fanfare_webhook_call_seconds_total",
              "Time that its finished calls took together.",
              tallied(hook,
                      [](auto& t) {
                        return static_cast<double>(
                                 webhook_tally::read(t.microseconds))
                             / us_per_second;
                      }),
              of(hook));
  return out.take();
}

} // namespace fanfare
