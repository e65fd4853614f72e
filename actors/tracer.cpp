// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/tracer.hpp"

#include "protocol/target/target.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace fanfare {

namespace {

using protocol::trace_context;
using protocol::trace_id;
using protocol::otlp::span;

// -- ids ----------------------------------------------------------------------

/// Spreads the bits of a number (the finalizer of SplitMix64).
constexpr std::uint64_t spread(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// Of these, in this order; never 0, which is no id.
std::uint64_t id_of(std::initializer_list<std::uint64_t> parts) {
  std::uint64_t out = 0;
  for (const auto part : parts)
    out = spread(out ^ part);
  return out != 0 ? out : 1;
}

std::uint64_t count_of(timestamp when) {
  return static_cast<std::uint64_t>(when.time_since_epoch().count());
}

/// The first span of a trace that began here. It stands where the publisher's
/// would: that is how such a trace is told from one that a publisher began.
std::uint64_t first_span_of(const trace_id& trace) {
  return id_of({trace.high, trace.low});
}

bool began_here(const trace_context& from) {
  return from.span == first_span_of(from.trace);
}

/// The span of the publish of a notification that has this trace.
std::uint64_t publish_span_of(const trace_context& from,
                              const notification& what) {
  return began_here(from) ? from.span
                          : id_of({from.trace.high, from.trace.low, from.span,
                                   what.id, count_of(what.published)});
}

/// The context of that span, if it is recorded.
std::optional<trace_context> publish_context(const notification& what) {
  auto out = protocol::read_trace(what.trace);
  if (!out || !out->sampled())
    return std::nullopt;
  out->span = publish_span_of(*out, what);
  return out;
}

/// By the last 7 bytes, which are random by the rules of W3C Trace Context
/// (level 2, 2.3.2): whoever decides by them decides alike.
bool is_chosen(const trace_id& trace, double sample) {
  constexpr std::uint64_t all = std::uint64_t{1} << 56;
  const auto refused = static_cast<std::uint64_t>(
    (1 - std::clamp(sample, 0.0, 1.0)) * static_cast<double>(all));
  return (trace.low & (all - 1)) >= refused;
}

// -- attributes ---------------------------------------------------------------

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

void add_text(span& to, std::string_view name, std::string value) {
  if (!value.empty())
    to.attributes.push_back({name, std::move(value)});
}

void add_phase(span& to, std::string_view name,
               std::chrono::microseconds took) {
  if (took.count() != 0)
    to.attributes.push_back(
      {name, std::chrono::duration<double>(took).count()});
}

/// What an exchange without an answer died of: its reason begins with the kind.
std::string kind_of(std::string_view reason) {
  const auto colon = reason.find(':');
  return colon == std::string_view::npos ? "other"
                                         : std::string{reason.substr(0, colon)};
}

std::string_view name_of(outcome value) {
  static constexpr std::array<std::string_view, 4> names{"delivered", "retried",
                                                         "given_up", "gone"};
  return names[static_cast<std::size_t>(value)];
}

/// The receiver, as far as it is no secret.
void add_receiver(span& to, const protocol::target& receiver) {
  add_text(to, "url.full", protocol::name_url(receiver.masked_url()));
  add_text(to, "server.address", receiver.host());
  to.attributes.push_back({"server.port", std::int64_t{receiver.port()}});
}

void add_end(span& to, const protocol::exchange_result& exchange) {
  const auto status = exchange.status;
  if (status != 0)
    to.attributes.push_back(
      {"http.response.status_code", std::int64_t{status}});
  add_phase(to, "fanfare.phase.dns", exchange.timings.dns);
  add_phase(to, "fanfare.phase.connect", exchange.timings.connect);
  add_phase(to, "fanfare.phase.tls", exchange.timings.tls);
  add_phase(to, "fanfare.phase.first_byte", exchange.timings.first_byte);
  if (status >= 200 && status <= 299)
    return;
  to.failed = true;
  to.why = status != 0 ? "answered " + std::to_string(status) : exchange.reason;
  if (status != 0 && !exchange.reason.empty())
    to.why += "; " + exchange.reason;
  add_text(to, "error.type",
           status != 0 ? std::to_string(status) : kind_of(exchange.reason));
}

} // namespace

/// Where the span of a request is, and which it refers to.
struct tracer::position_in_trace {
  trace_context self;
  std::uint64_t parent = 0;
  std::vector<protocol::otlp::span_link> links = {}; ///< its publishes
};

tracer::tracer(tracer_config config) : config_(std::move(config)) {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(),
                     device(), device(), device(), device()};
  random_.seed(seed);
  seed_ = random_();
}

// -- publishes ----------------------------------------------------------------

std::string tracer::begin() {
  trace_context out;
  // Zeros are no id.
  out.trace = {random_() | 1, random_()};
  out.span = first_span_of(out.trace);
  if (is_chosen(out.trace, config_.sample))
    out.flags = trace_context::sampled_flag;
  return protocol::write_trace(out);
}

void tracer::published(const std::vector<notification_ptr>& what) const {
  const auto now = config_.clock->now();
  for (const auto& each : what)
    publish_span(*each, now);
}

void tracer::publish_span(const notification& what, timestamp now) const {
  const auto given = protocol::read_trace(what.trace);
  if (!given || !given->sampled())
    return;
  span out;
  out.self = *given;
  out.self.span = publish_span_of(*given, what);
  if (!began_here(*given)) {
    out.parent = given->span;
    out.parent_is_remote = true;
  }
  out.kind = protocol::otlp::span_kind::producer;
  out.name = "publish " + what.action;
  out.start = what.published;
  out.end = std::max(now, what.published);
  out.attributes = {{"messaging.system", std::string{"fanfare"}},
                    {"messaging.operation.name", std::string{"publish"}},
                    {"messaging.operation.type", std::string{"send"}},
                    {"messaging.destination.name", what.action},
                    {"messaging.message.id", std::to_string(what.id)},
                    {"messaging.message.body.size", number(what.body.size())},
                    {"fanfare.notification.id", number(what.id)},
                    {"fanfare.organizer", config_.organizer_of(what.owner)}};
  if (what.event != 0)
    add_text(out, "fanfare.event", config_.event_of(what.event));
  config_.offer(encode(out));
}

// -- requests -----------------------------------------------------------------

std::optional<tracer::position_in_trace>
tracer::place(const traced_request& request) const {
  position_in_trace out;
  if (request.members.size() <= 1) {
    const auto& what = request.members.empty() ? request.what
                                               : *request.members.front();
    const auto publish = publish_context(what);
    if (!publish)
      return std::nullopt;
    out.links.push_back({*publish});
    out.self = *publish;
    out.parent = publish->span;
  } else {
    for (const auto& member : request.members)
      if (const auto publish = publish_context(*member))
        out.links.push_back({*publish});
    if (out.links.empty())
      return std::nullopt;
    // It is part of none of its members' traces more than of the others'.
    const auto count = request.members.size();
    out.self.trace = {id_of({seed_, request.to, request.members.front()->id,
                             request.members.back()->id, count}),
                      id_of({seed_, request.to, count_of(request.started)})};
    out.self.flags = trace_context::sampled_flag;
  }
  out.self.span = id_of({out.parent, out.self.trace.low, request.to,
                         request.attempt, count_of(request.started)});
  return out;
}

std::string tracer::trace_of(const traced_request& request) const {
  if (const auto found = place(request))
    return protocol::write_trace(found->self);
  // Nobody records it here: what the publisher has said goes on unchanged.
  return request.members.size() == 1 ? request.members.front()->trace
                                     : request.what.trace;
}

std::optional<span> tracer::span_of(const attempt_result& r,
                                    const webhook_record& hook) const {
  auto found = place({.what = *r.what,
                      .members = r.members,
                      .to = hook.id,
                      .attempt = r.attempt,
                      .started = r.started});
  if (!found)
    return std::nullopt;
  span out;
  out.self = found->self;
  out.parent = found->parent;
  out.links = std::move(found->links);
  out.kind = protocol::otlp::span_kind::client;
  out.name = hook.delivery.put ? "PUT" : "POST";
  out.start = r.started;
  out.end = r.started + r.exchange.timings.total;
  out.attributes = {{"http.request.method", out.name},
                    {"fanfare.webhook.id", number(hook.id)},
                    {"fanfare.organizer", config_.organizer_of(hook.owner)},
                    {"fanfare.attempt", std::int64_t{r.attempt}}};
  if (r.to)
    add_receiver(out, *r.to);
  if (r.attempt > 1)
    out.attributes.push_back(
      {"http.request.resend_count", std::int64_t{r.attempt} - 1});
  if (r.exchange.repeated)
    out.attributes.push_back({"fanfare.repeated", true});
  if (r.members.empty()) {
    out.attributes.push_back({"fanfare.notification.id", number(r.what->id)});
    add_text(out, "fanfare.action", r.what->action);
  } else {
    out.attributes.push_back(
      {"messaging.batch.message_count", number(r.members.size())});
    out.attributes.push_back(
      {"fanfare.notification.id", number(r.members.front()->id)});
  }
  add_end(out, r.exchange);
  return out;
}

void tracer::end(span&& one, outcome came_of_it) const {
  add_text(one, "fanfare.outcome", std::string{name_of(came_of_it)});
  config_.offer(encode(one));
}

} // namespace fanfare
