// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Carries out the operations of one commit in one write transaction. What is
/// in memory stays as it was; the owner takes over the outcome once the
/// transaction is durable.

#include "storage/lmdb/changes.hpp"
#include "storage/lmdb/codec.hpp"
#include "storage/lmdb/tables.hpp"
#include "storage/operations.hpp"

#include <span>
#include <string>

namespace fanfare::storage::lmdb {

class batch {
public:
  struct options {
    /// Bytes that publishing may still take.
    std::size_t room = 0;
    counters last;
    checkpoint recovery_start;
  };

  batch(write_transaction& txn, const tables& in, const changes& base,
        const options& opts);

  /// In their order; stops at the first error of the transaction.
  void execute(std::span<operation> operations);
  /// Makes them what they were before, so that they can be executed again in
  /// another transaction after this one has failed.
  static void take_back(std::span<operation> operations);

  [[nodiscard]] const counters& last() const noexcept {
    return last_;
  }
  [[nodiscard]] const checkpoint& last_checkpoint() const noexcept {
    return layer_.last_checkpoint();
  }
  /// See `change_layer::merge_into`.
  void merge_into(changes& base) && {
    std::move(layer_).merge_into(base);
  }

private:
  void execute(append_notifications& op);
  void execute(append_call& op);
  void execute(add_organizer& op);
  void execute(change_organizer& op);
  void execute(add_event& op);
  void execute(add_action_type& op);
  void execute(add_token& op);
  void execute(revoke_token& op);
  void execute(touch_tokens& op);
  void execute(remember_answer& op);
  void execute(add_webhook& op);
  void execute(change_webhook& op);
  void execute(drop_retries& op);
  void execute(enqueue& op);
  void execute(start_replay& op);
  void execute(barrier& op);
  void execute(save_checkpoint& op);
  void execute(expire& op);

  /// The live answer of a key, or null.
  std::shared_ptr<stored_answer> find_answer(const idempotency_key& key,
                                             timestamp now);
  /// Only if there is no live one.
  void put_answer(const idempotency_key& key, const remembered& value);
  void drop_answers(timestamp before, std::size_t limit);

  static void take_back(append_notifications& op);
  /// Adds the entry to `index_`.
  void index(const notification& n);
  /// Writes `index_`. Before anything that reads or removes entries.
  void write_index();
  /// The event, registered if it was not. `is_new` says which.
  event find_or_add_event(organizer_id owner, const std::string& slug,
                          const std::string& name, bool& is_new);
  /// Nothing if there is none or its record is damaged.
  std::optional<webhook_record> find_webhook(webhook_id id);
  void put_webhook(const webhook_record& value, unsigned flags);
  void drop_old_versions(webhook_record& hook);
  /// The webhook's last replay, if it had any.
  std::optional<replay> find_replay(webhook_id hook);
  void put_replay(webhook_id hook, const replay& value);
  void store_behind(const save_checkpoint& op, const checkpoint& before);
  /// Drops the rows of webhooks that are not behind any more, and appends to
  /// `changed` what has to be written for those that are. `named` ascends.
  void drop_unnamed(std::span<const save_checkpoint::unsettled> named,
                    const checkpoint& before,
                    std::vector<save_checkpoint::unsettled>& changed);
  /// Appends the record `value` encodes to under the key `id`.
  template <class Id, class T>
  void append_record(table to, Id id, const T& value);

  write_transaction& txn_;
  const tables& tables_;
  std::size_t room_;
  counters last_;
  change_layer layer_;
  /// Opened when first needed: appending with one that stands at the end is
  /// cheaper than finding the end each time.
  std::optional<cursor> journal_end_;
  std::optional<cursor> calls_end_;
  /// Encoded records.
  std::string buffer_;
  /// Index entries of notifications that have none yet, all of `index_owner_`.
  /// Many at once cost less than one after the other.
  std::string index_;
  organizer_id index_owner_ = 0;
};

/// What publishing these will take in the file, roughly and rather too much.
[[nodiscard]] std::size_t estimate(const append_notifications& op);
[[nodiscard]] std::size_t estimate(const remember_answer& op);

} // namespace fanfare::storage::lmdb
