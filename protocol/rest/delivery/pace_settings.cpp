// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/delivery/pace_settings.hpp"

#include "protocol/rules/delivery_rules.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

using namespace delivery_limits;
using edit = delivery_patch::edit;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

edit read_max_in_flight(setting_reader& read, const boost::json::value& json) {
  std::optional<std::uint32_t> out;
  if (!json.is_null())
    out = read.whole(json, 1, in_flight_limit);
  return set(&delivery_settings::max_in_flight, out);
}

boost::json::value show_max_in_flight(const webhook& of, const secret_opener&) {
  return number(of.delivery.max_in_flight);
}

template <std::optional<delivery_settings::rate> delivery_settings::*To>
edit read_rate(setting_reader& read, const boost::json::value& json) {
  std::optional<delivery_settings::rate> out;
  if (!json.is_null()) {
    out = delivery_settings::rate{};
    read.members(json, [&](std::string_view name, const auto& value) {
      if (name == "count")
        out->count = read.whole(value, 1, rate_limit, name).value_or(0);
      else if (name == "seconds")
        out->period = read.time(value, 1ms, period_limit, name).value_or(1s);
      else
        return false;
      return true;
    });
    if (read.fine() && out->count == 0)
      read.fault(
        "count is missing: at most that many requests in \"seconds\".");
  }
  return set(To, out);
}

template <std::optional<delivery_settings::rate> delivery_settings::*Of>
boost::json::value show_rate(const webhook& of, const secret_opener&) {
  const auto& r = of.delivery.*Of;
  if (!r)
    return nullptr;
  return boost::json::object{{"count", r->count},
                             {"seconds", seconds(r->period)}};
}

edit read_batch(setting_reader& read, const boost::json::value& json) {
  std::optional<delivery_settings::batching> out;
  if (!json.is_null()) {
    out = delivery_settings::batching{};
    read.members(json, [&](std::string_view name, const auto& value) {
      if (name == "max_count")
        out->max_count = read.whole(value, 1, batch_limit, name).value_or(0);
      else if (name == "max_wait_ms")
        out->max_wait = milliseconds{
          read.whole(value, 0, batch_wait_limit, name).value_or(0)};
      else
        return false;
      return true;
    });
    if (read.fine() && out->max_count == 0)
      read.fault("max_count is missing: at most that many notifications in one "
                 "request.");
  }
  return set(&delivery_settings::batch, out);
}

boost::json::value show_batch(const webhook& of, const secret_opener&) {
  const auto& batch = of.delivery.batch;
  if (!batch)
    return nullptr;
  return boost::json::object{{"max_count", batch->max_count},
                             {"max_wait_ms", batch->max_wait.count()}};
}

edit read_schedule(setting_reader& read, const boost::json::value& json) {
  std::optional<std::vector<milliseconds>> out;
  if (json.is_array() && json.get_array().size() <= schedule_limit) {
    out.emplace();
    for (const auto& item : json.get_array()) {
      const auto delay = read.time(item, 0ms, age_limit, "Each delay");
      if (!delay)
        break;
      out->push_back(*delay);
    }
  } else if (json.is_array()) {
    read.fault("Must have at most " + std::to_string(schedule_limit)
               + " delays.");
  } else if (!json.is_null()) {
    read.fault("Must be a list of numbers of seconds.");
  }
  return set(&delivery_settings::schedule, std::move(out));
}

boost::json::value show_schedule(const webhook& of, const secret_opener&) {
  if (!of.delivery.schedule)
    return nullptr;
  boost::json::array delays;
  for (const auto delay : *of.delivery.schedule)
    delays.push_back(seconds(delay));
  return delays;
}

edit read_max_age(setting_reader& read, const boost::json::value& json) {
  std::optional<milliseconds> out;
  if (!json.is_null())
    out = read.time(json, 1ms, age_limit, "The age");
  return set(&delivery_settings::max_age, out);
}

boost::json::value show_max_age(const webhook& of, const secret_opener&) {
  return seconds(of.delivery.max_age);
}

edit read_final_statuses(setting_reader& read, const boost::json::value& json) {
  std::vector<std::uint16_t> out;
  if (json.is_array() && json.get_array().size() <= final_statuses_limit) {
    for (const auto& item : json.get_array()) {
      const auto status = read.whole(item, least_final_status,
                                     most_final_status, "Each status");
      if (!status)
        break;
      if (auto wrong = final_status_fault(*status)) {
        read.fault(std::move(*wrong));
        break;
      }
      out.push_back(static_cast<std::uint16_t>(*status));
    }
  } else if (json.is_array()) {
    read.fault("Must have at most " + std::to_string(final_statuses_limit)
               + " statuses.");
  } else if (!json.is_null()) {
    read.fault("Must be a list of statuses.");
  }
  std::ranges::sort(out);
  const auto repeats = std::ranges::unique(out);
  out.erase(repeats.begin(), repeats.end());
  return set(&delivery_settings::final_statuses, std::move(out));
}

boost::json::value show_final_statuses(const webhook& of,
                                       const secret_opener&) {
  boost::json::array statuses;
  for (const auto status : of.delivery.final_statuses)
    statuses.push_back(status);
  return statuses;
}

template <bool delivery_settings::*Member>
edit read_switch(setting_reader& read, const boost::json::value& json) {
  return set(Member, json.is_null() ? false : read.boolean(json));
}

template <bool delivery_settings::*Member>
boost::json::value show_switch(const webhook& of, const secret_opener&) {
  return of.delivery.*Member;
}

} // namespace

namespace settings {

using all = delivery_settings;

constinit const setting max_in_flight{"max_in_flight", read_max_in_flight,
                                      show_max_in_flight};
constinit const setting rate_limit{"rate_limit", read_rate<&all::rate_limit>,
                                   show_rate<&all::rate_limit>};
constinit const setting resume_rate{"resume_rate", read_rate<&all::resume_rate>,
                                    show_rate<&all::resume_rate>};
constinit const setting batch{"batch", read_batch, show_batch};
constinit const setting schedule{"schedule", read_schedule, show_schedule};
constinit const setting max_age{"max_age", read_max_age, show_max_age};
constinit const setting final_statuses{"final_statuses", read_final_statuses,
                                       show_final_statuses};
constinit const setting ordered{"ordered", read_switch<&all::ordered>,
                                show_switch<&all::ordered>};
constinit const setting paused{"paused", read_switch<&all::paused>,
                               show_switch<&all::paused>};

} // namespace settings

} // namespace fanfare::protocol::rest
