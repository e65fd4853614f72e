// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What calls have changed since the last checkpoint. It lives in memory only;
/// the call log has it too, and recovery makes it from there. Also its
/// counterpart on disk, the tables that a checkpoint writes.

#include "model/records.hpp"
#include "storage/lmdb/codec.hpp"
#include "storage/lmdb/tables.hpp"
#include "storage/progress.hpp"

#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace fanfare::storage::lmdb {

/// Edits of one webhook's retry set, to be carried out on an earlier state of
/// it.
class retry_changes {
public:
  void put(const retry& r) {
    entries_.insert_or_assign(r.subject, r);
  }
  void erase(position p);
  void clear();

  /// Whether an entry was put and not erased since.
  [[nodiscard]] bool has(position p) const;
  /// Whether all that was there before is gone.
  [[nodiscard]] bool cleared() const noexcept {
    return cleared_;
  }
  [[nodiscard]] bool empty() const noexcept {
    return !cleared_ && entries_.empty();
  }

  /// Appends later edits.
  void merge(retry_changes later);
  /// Carries the edits out; `set` is sorted by subject before and after.
  void apply_to(std::vector<retry>& set) const;
  /// Whether entries were put that are there still.
  [[nodiscard]] bool put_any() const;
  /// Whether an earlier entry of the notification is gone or replaced.
  [[nodiscard]] bool void_earlier(position p) const {
    return cleared_ || entries_.contains(p);
  }
  /// Carries the edits out in the table.
  void write(write_transaction& txn, table retries, webhook_id hook) const;

private:
  bool cleared_ = false;
  /// Nothing: erased.
  std::map<position, std::optional<retry>> entries_;
};

/// One webhook's part of the changes.
struct change {
  progress upto;
  retry_changes retries;
  /// The table of retries has entries of this webhook, so that erasing matters.
  bool has_rows = false;
};

using changes = std::unordered_map<webhook_id, change>;

// -- the tables ---------------------------------------------------------------

/// The progress as of the checkpoint: what is in the tables, and the knowledge
/// that who was not behind had settled everything up to `routed_upto`.
progress read_progress(transaction& txn, const tables& in, webhook_id hook,
                       position routed_upto);
/// Where a webhook without any progress stands: the journal's end when it was
/// made. Versions are dropped only when its progress is past them.
position before_first(const webhook_record& hook);
void write_progress(write_transaction& txn, const tables& in, webhook_id hook,
                    const progress& upto, std::string& buffer);

/// The retry set in the table, by subject.
std::vector<retry> read_retries(transaction& txn, const tables& in,
                                webhook_id hook);
bool has_retries(transaction& txn, const tables& in, webhook_id hook);
/// From one webhook's retries to the next one's.
bool seek_next_webhook(cursor& retries, webhook_id after);
void erase_retries(write_transaction& txn, table retries, webhook_id hook);

// -- a batch's view -----------------------------------------------------------

/// The changes of one batch above those that are in force, which stay as they
/// are until merge_into().
class change_layer {
public:
  change_layer(transaction& txn, const tables& in, const changes& base,
               const checkpoint& last)
    : txn_(txn),
      tables_(in),
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

  /// Fills in `c.previous` and applies the call, whose id is given.
  void append(call& c);
  /// Applies a call of the log unless the tables already reflect it.
  void replay(const call& c);

  /// Ends the webhook's retries, and with `tail` its backlog as well, in memory
  /// and in the tables: an edit is not in the call log, so nothing could replay
  /// it, and calls before it must not be replayed after it.
  void settle(write_transaction& txn, webhook_id hook,
              std::optional<position> tail, std::string& buffer);
  /// Writes the webhook's part to the tables as it is, with these entries added
  /// to its retry set: they are not in the call log, so nothing could replay
  /// them.
  void enqueue(write_transaction& txn, webhook_id hook,
               std::span<const retry> entries, std::string& buffer);
  /// The webhook has another target: forgets that the one before failed, in
  /// memory and in the tables.
  void forget_failures(write_transaction& txn, webhook_id hook,
                       std::string& buffer);
  /// Writes all changes to the tables and starts again without any.
  void save(write_transaction& txn, const checkpoint& next,
            std::string& buffer);

  /// Afterwards `base`, the one given at construction, is in force as this
  /// layer saw it.
  void merge_into(changes& base) &&;

private:
  struct entry {
    change value;          ///< its retries: the edits of this layer only
    bool replaces = false; ///< the base's entry is void
  };

  entry& touch(webhook_id hook);
  [[nodiscard]] const change* below(webhook_id hook, const entry* at) const;
  void apply(entry& at, const call& c);

  transaction& txn_;
  const tables& tables_;
  const changes& base_;
  checkpoint last_;
  bool base_void_ = false; ///< a checkpoint has been written by this layer
  std::unordered_map<webhook_id, entry> entries_;
};

} // namespace fanfare::storage::lmdb
