// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/status.hpp"

#include "fanfare/version.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/iso8601.hpp"
#include "protocol/rest/resources/advice.hpp"
#include "protocol/rest/resources/call_json.hpp"
#include "protocol/rest/resources/health.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <charconv>
#include <chrono>
#include <optional>

namespace fanfare::protocol::rest {

namespace {

constexpr std::size_t usual_worst = 10;
constexpr std::size_t most_worst = 100;

/// Nothing if it is no number from 0 to the most.
std::optional<std::size_t> wanted_worst(const exchange& x) {
  const auto text = x.query.last("limit");
  if (!text)
    return usual_worst;
  std::size_t value = 0;
  const auto* end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end || value > most_worst)
    return std::nullopt;
  return value;
}

boost::json::object counts(const webhook_counts& of) {
  boost::json::object held;
  for (const auto& [why, count] : of.held) {
    const auto name = hold_name(why);
    held[{name.data(), name.size()}] = count;
  }
  boost::json::object out;
  out["registered"] = of.registered;
  out["enabled"] = of.enabled;
  out["failing"] = of.failing;
  out["behind"] = of.behind;
  out["held"] = std::move(held);
  out["slow"] = of.slow;
  out["disabled_lately"] = of.disabled_lately;
  out["certificates_expiring"] = of.certificates_expiring;
  return out;
}

boost::json::value waiting_of(const troubled_webhook& of, timestamp now) {
  if (!of.oldest_waiting)
    return nullptr;
  boost::json::object out;
  out["notification_id"] = of.oldest_waiting->subject;
  out["datetime"] = to_iso8601(of.oldest_waiting->published);
  out["age"] = seconds(now - of.oldest_waiting->published);
  return out;
}

boost::json::value error_of(const troubled_webhook& of) {
  if (!of.last_error)
    return nullptr;
  boost::json::object out;
  out["call_id"] = of.last_error->id;
  out["datetime"] = to_iso8601(of.last_error->time);
  out["return_code"] = of.last_error->status;
  out["reason"] = json_string(of.last_error->reason);
  return out;
}

boost::json::object troubled(const troubled_webhook& of, timestamp now,
                             bool everywhere) {
  const auto help = advice_on(of, everywhere);
  boost::json::object out;
  out["id"] = of.id;
  out["name"] = text_or_null(of.name);
  out["organizer"] = json_string(of.organizer);
  out["target_url"] = json_string(of.target_url);
  out["trouble"] = json_string(trouble_name(of.what));
  out["since"] = time_or_null(of.since);
  out["failures"] = of.failures;
  out["held_by"] = nullptr;
  if (const auto by = hold_name(of.held_by); !by.empty())
    out["held_by"] = json_string(by);
  out["held_until"] = time_or_null(of.held_until);
  out["oldest_waiting"] = waiting_of(of, now);
  out["last_error"] = error_of(of);
  out["slow"] = nullptr;
  if (of.slow)
    out["slow"] = seconds(*of.slow);
  out["certificate_expires"] = time_or_null(of.certificate_expires);
  out["advice"] = text_or_null(help.sentence);
  out["command"] = text_or_null(help.command);
  return out;
}

boost::json::value or_null(const std::optional<std::size_t>& number) {
  return number ? boost::json::value(*number) : boost::json::value(nullptr);
}

/// What only the server's administrator sees.
void add_server(boost::json::object& to, const engine_status& s) {
  to["version"] = json_string(version);
  to["started"] = to_iso8601(s.started);
  to["uptime"] = seconds(s.at - s.started);
  to["ready"] = s.ready;
  boost::json::object queue;
  queue["in_flight"] = s.queue.in_flight;
  queue["active_webhooks"] = s.queue.active_webhooks;
  queue["waiting_webhooks"] = s.queue.waiting_webhooks;
  queue["not_fanned_out"] = s.queue.unrouted;
  to["queue"] = std::move(queue);
  boost::json::object commits;
  commits["last"] = seconds(s.commits.last);
  commits["longest"] = seconds(s.commits.longest);
  to["commits"] = std::move(commits);
  boost::json::object disk;
  disk["store_bytes"] = s.disk.store_bytes;
  disk["store_bytes_max"] = s.disk.store_most;
  disk["free_bytes"] = or_null(s.disk.free);
  disk["size_bytes"] = or_null(s.disk.size);
  to["disk"] = std::move(disk);
  boost::json::object retention;
  retention["period"] = seconds(s.retention.period);
  retention["oldest"] = time_or_null(s.retention.oldest);
  to["retention"] = std::move(retention);
}

} // namespace

http_response serve_status(const exchange& x) {
  const auto worst = wanted_worst(x);
  if (!worst) {
    field_errors wrong;
    wrong.add("limit", "Give a whole number from 0 to "
                         + std::to_string(most_worst) + ".");
    return wrong.answer(x);
  }
  const bool everywhere = x.owner.id == 0;
  const auto s = x.service.status(x.owner.id, *worst);
  boost::json::object out;
  out["datetime"] = to_iso8601(s.at);
  out["webhooks"] = counts(s.webhooks);
  out["troubled"] = s.troubled;
  auto& rows = out["worst"].emplace_array();
  for (const auto& one : s.worst)
    rows.push_back(troubled(one, s.at, everywhere));
  if (everywhere)
    add_server(out, s);
  return json_answer(x, 200, out);
}

} // namespace fanfare::protocol::rest
