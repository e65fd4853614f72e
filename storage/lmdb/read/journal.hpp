// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The journal of the LMDB store: see storage/journal.hpp for what it promises.

#include "storage/journal.hpp"
#include "storage/lmdb/state/live_state.hpp"
#include "storage/lmdb/tables/records.hpp"

#include <string>
#include <string_view>
#include <unordered_map>

namespace fanfare::storage::lmdb {

/// Walks the notifications of one organizer without touching their texts.
class index_cursor {
public:
  index_cursor(transaction& txn, organizer_id owner)
    : txn_(txn),
      owner_(owner),
      at_(txn, table::journal_index) {}

  // Each says whether it now stands on an entry.

  /// To the first one after `place`.
  bool seek_after(position place);
  /// To the last one before `place`.
  bool seek_before(position place);
  bool next() {
    return at_.next_value() && read();
  }
  bool newest();
  bool previous() {
    return at_.previous_value() && read();
  }

  [[nodiscard]] position id() const noexcept {
    return id_;
  }
  /// Whether the subscription matches it, its filter aside.
  [[nodiscard]] bool matches(const subscription& sub);
  /// The same as if it was enabled.
  [[nodiscard]] bool asked_for_by(const subscription& sub);
  /// Whether it is of the types and the event that are wanted.
  [[nodiscard]] bool is_of(const notification_search& wanted) const;

private:
  bool read();
  /// What happened: the name of its type, which is the action unless it is a
  /// wildcard: then the notification is looked at. Valid until the next call.
  std::string_view action();

  transaction& txn_;
  organizer_id owner_;
  cursor at_;
  position id_ = 0;
  action_type_id type_ = 0;
  event_id event_ = 0;
  std::unordered_map<action_type_id, std::string> names_;
};

/// Null if there is none.
notification_ptr read_notification(transaction& txn, position at);

/// `passes`, for what the index knows only by its place.
bool passes_at(transaction& txn, const subscription& sub, position at);

/// The first position published at `t` or later, as far as times ascend.
position first_since(transaction& txn, timestamp t);

class journal final : public storage::journal {
public:
  explicit journal(const live_state& live) : live_(live) {}

  [[nodiscard]] position tail() const override {
    return live_.tail();
  }
  [[nodiscard]] result<notification_ptr> find(position at) const override;
  [[nodiscard]] result<std::vector<notification_ptr>>
  read(position after, position upto, std::size_t limit) const override;
  [[nodiscard]] result<backlog>
  read_backlog(const webhook_record& hook, position after, position upto,
               std::size_t max_matches, std::size_t max_scan) const override;
  [[nodiscard]] result<std::vector<notification_ptr>>
  newest_matches(organizer_id owner, const subscription& sub, std::size_t limit,
                 std::size_t max_scan) const override;
  [[nodiscard]] result<found_notifications>
  search(organizer_id owner, const notification_search& wanted) const override;
  [[nodiscard]] result<newer_notifications>
  newer(organizer_id owner, position after,
        const feed_limits& within) const override;
  [[nodiscard]] result<position> last_before(timestamp t) const override;

private:
  const live_state& live_;
};

} // namespace fanfare::storage::lmdb
