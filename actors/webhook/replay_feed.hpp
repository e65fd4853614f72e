// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Hands the notifications that a replay has selected over to the webhook's
/// retry set, a few at a time and at the replay's pace: an entry's due time is
/// its place in the pace. Its progress is stored together with the entries, so
/// that it continues there after a restart. Not thread-safe.

#include "model/records.hpp"
#include "storage/deliveries.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace fanfare {

class replay_feed {
public:
  /// `waiting`: entries that were handed over before and not attempted yet;
  /// `last_due`: when the last of them is due, where the pace continues.
  replay_feed(replay value, std::size_t waiting, timestamp last_due = {})
    : value_(std::move(value)),
      waiting_(waiting),
      next_due_(last_due + pause()) {}

  [[nodiscard]] const replay& progress() const {
    return value_;
  }

  void choose(std::shared_ptr<const storage::selection> chosen) {
    chosen_ = std::move(chosen);
  }
  [[nodiscard]] bool has_selection() const {
    return chosen_ != nullptr;
  }
  /// Whether the selection is to be read now, which it is once at a time.
  [[nodiscard]] bool ask_selection() {
    return !chosen_ && !std::exchange(asked_, true);
  }
  /// It was read, or could not be (null).
  void answer_selection(std::shared_ptr<const storage::selection> read) {
    asked_ = false;
    if (!chosen_)
      chosen_ = std::move(read);
  }

  /// The next entries, which from now on count as handed over in `progress`;
  /// none while enough of them wait. Store them with it, then call stored().
  [[nodiscard]] const std::vector<retry>& take(timestamp now);
  /// The entries are stored: returns them for the webhook's own retry set.
  [[nodiscard]] std::vector<retry> stored();
  /// Makes one that is being stored due now. None: it is not being stored.
  std::optional<retry> expedite(position subject, timestamp now);
  /// Another attempt of this notification has ended: if it is being stored, the
  /// store knows that it goes on as that attempt says.
  void overtaken(position subject);
  /// One of the entries was attempted, or given up unsent.
  void attempted() {
    if (waiting_ > 0)
      --waiting_;
  }
  /// All are handed over and attempted.
  [[nodiscard]] bool exhausted() const {
    return chosen_ && pending_.empty() && waiting_ == 0
        && !chosen_->chosen.next_after(value_.cursor);
  }
  void end(replay_state how, timestamp now) {
    value_.state = how;
    value_.ended = now;
  }

private:
  [[nodiscard]] std::size_t portion() const;
  [[nodiscard]] std::chrono::microseconds pause() const;

  using precise = std::chrono::sys_time<std::chrono::microseconds>;

  replay value_;
  std::shared_ptr<const storage::selection> chosen_;
  std::vector<retry> pending_; ///< being stored; subject 0: overtaken
  std::vector<retry> none_;
  std::size_t waiting_;
  precise next_due_{};
  bool asked_ = false; ///< its selection is being read
};

} // namespace fanfare
