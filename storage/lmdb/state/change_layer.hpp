// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What calls have changed since the last checkpoint. It lives in memory only;
/// the call log has it too, and recovery makes it from there.

#include "storage/lmdb/state/retry_changes.hpp"
#include "storage/lmdb/tables/records.hpp"
#include "storage/operations.hpp"
#include "storage/progress.hpp"

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace fanfare::storage::lmdb {

/// One webhook's part of the changes.
struct change {
  progress upto;
  retry_changes retries;
  /// The table of retries has entries of this webhook, so that erasing matters.
  bool has_rows = false;
};

using changes = std::unordered_map<webhook_id, change>;

/// The changes of one batch above those that are in force, which stay as they
/// are until merge_into().
class change_layer {
public:
  change_layer(transaction& txn, const changes& base, const checkpoint& last)
    : txn_(txn),
      base_(base),
      last_(last) {}

  /// As of now. Does not count as touched.
  [[nodiscard]] progress current(webhook_id hook);
  [[nodiscard]] std::vector<retry> retries(webhook_id hook);
  /// Whether there are any, without holding them all in memory.
  [[nodiscard]] bool has_retries(webhook_id hook);
  /// Webhooks that have changed in this layer.
  [[nodiscard]] std::vector<webhook_id> touched() const;
  [[nodiscard]] const checkpoint& last_checkpoint() const noexcept {
    return last_;
  }

  /// What is in force was made from a transaction that has failed: all that
  /// counts is in this one's tables, or is replayed.
  void forget_base() noexcept {
    base_void_ = true;
  }

  /// Fills in `c.previous` and applies the call, whose id is given.
  void append(logged_call& c);
  /// Applies a call of the log unless the tables already reflect it.
  void replay(const logged_call& c);

  // An edit is not in the call log, so nothing could replay it, and calls
  // before it must not be replayed after it. Each of these writes the webhook's
  // part to the tables.

  /// Ends the webhook's retries and, with `tail`, its backlog as well.
  void settle(record_writer& to, webhook_id hook, std::optional<position> tail);
  /// Adds these entries to the webhook's retry set.
  void enqueue(record_writer& to, webhook_id hook,
               std::span<const retry> entries);
  /// The webhook has another target: forgets that the one before failed.
  void forget_failures(record_writer& to, webhook_id hook);
  void amend(record_writer& to, const amend_progress& how);
  /// Writes all changes to the tables and starts again without any.
  void save(record_writer& to, const checkpoint& next);

  /// Afterwards `base`, the one given at construction, is in force as this
  /// layer saw it.
  void merge_into(changes& base) &&;

private:
  struct entry {
    change value;          ///< its retries: the edits of this layer only
    bool replaces = false; ///< the base's entry is void
  };

  entry& touch(webhook_id hook);
  /// Null if this layer has not touched it.
  [[nodiscard]] const entry* find(webhook_id hook) const;
  [[nodiscard]] const change* below(webhook_id hook, const entry* at) const;
  void apply(entry& at, const logged_call& c);
  static void write_progress(record_writer& to, webhook_id hook,
                             const progress& upto);

  transaction& txn_;
  const changes& base_;
  checkpoint last_;
  bool base_void_ = false; ///< this layer has written a checkpoint
  std::unordered_map<webhook_id, entry> entries_;
};

} // namespace fanfare::storage::lmdb
