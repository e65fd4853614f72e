// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The query of a target, and form-encoded bodies, which have the same shape.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

class query {
public:
  query() = default;
  /// Reads the part behind the `?`. Empty pairs are skipped; `x` means `x=`.
  explicit query(std::string_view raw);

  /// The last value of that name.
  [[nodiscard]] std::optional<std::string_view>
  last(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;

  /// Each once, sorted.
  [[nodiscard]] std::vector<std::string_view> names() const;

  /// Replaces all values of that name by this one.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  /// Sorted by name; values of the same name keep their order.
  [[nodiscard]] std::string text() const;

private:
  std::vector<std::pair<std::string, std::string>> items_;
};

} // namespace fanfare::protocol::rest
