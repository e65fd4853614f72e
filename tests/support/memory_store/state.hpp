// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a store in memory knows, as plain values that can be copied: what would
/// be on disk, and what calls have changed since the last checkpoint. The rules
/// are those of storage/store.hpp, by the simplest means.

#include "model/call_tally.hpp"
#include "model/records.hpp"
#include "storage/progress.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace fanfare::test {

/// A retry set, by subject. A `storage::retry_sink`.
struct retry_map {
  std::map<position, retry> by_subject;

  void put(const retry& r) {
    by_subject.insert_or_assign(r.subject, r);
  }
  void erase(position p) {
    by_subject.erase(p);
  }
  void clear() {
    by_subject.clear();
  }
  [[nodiscard]] std::vector<retry> all() const {
    std::vector<retry> found;
    found.reserve(by_subject.size());
    for (const auto& [subject, r] : by_subject)
      found.push_back(r);
    return found;
  }
};

/// Where a webhook stands.
struct hook_standing {
  storage::progress upto;
  retry_map retries;
};

/// Everything that would be on disk.
struct disk {
  struct stored {
    webhook_record hook;
    std::optional<replay> sent_again = {}; ///< the last replay
    /// A disabling or enabling ended everything at or before it.
    position ended_upto = 0;
  };

  std::vector<notification_ptr> journal; ///< ascending
  std::vector<logged_call> calls;        ///< ascending
  /// The last numbers given out: they outlive what has expired.
  position last_position = 0;
  call_id last_call = 0;

  std::map<organizer_id, organizer> organizers;
  std::map<event_id, event> events;
  std::map<token_id, token> tokens;
  std::map<action_type_id, action_type> action_types;
  std::map<webhook_id, stored> hooks;

  /// The last checkpoint: what it reflects, and who was behind.
  position routed_upto = 0;
  call_id reflected_call = 0;
  std::map<webhook_id, position> behind;
  /// As of the checkpoint, or of the webhook's last edit after it.
  std::map<webhook_id, hook_standing> saved;

  /// By the 5 minutes in which they began: they outlive the calls.
  std::map<webhook_id, std::map<std::int64_t, call_tally>> counted;

  std::map<idempotency_key, remembered> answers;
  storage::run_times runs;

  [[nodiscard]] position tail() const {
    return last_position;
  }
  /// Null if there is none.
  [[nodiscard]] notification_ptr find(position at) const;
  /// Null if there is none.
  [[nodiscard]] const stored* find_hook(webhook_id id) const;
  [[nodiscard]] stored* find_hook(webhook_id id);
  /// What recovery starts from for the webhook.
  [[nodiscard]] hook_standing saved_standing(webhook_id id) const;
};

[[nodiscard]] bool is_replaying(const disk::stored& hook);

/// What is on disk together with what is in memory.
struct memory_state {
  disk stored;
  /// Of the webhooks that calls have changed since the checkpoint.
  std::map<webhook_id, hook_standing> since;

  /// As now.
  [[nodiscard]] hook_standing standing(webhook_id id) const;
  /// The same, knowing that it gets nothing from before it was made.
  [[nodiscard]] hook_standing standing(const webhook_record& hook) const;
  /// To be changed in memory.
  hook_standing& touch(webhook_id id);
  /// An edit: what the webhook has come to is on disk from here on.
  void save(webhook_id id);

  /// As after a crash: makes `since` of the calls after the checkpoint, and
  /// says what is to be done.
  storage::recovery recover();
};

/// Shared by a store and its readers.
struct guarded_state {
  mutable std::mutex mutex;
  memory_state now;
};

} // namespace fanfare::test
