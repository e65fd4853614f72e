// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/statistics.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/resources/call_json.hpp"
#include "protocol/rest/resources/log_page.hpp"
#include "protocol/rest/resources/webhooks.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

/// "5m", "1h", "1d", or a number of seconds; nothing for anything else.
std::optional<std::chrono::seconds> to_step(std::string_view text) {
  std::int64_t unit = 1;
  if (!text.empty()) {
    const auto letter = text.back();
    unit = letter == 'm' ? 60
         : letter == 'h' ? 3600
         : letter == 'd' ? 86'400
                         : 1;
    if (unit != 1 || letter == 's')
      text.remove_suffix(1);
  }
  constexpr std::int64_t most = 1'000'000'000; // of any unit: no overflow
  const auto count = to_integer(text);
  if (!count || *count <= 0 || *count > most)
    return std::nullopt;
  return std::chrono::seconds{*count * unit};
}

statistics_query read_query(const exchange& x, field_errors& errors) {
  statistics_query out{.since = read_time(x.query, "since", errors),
                       .until = read_time(x.query, "until", errors)};
  if (const auto text = x.query.last("step"); text && !text->empty()) {
    out.step = to_step(*text);
    if (!out.step)
      errors.add("step", "Enter a duration, such as 5m, 1h, 1d, or a number of "
                         "seconds.");
  }
  return out;
}

boost::json::object to_json(const call_statistics::counts& from) {
  boost::json::object kinds;
  for (const auto& [kind, count] : from.failures_by_kind)
    kinds[kind] = count;
  boost::json::object times;
  const auto put = [&](const char* name, auto member) {
    auto& place = times[name];
    if (from.answer_time)
      place = protocol::rest::seconds((*from.answer_time).*member);
  };
  using durations = call_statistics::durations;
  put("p50", &durations::p50);
  put("p90", &durations::p90);
  put("p99", &durations::p99);
  boost::json::object out;
  out["calls"] = from.calls;
  out["successes"] = from.successes;
  out["failures"] = from.failures;
  out["failures_by_kind"] = std::move(kinds);
  out["retries"] = from.retries;
  out["given_up"] = from.given_up;
  out["answer_time"] = std::move(times);
  return out;
}

http_response serve(const exchange& x, webhook_id hook) {
  field_errors errors;
  const auto which = read_query(x, errors);
  if (!errors.empty())
    return errors.answer(x);
  const auto found = x.service.call_counts(x.owner.id, hook, which);
  if (!found)
    return answer_to(x, found.error());
  boost::json::array buckets;
  buckets.reserve(found->buckets.size());
  for (const auto& one : found->buckets) {
    auto out = to_json(one.counted);
    boost::json::object bucket;
    bucket["since"] = to_iso8601(one.since);
    for (auto& item : out)
      bucket[item.key()] = std::move(item.value());
    buckets.push_back(std::move(bucket));
  }
  boost::json::object out;
  out["since"] = to_iso8601(found->since);
  out["until"] = to_iso8601(found->until);
  out["step"] = found->step.count();
  out["total"] = to_json(found->total);
  out["buckets"] = std::move(buckets);
  return json_answer(x, 200, out);
}

} // namespace

http_response serve_statistics(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  return serve(x, hook.id);
}

http_response serve_statistics_of_organizer(const exchange& x) {
  return serve(x, 0);
}

} // namespace fanfare::protocol::rest
