// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The orders of one webhook that are not done yet: tests that wait for their
/// attempt, retries that are to be logged as given up, the replay that runs.
/// Only its actor uses it. An order that is forgotten is answered by its
/// `reply`.

#include "actors/commit_queue.hpp"
#include "actors/interfaces.hpp"
#include "actors/journal_reader.hpp"
#include "actors/webhook/attempt.hpp"
#include "actors/webhook/delivery_queue.hpp"
#include "actors/webhook/fifo.hpp"
#include "actors/webhook/order.hpp"
#include "actors/webhook/replay_feed.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace fanfare {

class order_book {
public:
  /// What orders are carried out on.
  struct site {
    delivery_queue& queue;
    commit_queue& commits;
    timestamp now{};
    bool enabled = true;
    bool disabling = false; ///< the store will say that it is disabled
  };

  /// Takes up the replay that was running when the state was stored. If one was
  /// cancelled instead, ends what is left of it.
  void restore(const storage::webhook_state& from, delivery_queue& queue);

  /// Keeps an order until the webhook is loaded.
  void keep(webhook_order_ptr what) {
    early_.push_back(std::move(what));
  }
  std::vector<webhook_order_ptr> take_kept() {
    return std::exchange(early_, {});
  }

  /// Carries out any order but an inspection, or notes it to be.
  void carry_out(const webhook_order& what, const site& at);

  /// The webhook was disabled: its retries have ended, and so has its replay.
  void disable();
  /// Forgets all of them.
  void close();
  /// How many are not done.
  [[nodiscard]] std::size_t size() const {
    return tests_.size() + endings_.size() + (replay_ ? 1 : 0);
  }

  // -- tests ------------------------------------------------------------------

  [[nodiscard]] bool has_tests() const {
    return !tests_.empty();
  }
  /// The next test to attempt; null if none waits.
  [[nodiscard]] notification_ptr waiting_test() const;
  /// Its attempt has begun.
  void begin_test();
  /// Who gets the call of the test that has ended.
  reply<call> end_test(position subject);
  void cancel_waiting_tests();

  // -- retries that end without an attempt ------------------------------------

  /// Has those that an order has ended logged as given up: calls `log(attempt,
  /// why)` for each until it returns false, which leaves it and the others for
  /// the next time.
  template <class Log>
  void log_endings(commit_queue& commits, Log log) {
    for (; !endings_.empty(); end_first(commits)) {
      auto& [entries, why, done] = endings_.front();
      for (; !entries.empty(); entries.pop_back())
        if (!log(attempt::of(entries.back()), why))
          return;
    }
  }

  // -- replay -----------------------------------------------------------------

  [[nodiscard]] bool has_replay() const {
    return replay_ != nullptr;
  }
  /// Hands over what may be attempted soon, or notes that all was; first asks
  /// `reader` what it has selected. `who` is sent `stored` once what was handed
  /// over is on disk, and `selected`.
  void feed_replay(const site& at, journal_reader& reader,
                   const webhook_actor& who);
  /// The entries that were handed over are on disk.
  void stored(delivery_queue& queue);
  void selected(const result<storage::selection>& read);
  /// An attempt has ended, or it was given up without one.
  void note_attempt(const attempt& a) {
    if (!replay_)
      return;
    replay_->overtaken(a.subject);
    if (a.by_replay && !a.failed_before())
      replay_->attempted();
  }

private:
  struct test {
    notification_ptr what;
    reply<call> answer;
    bool in_flight = false;
  };
  struct ending {
    std::vector<retry> entries; ///< to be logged as given up
    ended_by why = ended_by::nothing;
    std::function<void()> done; ///< to be called once all are on disk
  };

  void carry_out(const expedite_order& what, const site& at);
  void carry_out(const drop_order& what, const site& at);
  void carry_out(const resend_order& what, const site& at);
  void carry_out(const test_order& what, const site& at);
  void carry_out(const replay_order& what, const site& at);
  void carry_out(const cancel_order& what, const site& at);
  /// All entries of the first ending are logged.
  void end_first(commit_queue& commits);
  void hand_over(const site& at, const webhook_actor& who);

  std::vector<webhook_order_ptr> early_;
  std::vector<test> tests_;
  fifo<ending> endings_;
  std::unique_ptr<replay_feed> replay_; ///< rare, and large
};

} // namespace fanfare
