// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Names of what happens, and wildcards, which stand for all names that begin
/// with theirs: `order.*`, `orders/*`, and `*` for all but the engine's own.

#include <cstddef>
#include <string_view>

namespace fanfare {

/// Whether only the engine may publish it.
[[nodiscard]] inline bool is_own_action(std::string_view action) {
  return action.starts_with("fanfare.");
}

/// What joins the labels of a name.
inline constexpr std::string_view label_separators = "./";

/// Whether it is written as a wildcard: `*`, or with a separator before it.
[[nodiscard]] inline bool is_wildcard(std::string_view name) {
  if (!name.ends_with('*'))
    return false;
  name.remove_suffix(1);
  return name.empty()
      || label_separators.find(name.back()) != std::string_view::npos;
}

/// What the names begin with that a wildcard stands for: `order.` of `order.*`.
[[nodiscard]] inline std::string_view stem_of(std::string_view wildcard) {
  return wildcard.substr(0, wildcard.size() - 1);
}

/// Calls `visit(stem)` for the stem of each wildcard that covers the action,
/// the shortest first; all are parts of `action`.
template <class Visitor>
void for_each_stem(std::string_view action, Visitor&& visit) {
  if (!is_own_action(action))
    visit(action.substr(0, 0));
  for (auto at = action.find_first_of(label_separators);
       at != std::string_view::npos && at + 1 < action.size();
       at = action.find_first_of(label_separators, at + 1))
    visit(action.substr(0, at + 1));
}

/// Whether the wildcard stands for this action, or for all that the other
/// wildcard stands for.
[[nodiscard]] inline bool covers(std::string_view wildcard,
                                 std::string_view name) {
  const auto stem = stem_of(wildcard);
  return stem.empty() ? !is_own_action(name)
                      : name.size() > stem.size() && name.starts_with(stem);
}

} // namespace fanfare
