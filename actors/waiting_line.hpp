// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Webhooks that have something to send and no actor yet, because enough others
/// are at work. Of each it keeps how far it has come and what it has been given
/// last; the rest stays in the journal. Organizers take turns.
/// Not thread-safe.

#include "actors/subscription_index.hpp"
#include "fanfare/types.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace fanfare {

class waiting_line {
public:
  using ref = subscription_index::ref;

  /// Notifications in memory for those that wait; further ones are read again.
  static constexpr std::size_t most_bytes = 64 * 1024 * 1024;

  struct entry {
    ref who = 0;
    position cursor = 0;    ///< it has settled all before its first one
    position upto = 0;      ///< the last one that matches
    notification_ptr first; ///< null: to be read from the journal
  };

  [[nodiscard]] bool empty() const {
    return size_ == 0;
  }
  [[nodiscard]] std::size_t size() const {
    return size_;
  }
  /// Whether a webhook of this organizer waits.
  [[nodiscard]] bool has(organizer_id owner) const {
    return waves_.contains(owner);
  }

  /// This one does not wait yet, and this notification is the first for it
  /// since it has settled all.
  void add(ref who, const notification_ptr& first);
  /// Another notification matches this one. False: it does not wait.
  bool extend(ref who, position at) {
    if (size_ == 0 || who >= places_.size() || places_[who].upto == 0)
      return false;
    places_[who].upto = at;
    return true;
  }

  /// The one whose turn it is waits no more.
  std::optional<entry> next();
  /// This one does not, out of its turn. Nothing: it did not wait.
  std::optional<entry> take(ref who);

  /// What is at or before it is settled, or was handed out, by all that wait.
  /// Nothing if none waits.
  [[nodiscard]] std::optional<position> lowest_cursor() const;
  /// When the oldest was published that is waited for; nothing if none is.
  [[nodiscard]] std::optional<timestamp> oldest() const;

private:
  /// Those that wait since the same notification, in order. Who was taken out
  /// of turn is still in it.
  struct wave {
    notification_ptr first; ///< null: there was no room for it
    timestamp published;    ///< that one
    position cursor = 0;
    std::vector<ref> who;
    std::size_t gone = 0;
  };
  struct place {
    position cursor = 0;
    position upto = 0; ///< 0: it does not wait
  };

  entry leave(ref who, const notification_ptr& first);
  void drop_front(std::deque<wave>& of);

  std::vector<place> places_; ///< by ref
  std::unordered_map<organizer_id, std::deque<wave>> waves_;
  std::deque<organizer_id> turns_; ///< each that has waves, once
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace fanfare
