// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/replay.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/iso8601.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/rest/resources/webhooks.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <string>

namespace fanfare::protocol::rest {

namespace {

struct sent_request {
  replay_request asked;
  bool dry_run = false;
};

timestamp now() {
  return std::chrono::floor<std::chrono::milliseconds>(
    std::chrono::system_clock::now());
}

std::optional<timestamp> read_time(const boost::json::value& json) {
  if (!json.is_string())
    return std::nullopt;
  return from_iso8601({json.get_string().data(), json.get_string().size()});
}

sent_request read_request(const boost::json::object& json,
                          field_errors& errors) {
  static constexpr auto time_rule = "Enter a time with its zone, as in "
                                    "2026-11-23T10:00:00Z.";
  sent_request out;
  bool has_since = false;
  out.asked.until = now();
  for (const auto& item : json) {
    const std::string_view key{item.key().data(), item.key().size()};
    const auto& value = item.value();
    if (key == "since") {
      has_since = true;
      if (const auto t = read_time(value))
        out.asked.since = *t;
      else
        errors.add(key, time_rule);
    } else if (key == "until") {
      if (const auto t = read_time(value))
        out.asked.until = *t;
      else if (!value.is_null())
        errors.add(key, time_rule);
    } else if (key == "only_failed" || key == "dry_run") {
      if (value.is_bool())
        (key == "dry_run" ? out.dry_run
                          : out.asked.only_failed) = value.get_bool();
      else
        errors.add(key, "Must be true or false.");
    } else if (key == "rate") {
      if (value.is_null())
        continue;
      out.asked.rate = value.is_number() ? value.to_number<double>() : 0;
      if (!(out.asked.rate >= replay_request::least_rate
            && out.asked.rate <= replay_request::most_rate))
        errors.add(key, "Must be a number of notifications per second from "
                        "0.001 to 10000, or null for as quickly as possible.");
    } else {
      errors.add(key, "Unknown key.");
    }
  }
  if (!has_since)
    errors.add("since", "This field is required.");
  else if (errors.empty() && out.asked.since >= out.asked.until)
    errors.add("until", "Must be later than since.");
  return out;
}

boost::json::object to_json(const replay_request& asked) {
  boost::json::object out;
  out["since"] = to_iso8601(asked.since);
  out["until"] = to_iso8601(asked.until);
  out["only_failed"] = asked.only_failed;
  out["rate"] = nullptr;
  if (asked.rate > 0)
    out["rate"] = asked.rate;
  return out;
}

std::string_view name_of_state(replay_state state) {
  switch (state) {
    case replay_state::running: return "running";
    case replay_state::done: return "done";
    case replay_state::cancelled: return "cancelled";
  }
  return {};
}

boost::json::object to_json(const replay_progress& p) {
  boost::json::object out;
  out["state"] = json_string(name_of_state(p.state));
  for (auto& item : to_json(p.asked))
    out[item.key()] = item.value();
  const auto waiting = std::min<std::uint64_t>(p.waiting, p.queued);
  out["count"] = p.count;
  out["queued"] = p.queued;
  out["skipped"] = p.skipped;
  out["waiting"] = waiting;
  out["finished"] = p.queued - waiting;
  out["started"] = to_iso8601(p.started);
  out["ended"] = nullptr;
  if (p.ended)
    out["ended"] = to_iso8601(*p.ended);
  return out;
}

http_response preview(const exchange& x, webhook_id hook,
                      const replay_request& asked) {
  const auto found = x.service.preview_replay(x.owner.id, hook, asked);
  if (!found)
    return answer_to(x, found.error());
  boost::json::object out;
  out["dry_run"] = true;
  for (auto& item : to_json(found->asked))
    out[item.key()] = item.value();
  out["count"] = found->count;
  out["skipped"] = found->skipped;
  out["first"] = boost::json::array(found->first.begin(), found->first.end());
  return json_answer(x, 200, out);
}

http_response begin(const exchange& x, webhook_id hook) {
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  field_errors errors;
  const auto sent = read_request(json, errors);
  if (!errors.empty())
    return errors.answer(x);
  if (sent.dry_run)
    return preview(x, hook, sent.asked);
  const auto started = x.service.start_replay(x.owner.id, hook, sent.asked);
  return started ? json_answer(x, 202, to_json(*started))
                 : answer_to(x, started.error());
}

} // namespace

http_response serve_replay(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  if (x.is("POST"))
    return begin(x, hook.id);
  if (x.is("DELETE")) {
    const auto ended = x.service.cancel_replay(x.owner.id, hook.id);
    return ended ? empty_answer(204) : answer_to(x, ended.error());
  }
  const auto found = x.service.find_replay(x.owner.id, hook.id);
  return found ? json_answer(x, 200, to_json(*found))
               : answer_to(x, found.error());
}

} // namespace fanfare::protocol::rest
