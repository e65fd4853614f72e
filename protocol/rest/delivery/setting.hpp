// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A delivery setting as JSON: how it is read and how it is shown. Times are
/// seconds as numbers, with fractions down to the millisecond, unless the name
/// ends with _ms; null stands for what the engine does by default.

#include "fanfare/types.hpp"
#include "protocol/rest/delivery/delivery_patch.hpp"
#include "protocol/rest/delivery/setting_reader.hpp"
#include "protocol/rest/service.hpp"

#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace fanfare::protocol::rest {

struct setting {
  std::string_view key;
  delivery_patch::edit (*read)(setting_reader& read,
                               const boost::json::value& json);
  boost::json::value (*show)(const webhook& of, const secret_opener& secrets);
};

/// The edit that sets a member of the delivery settings.
template <class Member, class Value>
delivery_patch::edit set(Member delivery_settings::*member, Value value) {
  return [member, value = std::move(value)](webhook& w) -> result<void> {
    w.delivery.*member = value;
    return {};
  };
}

// -- values as JSON -----------------------------------------------------------

[[nodiscard]] inline boost::json::value text(std::string_view value) {
  return boost::json::string{value.data(), value.size()};
}
[[nodiscard]] inline boost::json::value text_or_null(std::string_view value) {
  return value.empty() ? boost::json::value(nullptr) : text(value);
}
[[nodiscard]] inline boost::json::value
seconds(std::chrono::milliseconds time) {
  if (time.count() % 1000 == 0)
    return time.count() / 1000;
  return static_cast<double>(time.count()) / 1000.0;
}
[[nodiscard]] inline boost::json::value
seconds(const std::optional<std::chrono::milliseconds>& time) {
  return time ? seconds(*time) : boost::json::value(nullptr);
}
template <class T>
[[nodiscard]] boost::json::value number(const std::optional<T>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

} // namespace fanfare::protocol::rest
