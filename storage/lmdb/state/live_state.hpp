// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The part of the committed state that is in memory, and how it is read
/// together with the part on disk.

#include "storage/lmdb/file/transaction.hpp"
#include "storage/lmdb/state/change_layer.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>

namespace fanfare::storage::lmdb {

class live_state {
public:
  /// `since`: of the last commit.
  live_state(environment& env, lmdb::changes since)
    : env_(env),
      changes_(std::move(since)),
      merged_(env.last_commit()) {}

  // -- any thread -------------------------------------------------------------

  [[nodiscard]] environment& env() const noexcept {
    return env_;
  }
  [[nodiscard]] position tail() const {
    return tail_.load(std::memory_order_acquire);
  }
  [[nodiscard]] call_id last_call() const {
    return last_call_.load(std::memory_order_acquire);
  }

  /// The newest position up to which the tables have the journal as it is; what
  /// is later was answered and is on its way there. 0 while a removal is.
  [[nodiscard]] position tail_of_tables() const {
    return tail_of_tables_.load(std::memory_order_acquire);
  }
  /// Waits until the tables have the journal up to there, if it goes that far:
  /// for `read_transaction`.
  [[nodiscard]] result<void> wait_for(position upto) const {
    return upto <= tail_of_tables() ? result<void>{} : env_.gate().pass();
  }

  /// Begins a transaction in `txn` and calls `look` with the changes that
  /// belong to the state it reads.
  template <class Look>
  void begin(std::optional<read_transaction>& txn, Look&& look) const {
    const auto passed = env_.gate().pass();
    std::unique_lock lock{mutex_};
    if (begin_merged(txn, passed, lock))
      std::forward<Look>(look)(changes_);
  }
  /// The same; returns a copy of the webhook's changes, if it has any.
  [[nodiscard]] std::optional<change>
  begin_and_find(std::optional<read_transaction>& txn, webhook_id hook) const;

  // -- the writer -------------------------------------------------------------

  [[nodiscard]] const lmdb::changes& changes() const noexcept {
    return changes_;
  }
  /// The last numbers given out.
  void note_last(const counters& last) noexcept {
    tail_.store(last.tail, std::memory_order_release);
    last_call_.store(last.last_call, std::memory_order_release);
  }
  /// Old notifications go, in the tables a little later.
  void note_removal() noexcept {
    tail_of_tables_.store(0, std::memory_order_release);
  }
  /// The tables have all up to the last numbers.
  void note_reached() noexcept {
    tail_of_tables_.store(tail(), std::memory_order_release);
  }
  /// Makes what a transaction has written the state that is read. `merge`
  /// applies what it has changed.
  template <class Merge>
  void take_over(Merge&& merge) {
    {
      std::lock_guard lock{mutex_};
      // If merging throws, what is in memory does not belong to what is on
      // disk, for ever: readers are told so.
      incomplete_ = true;
      has_merged_.notify_all();
      std::forward<Merge>(merge)(changes_);
      incomplete_ = false;
      merged_ = env_.last_commit();
    }
    has_merged_.notify_all();
  }

private:
  /// False: the transaction has failed.
  bool begin_merged(std::optional<read_transaction>& txn,
                    const result<void>& passed,
                    std::unique_lock<std::mutex>& lock) const;

  environment& env_;
  mutable std::mutex mutex_;
  mutable std::condition_variable has_merged_;
  /// Under mutex_, as the following; the writer reads it without.
  lmdb::changes changes_;
  std::size_t merged_ = 0;  ///< the commit that changes_ belongs to
  bool incomplete_ = false; ///< taking over has thrown
  std::atomic<position> tail_{0};
  std::atomic<call_id> last_call_{0};
  std::atomic<position> tail_of_tables_{0};
};

} // namespace fanfare::storage::lmdb
