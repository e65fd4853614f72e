// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A resolver's cached answers, each valid until a set time. When there are
/// too many, it drops expired ones, then the oldest. INTERNAL to the
/// resolver.

#include "protocol/dns/resolution.hpp"

#include <chrono>
#include <cstddef>
#include <iterator>
#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

namespace fanfare::protocol {

/// Belongs to one I/O thread.
class name_cache {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit name_cache(std::size_t most) : most_(most) {}
  name_cache(const name_cache&) = delete;
  name_cache& operator=(const name_cache&) = delete;

  /// Null if unknown. Valid until the next `put`.
  [[nodiscard]] const resolution* find(const std::string& host,
                                       time_point now) const {
    const auto i = entries_.find(host);
    return i != entries_.end() && i->second.until > now ? &i->second.answer
                                                        : nullptr;
  }

  void put(const std::string& host, resolution answer, time_point until,
           time_point now) {
    if (const auto known = entries_.find(host); known != entries_.end())
      erase(known);
    while (!by_expiry_.empty() && by_expiry_.begin()->first <= now)
      erase(entries_.find(*by_expiry_.begin()->second));
    while (!entries_.empty() && entries_.size() >= most_)
      erase(entries_.find(*by_age_.front()));
    if (most_ == 0)
      return;
    // Nodes stay in place, so the indexes can point to their names.
    auto& [name, fresh] = *entries_.try_emplace(host).first;
    fresh.answer = std::move(answer);
    fresh.until = until;
    fresh.age = by_age_.insert(by_age_.end(), &name);
    fresh.expiry = by_expiry_.emplace(until, &name);
  }

  void drop_failures() {
    for (auto i = entries_.begin(); i != entries_.end();)
      i = i->second.answer.failure.empty() ? std::next(i) : erase(i);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return entries_.size();
  }

private:
  using ages = std::list<const std::string*>;
  using expiries = std::multimap<time_point, const std::string*>;

  struct entry {
    resolution answer;
    time_point until;
    ages::iterator age;
    expiries::iterator expiry;
  };
  using map = std::unordered_map<std::string, entry>;

  map::iterator erase(map::iterator which) {
    by_age_.erase(which->second.age);
    by_expiry_.erase(which->second.expiry);
    return entries_.erase(which);
  }

  const std::size_t most_;
  map entries_;
  ages by_age_; // oldest first
  expiries by_expiry_;
};

} // namespace fanfare::protocol
