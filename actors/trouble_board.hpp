// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which webhooks are in trouble, kept up to date by those who notice: their
/// actors when their state changes, the router when it looks at all. It stays
/// when an actor ends, and costs nothing while all goes well. To count them
/// needs no look at those that are fine.

#include "fanfare/reports.hpp"
#include "fanfare/status.hpp"
#include "fanfare/types.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace fanfare {

/// Any thread.
class trouble_board {
public:
  using hold_reason = fanfare::hold_reason;

  /// A call that takes as long as this is slow, and for how long that is known.
  static constexpr std::chrono::seconds slow{5};
  static constexpr std::chrono::minutes slow_memory{10};
  /// For how long it is known that a webhook was disabled, and of how many.
  static constexpr std::chrono::hours disabled_memory{24};
  static constexpr std::size_t most_disabled = 10'000;

  /// As a webhook's actor sees it. Times of the epoch: there is none.
  struct state {
    std::uint32_t failures = 0; ///< in a row
    /// `none` for what is no trouble: a batch, concurrency; and `pause`, which
    /// the registry knows.
    hold_reason held_by = hold_reason::none;
    bool behind = false;
    timestamp failing_since{};
    timestamp held_until{};
    bool operator==(const state&) const = default;
  };

  // -- who notices ------------------------------------------------------------

  /// The webhook is registered like this.
  void put(webhook_id id, organizer_id owner, bool enabled, bool paused,
           timestamp now);
  /// It is no longer registered.
  void remove(webhook_id id);
  /// The engine has disabled it then.
  void report_disabled(webhook_id id, organizer_id owner, timestamp at);
  /// What its actor says changed.
  void report(webhook_id id, organizer_id owner, const state& as,
              timestamp now);
  /// It has another receiver, which has not failed.
  void forget_failures(webhook_id id);
  /// A notification has waited since then for its first attempt; nothing: none
  /// has for long.
  void report_stuck(webhook_id id, std::optional<timestamp> since);
  /// A call of it was answered after so long.
  void report_slow(webhook_id id, organizer_id owner,
                   std::chrono::milliseconds took, timestamp now);

  // -- who looks --------------------------------------------------------------

  /// 0: no such webhook is registered.
  [[nodiscard]] organizer_id owner_of(webhook_id id);

  struct entry {
    webhook_id id = 0;
    organizer_id owner = 0;
    state as;
    timestamp held_since{};
    timestamp behind_since{};
    timestamp stuck_since{};
    timestamp slow_at{};
    std::chrono::milliseconds slow_took{0};
    bool paused = false;
    timestamp disabled_at{}; ///< it is disabled; nothing else is set
  };
  /// What is wrong with it, or the worst of it.
  [[nodiscard]] static troubled_webhook::trouble worst_of(const entry& e);
  /// Since when that is so; nothing if unknown.
  [[nodiscard]] static std::optional<timestamp> since(const entry& e);

  struct view {
    webhook_counts webhooks; ///< without `certificates_expiring`
    std::size_t troubled = 0;
    std::vector<entry> worst; ///< in order
  };
  /// Of an organizer, or of all if it is 0; the `most` worst.
  [[nodiscard]] view look(organizer_id owner, std::size_t most, timestamp now);
  /// Whether look() counts it among those in trouble.
  [[nodiscard]] bool counts(webhook_id id);

private:
  static constexpr std::size_t reasons = std::size_t(hold_reason::concurrency)
                                       + 1;
  struct tallies {
    std::size_t registered = 0, enabled = 0, failing = 0, behind = 0;
    std::array<std::size_t, reasons> held{};
  };
  struct flags {
    bool known = false, enabled = false;
    organizer_id owner = 0;
  };
  /// A part of the webhooks, so that nobody waits for a look at all.
  struct shard {
    std::mutex mutex;
    std::vector<flags> registered; ///< by number / shards
    std::vector<entry> troubled;
    std::unordered_map<webhook_id, std::size_t> places; ///< in `troubled`
    std::unordered_map<organizer_id, tallies> counted;
    tallies all;
    std::size_t disabled = 0; ///< of `troubled`
  };
  static constexpr std::size_t shards = 16;

  shard& shard_of(webhook_id id) {
    return shards_[id % shards];
  }
  // With the shard's lock held.
  static entry& find_or_add(shard& in, webhook_id id, organizer_id owner);
  static entry* find(shard& in, webhook_id id);
  static void erase(shard& in, webhook_id id);
  static void drop_if_fine(shard& in, webhook_id id);
  template <class Change>
  static void count(shard& in, organizer_id owner, Change change);
  /// Whether more is wrong with it than that it reaches its rate.
  static bool is_trouble(const entry& e);
  static void count_entry(shard& in, const entry& e, bool in_it);
  static void add(webhook_counts& to, const tallies& from);

  std::array<shard, shards> shards_;
};

} // namespace fanfare
