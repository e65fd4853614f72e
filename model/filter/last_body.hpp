// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Remembers the value of the body that was parsed last, because many filters
/// look at the same notification one after another.

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::filter {

/// One thread.
class last_body {
public:
  /// The value of the body, until the next call; null if it is not JSON.
  [[nodiscard]] const boost::json::value* get(std::uint64_t id,
                                              std::string_view body);

private:
  bool known_ = false;
  std::uint64_t id_ = 0;
  std::string text_;
  unsigned char buffer_[4096] = {};
  std::optional<boost::json::monotonic_resource> memory_;
  std::optional<boost::json::value> value_; // destroyed before its memory
};

} // namespace fanfare::filter
