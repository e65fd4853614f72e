// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The compiled form of a filter, a tree of conditions, and its evaluation.

#include "model/filter/literal.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace fanfare::filter {

enum class op : std::uint8_t {
  // -- on the value at hand, by `children` ------------------------------------
  all,
  any,
  key, ///< all, on the value of `name`
  // -- on the value at hand, by `operands` ------------------------------------
  equal,
  in,
  less,
  less_equal,
  greater,
  greater_equal,
  starts_with,
  ends_with,
  contains,
  exists,
};

/// One node of the tree. Objects of the filter that have a single condition
/// are merged with it.
struct condition {
  op what = op::all;
  bool negated = false;
  std::uint16_t scalars = 0; ///< of `in`: as many operands, sorted, come first
  std::string name{};
  std::vector<condition> children{};
  std::vector<literal> operands{};
  std::vector<std::uint16_t> borders{}; ///< of the text that `contains` wants
};

/// Whether the condition holds for `seen`, null if the value is missing.
/// Recursion is bounded by the depth of the filter: at most two calls for each
/// of its objects. Does not allocate.
[[nodiscard]] bool holds(const condition& c, const boost::json::value* seen);

} // namespace fanfare::filter
