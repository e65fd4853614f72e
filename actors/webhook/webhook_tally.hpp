// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What is counted of each webhook since the engine's start, beyond the life of
/// its actor: 32 bytes for each, in memory that is not touched before a webhook
/// is called. Store gives webhooks consecutive ids, which are the places here.

#include "fanfare/types.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace fanfare {

/// Each member is written by one thread at a time, and read by any.
struct webhook_tally {
  std::array<std::uint32_t, 4> calls; ///< by outcome; the committer's
  std::uint64_t microseconds;         ///< of all calls; the committer's
  std::uint32_t retries;              ///< that wait; the lane's
  std::uint32_t breaker_open;         ///< 1 or 0; the lane's

  template <class Number>
  static void add(Number& to, Number n) {
    const std::atomic_ref<Number> at{to};
    at.store(at.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  template <class Number>
  static void set(Number& to, Number n) {
    std::atomic_ref<Number>{to}.store(n, std::memory_order_relaxed);
  }
  /// Any thread. What it refers to is not constant: no tally is.
  template <class Number>
  static Number read(Number& of) {
    return std::atomic_ref<Number>{of}.load(std::memory_order_relaxed);
  }
};

/// Any thread.
class webhook_tallies {
public:
  webhook_tallies() = default;
  webhook_tallies(const webhook_tallies&) = delete;
  webhook_tallies& operator=(const webhook_tallies&) = delete;
  ~webhook_tallies() {
    for (auto& block : blocks_)
      std::free(block.load());
  }

  /// Valid as long as this is. Throws when memory runs out.
  [[nodiscard]] webhook_tally& of(webhook_id id) {
    const auto at = place_of(id);
    auto& block = blocks_[at.block];
    auto* found = block.load(std::memory_order_acquire);
    if (found == nullptr)
      found = make(block, at.size());
    return found[at.offset];
  }
  /// Null: nothing was counted of it, or of its neighbours.
  [[nodiscard]] webhook_tally* find(webhook_id id) const {
    const auto at = place_of(id);
    auto* found = blocks_[at.block].load(std::memory_order_acquire);
    return found != nullptr ? found + at.offset : nullptr;
  }

private:
  /// Each block is twice as large as the one before.
  static constexpr std::size_t first_size = 1'024;
  static constexpr std::size_t most_blocks = 55;

  struct place {
    std::size_t block;
    std::size_t offset;
    [[nodiscard]] std::size_t size() const {
      return first_size << block;
    }
  };
  static place place_of(webhook_id id) {
    const std::uint64_t n = id + first_size;
    const auto block = static_cast<std::size_t>(std::bit_width(n)
                                                - std::bit_width(first_size));
    return {block, n - (first_size << block)};
  }

  static webhook_tally* make(std::atomic<webhook_tally*>& in,
                             std::size_t size) {
    // The system gives such memory page by page, as zeros, once it is touched.
    auto* made = static_cast<webhook_tally*>(
      std::calloc(size, sizeof(webhook_tally)));
    if (made == nullptr)
      throw std::bad_alloc{};
    webhook_tally* there = nullptr;
    if (in.compare_exchange_strong(there, made, std::memory_order_acq_rel))
      return made;
    std::free(made);
    return there;
  }

  std::array<std::atomic<webhook_tally*>, most_blocks> blocks_{};
};

} // namespace fanfare
