// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Everything that one webhook has still to settle, in order. The queue is
/// virtual: a window of it is in memory, the rest stays in the journal until
/// the window has room, and of what failed only a retry of 24 bytes is kept
/// until it is due. The queue knows neither actors nor disks: it says what is
/// to be read and takes what was read. Not thread-safe.
///
///   router ──▶ window ──▶ in flight ──▶ settled (cursor, `progress`)
///     journal ──▶┘           │  ▲
///                  retries ◀─┘  └── due ◀── fetching ◀── retries

#include "actors/webhook/alarm.hpp"
#include "actors/webhook/attempt.hpp"
#include "actors/webhook/fifo.hpp"
#include "actors/webhook/retry_heap.hpp"
#include "actors/webhook/webhook_slot.hpp"
#include "fanfare/error.hpp"
#include "storage/store.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace fanfare {

class delivery_queue {
public:
  /// `read_upto`: the router speaks of what comes after it. If older ones are
  /// still to be sent, `slot->skipped_upto` is above it.
  delivery_queue(std::shared_ptr<webhook_slot> slot, position read_upto);

  /// Takes what the store knows, once; until then nothing is ever settled.
  /// `wants`: whether a notification of the window is for the webhook.
  template <class Wants>
  void load(const storage::webhook_state& from, Wants wants) {
    loaded_ = true;
    drop_from_window([&wants](const notification& n) { return !wants(n); });
    progress_ = from.upto;
    progress_.advance(slot_->settled_upto.load());
    retries_.assign(from.retries);
  }

  // -- what comes in ----------------------------------------------------------

  /// The router sent `n`; it had skipped some up to `skipped_before`. Of one
  /// that is not wanted only the cursor takes note.
  void notify(notification_ptr& n, position skipped_before, bool wanted);

  /// A part of the journal that is to be read.
  struct range {
    position after = 0;
    position upto = 0;
    std::size_t limit = 0;
  };
  /// What is missing, if the window (of at most so many) has room for it. To be
  /// answered by refilled() or refill_failed().
  std::optional<range> refill(std::size_t window, timestamp now);
  void refilled(const storage::backlog& read);
  void refill_failed() {
    refilling_ = false;
  }

  /// Retries that are due and whose notifications are to be read: at most so
  /// many; none while others are being read or enough are ready. To be answered
  /// by fetched() or fetch_failed(). `ordered`: those that failed come first.
  std::vector<position> fetch(bool ordered, std::size_t most, timestamp now);
  /// Returns those of them whose notification is no longer kept.
  std::vector<retry> fetched(const std::vector<notification_ptr>& read);
  void fetch_failed();

  /// A read failed: none is asked for until then.
  void wait_until(timestamp then) {
    reads_from_ = then;
  }
  [[nodiscard]] timestamp reads_from() const {
    return reads_from_;
  }

  // -- what is next -----------------------------------------------------------

  enum class source : std::uint8_t {
    window,  ///< first attempts
    retries, ///< those that are due
  };
  /// Where there is something to attempt.
  struct candidates {
    bool window = false;
    bool retries = false;
    bool held_by_failed = false; ///< `ordered`: one that failed comes first
    /// How many of the retries may go together.
    std::size_t together = SIZE_MAX;
    explicit operator bool() const {
      return window || retries;
    }
  };
  /// `max_ahead`: settled positions above the cursor, beyond which no first
  /// attempt starts before the oldest in flight has ended.
  candidates next(bool ordered, std::size_t max_ahead);
  /// Of which the next attempt is: retries and first attempts take turns.
  source choose(const candidates& among) {
    retry_turn_ = among.retries && (retry_turn_ || !among.window);
    return retry_turn_ ? source::retries : source::window;
  }
  /// The next attempt was one of `from`, or nothing came of it.
  void take_turns(source from) {
    retry_turn_ = from == source::window;
  }

  [[nodiscard]] std::size_t ready(source from) const {
    return from == source::retries ? due_.size() : window_.size();
  }
  /// Puts the retries that are ready, and of which `wanted` says yes to the
  /// notification, before the others, and keeps both in order.
  template <class Wanted>
  void bring_forward(Wanted wanted) {
    std::stable_partition(
      due_.begin(), due_.end(),
      [&wanted](const due_retry& d) { return wanted(d.as.subject); });
  }
  /// The `at`th that is ready.
  [[nodiscard]] const notification& peek(source from,
                                         std::size_t at = 0) const {
    return from == source::retries ? *due_[at].what : *window_[at].what;
  }
  [[nodiscard]] attempt attempt_of(source from, std::size_t at = 0) const {
    return from == source::retries ? due_[at].as
                                   : attempt::first_of(window_[at].what->id);
  }
  /// The first one that is ready leaves the window or the retries.
  notification_ptr pop(source from);

  // -- in flight --------------------------------------------------------------

  void begin(const attempt& a) {
    in_flight_.push_back(a);
  }
  /// The attempt of this notification that is in flight; null if none is.
  [[nodiscard]] const attempt* in_flight(position subject) const;
  /// It has ended. To be called right before it is logged: what holds the
  /// cursor and is not in flight any more counts as settled.
  void end(position subject);
  [[nodiscard]] bool sends_again() const {
    return !std::ranges::all_of(in_flight_, &attempt::holds_cursor);
  }
  [[nodiscard]] bool is_in_flight(position subject) const {
    return in_flight(subject) != nullptr;
  }

  // -- what ends --------------------------------------------------------------

  /// Applies an entry of the call log.
  void apply(const logged_call& entry) {
    progress_.apply(entry, retries_);
  }
  /// The webhook was disabled when the journal ended at `tail`: nothing up to
  /// there is attempted, or retried after the attempt that is in flight.
  void disable(position tail);
  /// As storage::amend_progress; false: it changes nothing.
  bool excuse(timestamp since, timestamp until) {
    return progress_.excuse(since, until);
  }
  bool lift_hold() {
    return progress_.lift_hold();
  }
  /// Failures say nothing about what comes: another receiver is called.
  void forget_failures() {
    progress_.forget_failures();
  }
  /// Nothing is attempted any more; the retries are left to the store.
  void close();

  // -- orders about retries ---------------------------------------------------

  void put(const retry& r) {
    retries_.put(r);
  }
  /// Puts entries of other notifications, ascending, in place of those that
  /// wait. Returns how many need not be put: an attempt is in flight or about
  /// to be, and what follows from it goes for them too.
  std::size_t replace(std::vector<retry> entries);
  /// Makes all retries due now. Returns those that were not; what a replay has
  /// handed over keeps its place in the replay's pace.
  /// Only those that are due `at` that time, if it is given.
  std::vector<retry> expedite(timestamp now,
                              std::optional<timestamp> at = std::nullopt);
  /// The retry of this notification that is about to be attempted, if any.
  [[nodiscard]] std::optional<retry> find_due(position subject,
                                              timestamp now) const;
  /// Takes out the retries that `wanted` says yes to, in any order. Those in
  /// flight will not be retried, for the reason `why`.
  template <class Wanted>
  std::vector<retry> extract(Wanted wanted, ended_by why);
  /// The same with those that wait for their time only.
  template <class Wanted>
  std::vector<retry> extract_waiting(Wanted wanted) {
    return retries_.extract(wanted);
  }

  /// Those that wait for their time or their turn, and are read for it.
  [[nodiscard]] std::size_t waiting_retries() const {
    return retries_.size() + due_.size() + fetching_.size();
  }

  // -- how far it has come ----------------------------------------------------

  [[nodiscard]] const storage::progress& progress() const {
    return progress_;
  }
  [[nodiscard]] const retry_heap& retries() const {
    return retries_;
  }
  /// Adds when retries are due; `ordered`: also what holds the others, which
  /// may be due later than they are.
  void add_due(earliest_after& to, bool ordered) const {
    if (retries_.empty())
      return;
    to.add(retries_.earliest().due);
    const auto* failed = ordered ? retries_.oldest_failed() : nullptr;
    if (failed != nullptr)
      to.add(failed->due);
  }
  /// Whether some of it must be read from the journal first.
  [[nodiscard]] bool behind() const {
    return behind_upto() > read_upto_;
  }
  /// The oldest that is neither delivered nor given up, of those in memory; 0:
  /// there is none. Linear in the retries.
  [[nodiscard]] position oldest_waiting() const;
  /// What is at or before it is settled once all that is in flight and holds
  /// the cursor has ended.
  [[nodiscard]] position floor() const;
  [[nodiscard]] webhook_id hook() const {
    return slot_->id;
  }
  /// Lets the router see it; `others`: what is unfinished beside it. True: it
  /// has come to rest.
  bool publish(std::size_t others, activity doing);
  /// Whether something is being read for it.
  [[nodiscard]] bool reads() const {
    return refilling_ || fetch_running_;
  }
  /// In the router's table.
  [[nodiscard]] std::uint32_t place() const {
    return slot_->place;
  }

private:
  struct arrival {
    notification_ptr what;
    bool credited = false; ///< sent by the router, not read from the journal
  };
  struct due_retry {
    notification_ptr what;
    attempt as;
  };

  template <class Unwanted>
  void drop_from_window(Unwanted unwanted) {
    window_.erase_if([this, &unwanted](const arrival& a) {
      if (!unwanted(*a.what))
        return false;
      if (a.credited)
        return_credit();
      return true;
    });
  }
  void return_credit() {
    slot_->credits.fetch_add(1, std::memory_order_seq_cst);
  }
  [[nodiscard]] position behind_upto() const;
  void set_read_upto(position upto);
  /// Puts those due in the order that `ordered` wants, and says which of them
  /// may go.
  void order_due(candidates& found);
  /// The oldest that failed and is not ready; null if there is none.
  [[nodiscard]] std::optional<position> oldest_failed_elsewhere() const;
  void fetch_failed_first(std::vector<position>& which, std::size_t most,
                          timestamp now);

  std::shared_ptr<webhook_slot> slot_;
  storage::progress progress_;
  retry_heap retries_;
  fifo<arrival> window_;
  fifo<due_retry> due_;
  std::vector<attempt> in_flight_;
  std::vector<retry> fetching_; ///< subject 0: ended meanwhile
  /// What the window, what is in flight and what is settled cover.
  position read_upto_;
  position ignored_upto_ = 0; ///< sent, but behind a gap
  timestamp reads_from_{};
  bool loaded_ = false;
  bool refilling_ = false;
  bool fetch_running_ = false;
  bool retry_turn_ = false;
};

template <class Wanted>
std::vector<retry> delivery_queue::extract(Wanted wanted, ended_by why) {
  auto taken = retries_.extract(wanted);
  due_.erase_if([&](const due_retry& d) {
    const auto r = d.as.as_retry();
    if (!wanted(r))
      return false;
    taken.push_back(r);
    return true;
  });
  for (auto& r : fetching_)
    if (r.subject != 0 && wanted(r)) {
      taken.push_back(r);
      r.subject = 0;
    }
  for (auto& a : in_flight_)
    if (wanted(a.as_retry()))
      a.last_because = why;
  return taken;
}

} // namespace fanfare
