// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Carries out the operations of a commit on a store in memory, in order.

#include "storage/operations.hpp"
#include "tests/support/memory_store/state.hpp"

namespace fanfare::test {

class memory_writer {
public:
  explicit memory_writer(memory_state& to) : to_(to), disk_(to.stored) {}

  void execute(storage::append_notifications& op);
  void execute(storage::append_call& op);
  void execute(storage::add_organizer& op);
  void execute(storage::change_organizer& op);
  void execute(storage::remove_organizer& op);
  void execute(storage::clear_organizer& op);
  void execute(storage::add_event& op);
  void execute(storage::rename_event& op);
  void execute(storage::remove_event& op);
  void execute(storage::add_action_type& op);
  void execute(storage::add_token& op);
  void execute(storage::revoke_token& op);
  void execute(storage::touch_tokens& op);
  void execute(storage::add_webhook& op);
  void execute(storage::change_webhook& op);
  void execute(storage::drop_retries& op);
  void execute(storage::amend_progress& op);
  void execute(storage::enqueue& op);
  void execute(storage::start_replay& op);
  void execute(storage::barrier& op);
  void execute(storage::save_checkpoint& op);
  void execute(storage::remember_answer& op);
  void execute(storage::expire& op);

private:
  notification_ptr append(storage::draft& from,
                          storage::append_notifications& op);
  event find_or_add_event(organizer_id owner, const std::string& slug,
                          const std::string& name, bool& is_new);
  /// The live answer of the key; forgets one that is too old.
  std::optional<stored_answer> find_answer(const idempotency_key& key,
                                           timestamp now);
  [[nodiscard]] bool is_removed(organizer_id id) const;
  webhook_record clear(disk::stored& of, timestamp now);
  /// Null: the organizer has no such event.
  event* find_event(organizer_id owner, event_id id);
  [[nodiscard]] bool has_taken_name(const webhook_record& hook) const;
  void toggle(disk::stored& of, timestamp now);
  void drop_old_versions(webhook_record& hook) const;

  memory_state& to_;
  disk& disk_;
};

} // namespace fanfare::test
