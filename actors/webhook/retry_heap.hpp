// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The retries of one webhook that wait for their due time: 24 bytes each,
/// however large the notification is. Those that failed are kept apart from
/// those that are sent again and not attempted yet: with `ordered`, the former
/// hold all others, and go in the order of their notifications.

#include "fanfare/types.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace fanfare {

class retry_heap {
public:
  // -- storage::retry_sink ----------------------------------------------------

  /// There must be none of the same notification: looking for it would take
  /// too long. replace() does.
  void put(const retry& r) {
    auto& to = r.attempt > 1 || r.tried ? failed_ : fresh_;
    if (&to == &failed_ && oldest_ && r.subject < oldest_->subject)
      oldest_ = r;
    to.push_back(r);
    std::ranges::push_heap(to, later);
  }
  /// Does nothing: a retry leaves the heap when its attempt starts.
  void erase(position) {}
  void clear() {
    // Assigning {} would keep the memory, maybe that of a million.
    for (auto* heap : {&failed_, &fresh_})
      std::vector<retry>{}.swap(*heap);
    oldest_.reset();
  }

  // -- owner ------------------------------------------------------------------

  [[nodiscard]] bool empty() const {
    return failed_.empty() && fresh_.empty();
  }
  /// Entries that there is memory for.
  [[nodiscard]] std::size_t capacity() const {
    return failed_.capacity() + fresh_.capacity();
  }
  [[nodiscard]] std::size_t size() const {
    return failed_.size() + fresh_.size();
  }
  [[nodiscard]] const retry& earliest() const {
    return failed_is_earlier() ? failed_.front() : fresh_.front();
  }
  retry pop() {
    const auto r = pop_from(failed_is_earlier() ? failed_ : fresh_);
    if (oldest_ && oldest_->subject == r.subject)
      oldest_.reset();
    return r;
  }

  /// Of those that failed, the one of the oldest notification; null if there
  /// is none. Linear time, once after each change that may take it out.
  [[nodiscard]] const retry* oldest_failed() const {
    if (failed_.empty())
      return nullptr;
    if (!oldest_)
      oldest_ = *std::ranges::min_element(failed_, {}, &retry::subject);
    return &*oldest_;
  }
  /// Takes out of those that failed the oldest ones, in order, up to the first
  /// that is not due; at most so many.
  std::vector<retry> pop_oldest_failed(std::size_t most, timestamp now) {
    std::vector<retry> oldest(std::min(most, failed_.size()));
    std::ranges::partial_sort_copy(failed_, oldest, {}, &retry::subject,
                                   &retry::subject);
    const auto waits = std::ranges::find_if(
      oldest, [now](const retry& r) { return r.due > now; });
    oldest.erase(waits, oldest.end());
    if (!oldest.empty()) {
      oldest_.reset();
      std::erase_if(failed_, [last = oldest.back().subject](const retry& r) {
        return r.subject <= last;
      });
      std::ranges::make_heap(failed_, later);
    }
    return oldest;
  }

  /// Calls `visit` with each entry, in any order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto* heap : {&failed_, &fresh_})
      for (const auto& r : *heap)
        visit(r);
  }
  /// Calls `change` with each entry, in any order. It may change its due time.
  template <class Change>
  void update(Change change) {
    oldest_.reset();
    for (auto* heap : {&failed_, &fresh_}) {
      for (auto& r : *heap)
        change(r);
      std::ranges::make_heap(*heap, later);
    }
  }

  /// Takes out those for which `wanted` is true, in any order.
  template <class Wanted>
  std::vector<retry> extract(Wanted wanted) {
    oldest_.reset();
    std::vector<retry> out;
    for (auto* heap : {&failed_, &fresh_}) {
      const auto taken = std::ranges::partition(
        *heap, [&wanted](const retry& r) { return !wanted(r); });
      if (taken.empty())
        continue;
      out.insert(out.end(), taken.begin(), taken.end());
      heap->erase(taken.begin(), taken.end());
      std::ranges::make_heap(*heap, later);
    }
    return out;
  }

  /// Adds them, ascending by notification, and takes out those of the same
  /// ones.
  void replace(const std::vector<retry>& entries) {
    if (entries.empty())
      return;
    const auto low = entries.front().subject;
    const auto high = entries.back().subject;
    (void)extract([&](const retry& r) {
      return r.subject >= low && r.subject <= high
          && std::ranges::binary_search(entries, r.subject, {},
                                        &retry::subject);
    });
    for (const auto& r : entries)
      put(r);
  }

  void assign(const std::vector<retry>& all) {
    clear();
    for (const auto& r : all)
      (r.attempt > 1 || r.tried ? failed_ : fresh_).push_back(r);
    std::ranges::make_heap(failed_, later);
    std::ranges::make_heap(fresh_, later);
  }

private:
  static bool later(const retry& a, const retry& b) {
    return a.due != b.due ? a.due > b.due : a.subject > b.subject;
  }

  /// Not to be asked if both are empty.
  [[nodiscard]] bool failed_is_earlier() const {
    return fresh_.empty()
        || (!failed_.empty() && later(fresh_.front(), failed_.front()));
  }

  static retry pop_from(std::vector<retry>& heap) {
    std::ranges::pop_heap(heap, later);
    const auto r = heap.back();
    heap.pop_back();
    return r;
  }

  std::vector<retry> failed_;
  std::vector<retry> fresh_;
  mutable std::optional<retry> oldest_; ///< of failed_, if it is known
};

} // namespace fanfare
