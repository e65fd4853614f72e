// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/time_text.hpp"
#include "cli/numbers.hpp"
#include "protocol/text.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace fanfare::cli {

namespace {

using boost::json::object;

struct statistics_options {
  std::string webhook; ///< number or name; empty: all
  std::string since;
  std::string until;
  std::string step = "1h";
};

std::string statistics_path(api& server, const statistics_options& o) {
  auto path = o.webhook.empty() ? server.in_organizer("statistics/")
                                : server.in_webhook(o.webhook, "statistics/");
  path += "?step=" + protocol::percent_encode(o.step);
  if (!o.since.empty())
    path += "&since=" + protocol::percent_encode(o.since);
  if (!o.until.empty())
    path += "&until=" + protocol::percent_encode(o.until);
  return path;
}

/// "timeout 12, http_5xx 3".
std::string failures_of(const object& counts) {
  const auto* kinds = counts.if_contains("failures_by_kind");
  std::string out;
  if (kinds != nullptr && kinds->is_object())
    for (const auto& item : kinds->get_object()) {
      out += out.empty() ? "" : ", ";
      out.append(item.key().data(), item.key().size());
      out += " " + cell_text(item.value());
    }
  return out;
}

/// "0.012" of "answer_time".
std::string time_of(const object& counts, const char* quantile) {
  const auto* times = counts.if_contains("answer_time");
  return times != nullptr && times->is_object()
         ? cell_of(times->get_object(), quantile)
         : std::string{};
}

table::row row_of(std::string title, const object& counts) {
  return {std::move(title),
          cell_of(counts, "calls"),
          cell_of(counts, "successes"),
          cell_of(counts, "failures"),
          cell_of(counts, "retries"),
          cell_of(counts, "given_up"),
          time_of(counts, "p50"),
          time_of(counts, "p90"),
          time_of(counts, "p99"),
          failures_of(counts)};
}

void show(command_context& context, const statistics_options& o) {
  auto& server = context.server();
  const auto answer = server.get(statistics_path(server, o));
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& report = answer.as_object();
  constexpr auto right = column::side::right;
  auto rows = context.out().make_table({{.title = "SINCE", .firm = true},
                                        {.title = "CALLS", .align = right},
                                        {.title = "OK", .align = right},
                                        {.title = "FAILED", .align = right},
                                        {.title = "RETRIES", .align = right},
                                        {.title = "GIVEN UP", .align = right},
                                        {.title = "P50 S", .align = right},
                                        {.title = "P90 S", .align = right},
                                        {.title = "P99 S", .align = right},
                                        {.title = "FAILURES"}});
  const auto now = time_now();
  if (const auto* buckets = report.if_contains("buckets");
      buckets != nullptr && buckets->is_array())
    for (const auto& one : buckets->get_array())
      if (one.is_object()) {
        const auto& bucket = one.get_object();
        rows.add(row_of(short_time(cell_of(bucket, "since"), now), bucket));
      }
  if (const auto* total = report.if_contains("total");
      total != nullptr && total->is_object())
    rows.add(row_of("all", total->get_object()));
  rows.flush();
}

} // namespace

void add_statistics_command(CLI::App& app, const command_adder& add) {
  auto o = std::make_shared<statistics_options>();
  auto* const statistics = add.command(
    app, "statistics",
    "Calls of a webhook, or of all, over time: failures, retries, speed",
    "  fanfare statistics 3 --since 2d\n"
    "  fanfare statistics --since 30d --step 1d\n"
    "  fanfare statistics 3 --step 5m -o json | jq '.buckets[].calls'",
    [o](command_context& context) { show(context, *o); });
  take_webhooks(statistics->add_option(
    "webhook", o->webhook,
    "Number or name of the webhook; none: all of the organizer"));
  add_time(*statistics, "--since", o->since,
           "From then on, at most 30 days ago (default: for 24 hours)");
  add_time(*statistics, "--until", o->until, "Before then (default: now)");
  statistics
    ->add_option("--step", o->step,
                 "Time of a row: minutes by fives, or hours up to a day. Below "
                 "an hour, calls of the last 2 days only")
    ->type_name("DURATION")
    ->capture_default_str();
}

} // namespace fanfare::cli
