// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Carries out changes of the registry but for webhooks.

#include "storage/lmdb/tables/records.hpp"
#include "storage/operations.hpp"

#include <string>

namespace fanfare::storage::lmdb {

/// Of one transaction.
class registry_writer {
public:
  explicit registry_writer(record_writer& to) : to_(to), txn_(to.txn()) {}

  void execute(add_organizer& op);
  void execute(change_organizer& op);
  void execute(remove_organizer& op);
  void execute(add_event& op);
  void execute(rename_event& op);
  void execute(remove_event& op);
  void execute(add_action_type& op);
  void execute(add_token& op);
  void execute(revoke_token& op);
  void execute(touch_tokens& op);

  /// The event, registered if it was not. `is_new` says which.
  event find_or_add_event(organizer_id owner, const std::string& slug,
                          const std::string& name, bool& is_new);

private:
  /// Whether the organizer has such an event.
  bool find_event(organizer_id owner, event& to);

  record_writer& to_;
  write_transaction& txn_;
};

} // namespace fanfare::storage::lmdb
