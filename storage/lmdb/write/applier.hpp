// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Makes the tables follow the log. It owns LMDB's write transaction, which
/// belongs to a thread: begins it, lends it to whoever carries out a commit,
/// and commits it soon after the first of them, so that the tables are a little
/// behind the log. After a failure it begins anew and applies what
/// the log has and the tables do not.

#include "storage/lmdb/codec/meta.hpp"
#include "storage/lmdb/file/transaction.hpp"
#include "storage/lmdb/state/change_layer.hpp"
#include "storage/lmdb/state/live_state.hpp"
#include "storage/log/commit_log.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace fanfare::storage::lmdb {

class applier {
public:
  /// `mark`: what the tables have. `backlog_limit`: bytes that they are to be
  /// behind at most.
  applier(live_state& live, commit_log& log, const log_mark& mark,
          const checkpoint& start, std::size_t backlog_limit);
  /// Commits what is outstanding, unless abandon() was called.
  ~applier();
  applier(const applier&) = delete;
  applier& operator=(const applier&) = delete;

  // -- whoever carries out a commit, one at a time ----------------------------

  /// What a commit is carried out in.
  struct work {
    write_transaction* txn = nullptr;
    change_layer* layer = nullptr;
  };
  /// Waits until the transaction is free. store_full, io_error: the tables
  /// cannot follow, and so nothing is to be added to the log.
  result<work> enter();
  /// The log has this group of what was carried out, unless that is empty;
  /// `weight`: bytes that it takes in the tables, roughly.
  void add(std::string&& group, std::size_t weight) noexcept;
  /// Ends it.
  void leave() noexcept;
  /// What was carried out since enter() is to be undone. Waits for that.
  void undo();
  /// Bytes that the groups take in the tables which these do not have yet.
  /// Valid between enter() and leave().
  [[nodiscard]] std::size_t outstanding() const noexcept {
    return outstanding_;
  }

  /// Whether there are any.
  [[nodiscard]] bool has_outstanding() const noexcept {
    return !groups_.empty();
  }

  /// As if the process died: what is outstanding is only in the log. For tests.
  void abandon();

  /// The tables have every group at most so long after it was answered, if
  /// somebody waits to read.
  static constexpr std::chrono::microseconds read_delay{5'000};
  /// The same if nobody does: each commit costs the disk a flush.
  static constexpr std::chrono::microseconds quiet_delay{50'000};
  /// Nothing is carried out while the tables are committed. Under load that may
  /// take this part of the time; the delay grows with what a commit takes.
  static constexpr int commit_share = 20; // one in twenty
  /// But never above this.
  static constexpr std::chrono::microseconds longest_delay{1'000'000};
  static constexpr std::size_t longest_backlog = std::size_t{32} << 20; // bytes
  /// The same if no other one has come for so long.
  static constexpr std::chrono::microseconds idle_delay{400};

private:
  void run();
  /// With the lock held: gives the others time to share the transaction.
  void linger(std::unique_lock<std::mutex>& guard);
  /// How long the first of those outstanding may wait for the others.
  [[nodiscard]] std::chrono::microseconds delay() const;
  /// Without the lock held, while nobody is in: commits what is outstanding.
  /// `anew`: begins a transaction first.
  result<void> follow(bool anew);
  /// Begins a transaction with all that is outstanding in it.
  result<void> begin();
  result<void> commit();
  /// The same, making room for what the disk does not take.
  result<void> commit_with_room();
  /// Takes over what was committed, and gives back what the log need not keep.
  result<void> note_committed();

  live_state& live_;
  environment& env_;
  commit_log& log_;
  log_mark mark_; ///< of the last commit
  checkpoint start_;

  // Whoever is in, or the thread while nobody is.
  std::optional<write_transaction> txn_;
  std::optional<change_layer> layer_;
  std::vector<std::string> groups_; ///< of the log, after mark_
  std::size_t outstanding_ = 0;
  int code_ = 0;                ///< of the last failure
  std::optional<error> broken_; ///< a flush has failed: nothing goes on

  std::mutex mutex_;
  std::condition_variable free_;   ///< for those who want in
  std::condition_variable wanted_; ///< for the thread
  // Under mutex_.
  struct status {
    bool busy = false;    ///< somebody is in
    bool waits = false;   ///< the thread wants in, or is
    bool spoiled = true;  ///< there is no transaction that can be used
    bool pending = false; ///< there are groups
    bool stopping = false;
    bool abandoned = false;
  };
  status is_;
  /// What the tables do not have yet.
  struct backlog {
    std::size_t limit = 0;    ///< of the bytes
    std::uint64_t groups = 0; ///< the last one, counted from the start
    std::size_t bytes = 0;
    std::chrono::steady_clock::time_point first_at{};
  };
  backlog backlog_;
  std::chrono::microseconds commit_took_{0}; ///< the last one
  std::optional<error> stalled_;             ///< why it has no transaction
  std::thread thread_;                       ///< begins last
};

} // namespace fanfare::storage::lmdb
