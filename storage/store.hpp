// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What survives a crash: the journal, the call log, where each webhook stands,
/// the registry and the answers of idempotency keys. One thread at a time
/// writes, by `commit`; all threads read.

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

/// Where routing and delivery go on after a start.
struct recovery {
  struct unsettled {
    webhook_id hook = 0;
    position cursor = 0;      ///< valid if behind
    bool behind = false;      ///< has matches at or before routed_upto to send
    bool has_retries = false; ///< or a replay that runs
  };
  /// Notifications after it are to be routed (again).
  position routed_upto = 0;
  /// Enabled webhooks that have something else to do.
  std::vector<unsettled> webhooks;
  std::size_t calls_replayed = 0;
};

/// What retention may remove now.
struct expiry_plan {
  std::vector<position> notifications;
  call_id calls_upto = 0; ///< 0: none
  bool answers = false;   ///< of idempotency keys
  bool more = false;      ///< there may be more than the limit let through
};

struct store_statistics {
  std::size_t bytes_used = 0; ///< pages in use, not the size of the file
  std::size_t bytes_max = 0;
  position first = 0; ///< oldest notification kept, 0 if none
  position tail = 0;
  call_id last_call = 0;
};

/// Is told how a commit has ended.
class commit_listener {
public:
  /// Once for each commit: it is on disk and what is `done` in its operations
  /// is valid, or nothing was done and they are as they were. Must not block,
  /// throw or commit.
  virtual void committed(result<void> outcome) = 0;

protected:
  ~commit_listener() = default;
};

/// What a commit follows.
enum class commit_place : std::uint8_t {
  first,  ///< nothing: the caller has seen how all before it have ended
  behind, ///< one that may be in flight; if that fails, this does as well
};

class store {
public:
  virtual ~store() = default;

  // -- one thread at a time ---------------------------------------------------

  /// Carries out the operations in one transaction and tells `done` once they
  /// are on disk. An error (store_full, io_error) means that nothing was done,
  /// in memory either, and that the same operations may be tried again later.
  /// A list of barriers does not touch the disk.
  ///
  /// Both remain the caller's and stay where they are until `done` is told;
  /// until then the operations are the store's to read and to change. `done` is
  /// told on the caller's thread before this returns, or later on a thread of
  /// the store's; one at a time, in the order of the commits. When one fails,
  /// so do those that are `behind` it, whenever they are made: what is tried
  /// again keeps its place in the order.
  ///
  /// What an edit throws is thrown here, and nothing was done and `done` is not
  /// told; if it is carried out later, the outcome is `internal`.
  virtual void commit(std::span<operation> operations, commit_listener& done,
                      commit_place place) = 0;
  /// How many commits may be in flight: made, and `done` not told yet.
  /// Constant, 1 or more. With 1, `done` is told before `commit` returns.
  [[nodiscard]] virtual std::size_t commits_ahead() const {
    return 1;
  }
  /// The same for who has nothing in flight: waits for the outcome.
  result<void> commit(std::span<operation> operations);

  /// What opening the store found. Constant.
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

  /// What is older than `cutoff` and needed neither by a retry, nor by a
  /// webhook that is behind, nor by recovery; and whether there are answers of
  /// idempotency keys from before `answers_cutoff`.
  [[nodiscard]] virtual result<expiry_plan>
  plan_expiry(timestamp cutoff, std::size_t limit,
              timestamp answers_cutoff) const = 0;

  [[nodiscard]] virtual store_statistics statistics() const = 0;
};

} // namespace fanfare::storage
