// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The pending retries of one webhook by due time: 24 bytes each, whatever the
/// notification weighs.

#include "model/types.hpp"

#include <algorithm>
#include <vector>

namespace fanfare {

class retry_heap {
public:
  // -- storage::retry_sink ---------------------------------------------------

  void put(const retry& r) {
    entries_.push_back(r);
    std::ranges::push_heap(entries_, later);
  }
  /// Nothing: a retry leaves the heap when its attempt starts.
  void erase(position) {}
  void clear() {
    entries_.clear();
    entries_.shrink_to_fit();
  }

  // -- owner
  // -------------------------------------------------------------------

  [[nodiscard]] bool empty() const {
    return entries_.empty();
  }
  [[nodiscard]] std::size_t size() const {
    return entries_.size();
  }
  [[nodiscard]] const retry& earliest() const {
    return entries_.front();
  }

  retry pop() {
    std::ranges::pop_heap(entries_, later);
    auto r = entries_.back();
    entries_.pop_back();
    return r;
  }

  /// Calls `change` with each entry, in any order.
  template <class Change>
  void update(Change change) {
    for (auto& r : entries_)
      change(r);
    std::ranges::make_heap(entries_, later);
  }

  template <class Wanted>
  [[nodiscard]] bool any(Wanted wanted) const {
    return std::ranges::any_of(entries_, wanted);
  }

  template <class Visitor>
  void for_each(Visitor visit) const {
    std::ranges::for_each(entries_, visit);
  }

  /// Takes out those that `wanted` says yes to, in any order.
  template <class Wanted>
  std::vector<retry> extract(Wanted wanted) {
    const auto taken = std::ranges::partition(
      entries_, [&wanted](const retry& r) { return !wanted(r); });
    std::vector<retry> out{taken.begin(), taken.end()};
    entries_.erase(taken.begin(), taken.end());
    std::ranges::make_heap(entries_, later);
    return out;
  }

  void assign(std::vector<retry> all) {
    entries_ = std::move(all);
    std::ranges::make_heap(entries_, later);
  }

private:
  static bool later(const retry& a, const retry& b) {
    return a.due != b.due ? a.due > b.due : a.subject > b.subject;
  }

  std::vector<retry> entries_;
};

} // namespace fanfare
