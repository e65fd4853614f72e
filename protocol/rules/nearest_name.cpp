// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rules/nearest_name.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace fanfare::protocol {

namespace {

/// Levenshtein's, a row at a time.
std::size_t distance(std::string_view name, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < name.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < other.size(); ++j) {
      const auto changed = diagonal + (name[i] == other[j] ? 0U : 1U);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, changed});
    }
  }
  return row.back();
}

} // namespace

std::string nearest_name(std::string_view name,
                         const std::vector<std::string>& known) {
  const auto found = std::ranges::min_element(
    known, {},
    [name](std::string_view other) { return distance(name, other); });
  return found == known.end() ? std::string{} : *found;
}

std::string similar_name(std::string_view name,
                         const std::vector<std::string>& known) {
  if (name.size() < 2)
    return {};
  for (const auto& other : known)
    if (other.size() > 1
        && (other.starts_with(name) || name.starts_with(other)))
      return other;
  const auto most = (name.size() + 2) / 3;
  std::string found;
  auto least = most + 1;
  for (const auto& other : known) {
    // They differ by at least as much as their lengths do.
    if (other.size() + least <= name.size()
        || name.size() + least <= other.size())
      continue;
    if (const auto away = distance(name, other); away < least) {
      least = away;
      found = other;
    }
  }
  return found;
}

} // namespace fanfare::protocol
