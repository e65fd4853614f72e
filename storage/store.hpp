// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The durable state: the journal, the call log, each webhook's progress, the
/// registry and the answers of idempotency keys. One thread at a time writes,
/// by `commit`; all threads read.

#include "fanfare/backup.hpp"
#include "storage/call_log.hpp"
#include "storage/deliveries.hpp"
#include "storage/journal.hpp"
#include "storage/operations.hpp"
#include "storage/registry.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fanfare::storage {

/// Where routing and delivery resume after a start.
struct recovery {
  struct unsettled {
    webhook_id hook = 0;
    position cursor = 0;      ///< valid if behind
    bool behind = false;      ///< has matches at or before routed_upto to send
    bool has_retries = false; ///< or a running replay
  };
  /// Its last request failed.
  struct failure {
    webhook_id hook = 0;
    organizer_id owner = 0;
    std::uint32_t failures = 0; ///< in a row
    timestamp since{};          ///< of the first of them
    timestamp last{};
  };
  /// Notifications after it must be routed (again).
  position routed_upto = 0;
  /// Enabled webhooks with other work to do.
  std::vector<unsettled> webhooks;
  /// Enabled webhooks that fail, whether or not they have work to do.
  std::vector<failure> failing = {};
  std::size_t calls_replayed = 0;
  run_times runs = {}; ///< as the last checkpoint that knew them
};

/// Entries that retention may remove now.
struct expiry_plan {
  std::vector<position> notifications;
  call_id calls_upto = 0; ///< 0: none
  bool answers = false;   ///< of idempotency keys
  bool more = false;      ///< there may be more than the limit allowed
};

struct store_statistics {
  std::size_t bytes_used = 0; ///< pages in use, and the files of a log
  std::size_t bytes_max = 0;
  position first = 0; ///< oldest notification kept, 0 if none
  position tail = 0;
  call_id last_call = 0;
  std::size_t retries = 0;         ///< of all webhooks, at the last checkpoint
  std::uint64_t bytes_written = 0; ///< to the log of commits, since it opened
};

/// Gets the result of a commit.
class commit_listener {
public:
  /// Once for each commit: it is on disk and `done` in its operations is valid,
  /// or nothing was done and they are unchanged. Must not block, throw or
  /// commit.
  virtual void committed(result<void> outcome) = 0;

protected:
  ~commit_listener() = default;
};

/// The predecessor of a commit.
enum class commit_place : std::uint8_t {
  first,  ///< none: the caller has the results of all before it
  behind, ///< one that may be in flight; if that fails, this does too
};

class store {
public:
  virtual ~store() = default;

  // -- one thread at a time ---------------------------------------------------

  /// Executes the operations in one transaction and calls `done` once they are
  /// on disk. An error (store_full, io_error) means that nothing was done, not
  /// even in memory, and that the same operations can be retried later; after a
  /// flush that has failed, they may be there when the store is opened anew. A
  /// list of barriers does not touch the disk.
  ///
  /// Both belong to the caller and stay in place until `done` is called; until
  /// then the store may read and change the operations. `done` is called on
  /// the caller's thread before this returns, or later on a thread of the
  /// store; one at a time, in commit order. When one fails, so do those
  /// `behind` it, whenever they are made: retried operations keep their place
  /// in the order.
  ///
  /// An exception from an edit leaves this function, nothing is done and `done`
  /// is not called; if the edit runs later, the outcome is `internal`.
  virtual void commit(std::span<operation> operations, commit_listener& done,
                      commit_place place) = 0;
  /// How many commits may be in flight: made, and `done` not told yet.
  /// Constant, 1 or more. With 1, `done` is told before `commit` returns.
  [[nodiscard]] virtual std::size_t commits_ahead() const {
    return 1;
  }
  /// The same for callers with nothing in flight: waits for the outcome.
  result<void> commit(std::span<operation> operations);

  /// The state found when the store opened. Constant.
  [[nodiscard]] virtual const recovery& recovered() const = 0;

  // -- any thread that may block on the disk ----------------------------------
  // All read only what is committed.

  [[nodiscard]] virtual const storage::journal& journal() const = 0;
  [[nodiscard]] virtual const storage::call_log& call_log() const = 0;
  [[nodiscard]] virtual const storage::deliveries& deliveries() const = 0;
  [[nodiscard]] virtual const storage::registry& registry() const = 0;

  /// The answer kept under the key; null if there is none or it is too old at
  /// `now`.
  [[nodiscard]] virtual result<stored_answer_ptr>
  find_answer(const idempotency_key& key, timestamp now) const = 0;

  /// Entries older than `cutoff` and needed neither by a retry, nor by a
  /// webhook that is behind, nor by recovery; and whether idempotency keys have
  /// answers from before `answers_cutoff`.
  [[nodiscard]] virtual result<expiry_plan>
  plan_expiry(timestamp cutoff, std::size_t limit,
              timestamp answers_cutoff) const = 0;

  [[nodiscard]] virtual store_statistics statistics() const = 0;

  /// Writes a backup with all that was committed before the call; commits go
  /// on meanwhile. One at a time.
  virtual result<void> back_up(backup_sink& to,
                               const backup_options& options) const;
};

} // namespace fanfare::storage
