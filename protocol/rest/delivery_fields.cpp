// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/delivery_fields.hpp"

#include <boost/json/array.hpp>

#include <chrono>
#include <cmath>
#include <optional>
#include <string_view>

namespace fanfare::protocol::rest {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds timeout_limit = 300s;
constexpr milliseconds age_limit = std::chrono::days{30};
constexpr std::size_t schedule_limit = 100;
constexpr std::uint32_t in_flight_limit = 64;

std::string_view text_of(boost::json::string_view key) {
  return {key.data(), key.size()};
}

boost::json::value seconds(milliseconds time) {
  if (time.count() % 1000 == 0)
    return time.count() / 1000;
  return static_cast<double>(time.count()) / 1000.0;
}

boost::json::value seconds(const std::optional<milliseconds>& time) {
  return time ? seconds(*time) : boost::json::value(nullptr);
}

class reader {
public:
  explicit reader(delivery_faults& faults) : faults_{faults} {}

  /// Faults are reported under this key.
  void begin(std::string_view key) {
    key_ = key;
  }

  void fault(std::string sentence) {
    faults_.emplace_back(key_, std::move(sentence));
  }

  std::optional<milliseconds> time(const boost::json::value& json,
                                   milliseconds least, milliseconds most,
                                   std::string_view name) {
    if (!json.is_number()) {
      fault(std::string{name} + " must be a number of seconds.");
      return std::nullopt;
    }
    const double value = json.to_number<double>();
    const double rounded = std::round(value * 1000);
    if (!(rounded >= static_cast<double>(least.count())
          && rounded <= static_cast<double>(most.count()))) {
      fault(std::string{name} + " must be "
            + (least.count() == 0 ? "0" : "0.001") + " to "
            + std::to_string(
              std::chrono::duration_cast<std::chrono::seconds>(most).count())
            + " seconds.");
      return std::nullopt;
    }
    return milliseconds{static_cast<std::int64_t>(rounded)};
  }

  void timeouts(const boost::json::value& json,
                delivery_settings::timeout_settings& out) {
    out = {};
    if (json.is_null())
      return;
    if (!json.is_object())
      return fault("Must be an object.");
    for (const auto& item : json.get_object()) {
      const auto name = text_of(item.key());
      std::optional<milliseconds>* const place = name == "dns" ? &out.dns
                                               : name == "connect"
                                                 ? &out.connect
                                               : name == "tls" ? &out.tls
                                               : name == "first_byte"
                                                 ? &out.first_byte
                                               : name == "total" ? &out.total
                                                                 : nullptr;
      if (place == nullptr)
        fault("Unknown key \"" + std::string{name} + "\".");
      else if (!item.value().is_null())
        *place = time(item.value(), 1ms, timeout_limit, name);
    }
  }

  void max_in_flight(const boost::json::value& json,
                     std::optional<std::uint32_t>& out) {
    out.reset();
    if (json.is_null())
      return;
    const bool whole = json.is_int64() || json.is_uint64();
    const double value = whole ? json.to_number<double>() : 0;
    if (!(value >= 1 && value <= in_flight_limit))
      return fault("Must be a whole number from 1 to "
                   + std::to_string(in_flight_limit) + ".");
    out = static_cast<std::uint32_t>(value);
  }

  void schedule(const boost::json::value& json,
                std::optional<std::vector<milliseconds>>& out) {
    out.reset();
    if (json.is_null())
      return;
    if (!json.is_array())
      return fault("Must be a list of numbers of seconds.");
    const auto& list = json.get_array();
    if (list.size() > schedule_limit)
      return fault("Must have at most " + std::to_string(schedule_limit)
                   + " delays.");
    out.emplace();
    for (const auto& item : list) {
      const auto delay = time(item, 0ms, age_limit, "Each delay");
      if (!delay)
        return;
      out->push_back(*delay);
    }
  }

  void max_age(const boost::json::value& json,
               std::optional<milliseconds>& out) {
    out.reset();
    if (!json.is_null())
      out = time(json, 1ms, age_limit, "The age");
  }

private:
  delivery_faults& faults_;
  std::string key_;
};

} // namespace

void delivery_patch::apply(delivery_settings& to) const {
  if (timeouts)
    to.timeouts = value.timeouts;
  if (max_in_flight)
    to.max_in_flight = value.max_in_flight;
  if (schedule)
    to.schedule = value.schedule;
  if (max_age)
    to.max_age = value.max_age;
}

delivery_faults read_delivery(const boost::json::object& json,
                              delivery_patch& out) {
  delivery_faults faults;
  reader read{faults};
  for (const auto& item : json) {
    const auto key = text_of(item.key());
    read.begin(key);
    if (key == "timeouts") {
      out.timeouts = true;
      read.timeouts(item.value(), out.value.timeouts);
    } else if (key == "max_in_flight") {
      out.max_in_flight = true;
      read.max_in_flight(item.value(), out.value.max_in_flight);
    } else if (key == "schedule") {
      out.schedule = true;
      read.schedule(item.value(), out.value.schedule);
    } else if (key == "max_age") {
      out.max_age = true;
      read.max_age(item.value(), out.value.max_age);
    } else {
      read.fault("Unknown key.");
    }
  }
  return faults;
}

boost::json::object to_json(const delivery_settings& settings) {
  boost::json::object timeouts;
  timeouts["dns"] = seconds(settings.timeouts.dns);
  timeouts["connect"] = seconds(settings.timeouts.connect);
  timeouts["tls"] = seconds(settings.timeouts.tls);
  timeouts["first_byte"] = seconds(settings.timeouts.first_byte);
  timeouts["total"] = seconds(settings.timeouts.total);
  boost::json::object out;
  out["timeouts"] = std::move(timeouts);
  out["max_in_flight"] = nullptr;
  if (settings.max_in_flight)
    out["max_in_flight"] = *settings.max_in_flight;
  out["schedule"] = nullptr;
  if (settings.schedule) {
    boost::json::array list;
    for (const auto delay : *settings.schedule)
      list.push_back(seconds(delay));
    out["schedule"] = std::move(list);
  }
  out["max_age"] = seconds(settings.max_age);
  return out;
}

} // namespace fanfare::protocol::rest
