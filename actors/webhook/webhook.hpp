// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The actor of one subscriber. Its queue is virtual: a window of notifications
/// in memory, the rest is read from the journal when the window has room. It
/// starts first attempts in journal order, keeps its retries by due time, and
/// appends one call per attempt.

#include "actors/admission.hpp"
#include "actors/commit_queue.hpp"
#include "actors/delivery.hpp"
#include "actors/journal_reader.hpp"
#include "actors/lanes/lane_actor.hpp"
#include "actors/webhook/backoff_timer.hpp"
#include "actors/webhook/delivery_plan.hpp"
#include "actors/webhook/order.hpp"
#include "actors/webhook/pace.hpp"
#include "actors/webhook/queue.hpp"
#include "actors/webhook/replay_feed.hpp"
#include "actors/webhook/retry_heap.hpp"
#include "fanfare/clock.hpp"
#include "storage/progress.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace fanfare {

/// What all webhook actors of a lane share.
struct webhook_context {
  // -- options ----------------------------------------------------------------
  delivery_defaults defaults;
  std::size_t window = 256;
  /// A webhook that has only failed for that long is disabled; 0: never.
  std::chrono::milliseconds disable_after = std::chrono::days{5};
  /// Settled positions above the cursor: how far the quick ones may run ahead
  /// of a slow one.
  std::size_t max_ahead = 4'096;
  /// Retries that are read from disk at once.
  std::size_t max_fetch = 32;
  // -- the lane ---------------------------------------------------------------
  protocol::transport* wire = nullptr;
  std::shared_ptr<admission> gate;
  std::function<std::unique_ptr<wake_timer>(webhook_actor)> make_timer;
  // -- the engine -------------------------------------------------------------
  commit_queue* commits = nullptr;
  journal_reader* reader = nullptr;
  const wall_clock* clock = nullptr;
  std::atomic<std::size_t>*
    in_flight = nullptr; ///< of the whole engine, for a graceful stop
  /// Once true, no further attempt starts. A flag and not a message: whoever
  /// was told that the engine stops can rely on it.
  const std::atomic<bool>* draining = nullptr;
  std::uint64_t seed = 0; ///< of the backoff's jitter
  /// Counts changes of organizers' networks, which plans are made with.
  const std::atomic<std::uint64_t>* fences = nullptr;
  /// Tells the organizer's webhooks what happened to this one: an action
  /// ("fanfare.webhook.disabled") and the members of its JSON object from the
  /// second one on. Any thread; may be empty.
  std::function<void(const webhook_record&, std::string_view action,
                     std::string members)>
    tell;
};

/// What the router and a webhook actor know of each other without sending
/// messages.
struct webhook_slot {
  webhook_id id = 0;
  /// Notifications the router may still send; given back when they leave the
  /// window.
  std::atomic<std::int64_t> credits{0};
  /// Newest position that the router did not send for want of credits.
  std::atomic<position> skipped_upto{0};
  /// What the webhook has taken or read; it is behind while this is below
  /// `skipped_upto`.
  std::atomic<position> read_upto{0};
  /// The webhook's cursor. Written after the call that moved it is in the
  /// commit queue.
  std::atomic<position> settled_upto{0};
  /// Retries and attempts under way; not zero before the webhook's state is
  /// loaded.
  std::atomic<std::size_t> unfinished{1};
};

class webhook_worker final : public lane_actor<webhook_actor> {
public:
  /// `read_upto`: what the router speaks of comes after this position. If older
  /// ones are still to be sent, `slot->skipped_upto` is above it.
  webhook_worker(caf::actor_config& cfg,
                 std::shared_ptr<const webhook_context> context,
                 std::shared_ptr<webhook_slot> slot, position read_upto);

  behavior_type make_behavior() override;
  void on_exit() override;

  const char* name() const override {
    return "webhook";
  }

private:
  /// What the next attempt is about.
  struct sending {
    notification_ptr what;
    std::uint16_t attempt = 1;
    bool replay = false;
    bool fed = false;
    bool first = false; ///< from the window
    reply<call> test = {};
  };
  struct under_way {
    position subject;
    std::uint16_t attempt;
    bool replay;
    bool fed;
    bool first;
    bool thin;
    reply<call> test;
    /// Why it will not be tried again if it fails; empty: it will.
    std::string_view last_because = {};
  };
  /// Entries of the retry set that end without an attempt.
  struct ending {
    std::vector<retry> entries;
    std::string reason;
    std::function<void()> done; ///< once all of them are on disk
  };

  // -- input ------------------------------------------------------------------
  void on_notify(notification_ptr& n, position skipped_before);
  void on_loaded(const result<storage::load_webhook::state>& state);
  void on_refilled(const result<storage::backlog>& read);
  void on_fetched(const result<std::vector<notification_ptr>>& read);
  void on_changed(webhook_ptr hook);
  void on_finished(attempt_result& r);
  void on_selected(const result<storage::selection>& read);
  void on_stored();

  // -- orders -----------------------------------------------------------------
  void on_order(const webhook_order_ptr& what);
  void carry_out(const expedite_order& what);
  void carry_out(const drop_order& what);
  void carry_out(const resend_order& what);
  void carry_out(const test_order& what);
  void carry_out(const replay_order& what);
  void carry_out(const cancel_order& what);
  void carry_out(const inspect_order& what);
  /// Takes those out of all that waits to be tried again. What is under way
  /// will not be tried again.
  template <class Wanted>
  std::vector<retry> extract_waiting(Wanted wanted, std::string_view reason);

  // -- output -----------------------------------------------------------------
  /// Starts what may be started and asks for what is missing.
  void pump(bool its_turn = false);
  enum class step : std::uint8_t { started, skipped, stopped };
  /// Deals with the next retry or first attempt, whose turn it is.
  step start_next(bool again, bool its_turn);
  /// The same with as many as fit into one request.
  step start_batch(bool again, bool its_turn);
  bool start(sending what, timestamp now, bool its_turn);
  bool start_all(std::vector<sending>& all, timestamp now, bool its_turn);
  void send_out(admission::permit permit, notification_ptr what,
                std::vector<notification_ptr> members, std::string_view id,
                std::uint16_t attempt, timestamp now);
  /// Whether the pace allows a request now; if not, notes why.
  bool allowed(timestamp now, bool resumed);
  [[nodiscard]] bool resumes(const notification& what) const {
    return what.published <= plan_.resumed;
  }
  [[nodiscard]] bool too_old(const sending& next, timestamp now) const;
  /// Puts the one that `ordered` wants first at the front; false: none may go.
  bool order_due(bool& one_failed);
  void give_up_old(const sending& what);
  /// False: a test waits for its turn.
  bool start_tests(bool& its_turn);
  void end_endings();
  void feed_replay();
  /// Whether the disk is too far behind; if so, pump() is called once it is
  /// not.
  bool hold_if_congested();
  void refill();
  void fetch_due();
  /// With `ordered`: takes those that failed and are due, first.
  void fetch_failed(std::vector<position>& which, std::size_t most);
  void arm_timer();
  void log_call(call&& entry, reply<call> answer = {});
  /// Disables the webhook; the last of the calls that led to it goes into the
  /// same commit.
  void disable_with(call&& last, std::string_view why);
  /// Logs what became of one notification of a request.
  /// `last`: of those that disable the webhook.
  void settle(const notification& what, under_way&& u, call&& entry,
              std::string_view disabled_because, bool last);
  [[nodiscard]] under_way take_under_way(position subject);
  /// Why it is to be disabled now that this attempt has failed; empty: not.
  [[nodiscard]] std::string_view end_of_patience(const attempt_result& r,
                                                 const under_way& u) const;
  /// Tells the pace and the owner how a request went.
  void learn(const attempt_result& r);
  void tell(std::string_view action, std::string members) const;
  void tell_recovered();
  void note_given_up(position subject);
  void tell_given_up();
  void give_up_unsent(const retry& what, std::string reason);
  /// Whether it is the target of calls that start now.
  [[nodiscard]] bool is_current(const protocol::target& to) const;
  /// What becomes of an attempt that failed and is not the end.
  void decide_failed(call& entry, const under_way& u, timestamp published,
                     std::minstd_rand spread);
  void inspect(delivery_state& out) const;
  void read_failed();

  // -- state ------------------------------------------------------------------
  void adopt(webhook_ptr hook);
  [[nodiscard]] bool behind() const;
  [[nodiscard]] position behind_upto() const;
  [[nodiscard]] position floor() const;
  void publish_slot();
  void set_read_upto(position upto);
  void forget_upto(position tail);
  void leave_window();
  void return_credit() {
    slot_->credits.fetch_add(1, std::memory_order_seq_cst);
  }
  /// Whether it passes the filter that holds for it.
  [[nodiscard]] bool wants(const notification& what) const;
  [[nodiscard]] bool draining() const {
    return context_->draining->load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool may_start() const;
  [[nodiscard]] bool is_under_way(position subject) const;
  [[nodiscard]] bool may_run_ahead() const;

  std::shared_ptr<const webhook_context> context_;
  std::shared_ptr<webhook_slot> slot_;
  webhook_ptr hook_; ///< null until loaded
  /// What every turn asks of it, so that it need not be fetched into the cache.
  bool enabled_ = false;
  bool filtered_ = false; ///< one of its versions has a filter
  delivery_plan plan_;
  std::uint64_t fences_ = 0; ///< when the plan was made
  std::shared_ptr<admission::ticket> ticket_;
  pace pace_;
  /// What the last pump() stopped at.
  hold_reason held_by_ = hold_reason::none;
  std::optional<timestamp> held_until_;
  timestamp now_{};          ///< when pump() began, or an attempt failed
  std::size_t requests_ = 0; ///< under way; a batch is one
  std::optional<timestamp> certificate_expires_;
  timestamp certificate_told_{};
  timestamp recovered_told_{};
  struct {
    std::size_t count = 0;
    position first = 0;
    position last = 0;
    timestamp told{};
  } given_up_; ///< and not told of

  storage::progress progress_;
  retry_heap retries_;
  struct waiting {
    notification_ptr what;
    bool credited = false; ///< sent by the router, not read from the journal
  };
  queue<waiting> window_;
  queue<sending> due_;
  std::vector<under_way> under_way_;
  std::vector<retry> fetching_; ///< subject 0: ended meanwhile
  queue<sending> tests_;
  queue<ending> endings_;
  std::unique_ptr<replay_feed> replay_;         ///< rare, and large
  std::vector<webhook_order_ptr> early_orders_; ///< before it is loaded
  bool gone_ = false; ///< answered 410; the registry will say what follows
  /// What the window, what is under way and what is settled cover.
  position read_upto_;
  position ignored_upto_ = 0;
  std::unique_ptr<wake_timer> timer_;
  std::optional<timestamp> timer_at_;
  std::optional<timestamp> read_again_at_;
  std::minstd_rand random_;

  bool refilling_ = false;
  bool parked_ = false;     ///< waits for its turn
  bool held_ = false;       ///< waits for the disk
  bool retry_turn_ = false; ///< retries and first attempts take turns
  bool fetch_running_ = false;
  bool selecting_ = false;
};

} // namespace fanfare
