// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Sends committed notifications to subscribed webhooks, and starts and ends
/// the webhooks' actors: not more at once than can be at work. It also takes
/// the checkpoints, because only it knows up to which position it sent them to
/// each webhook.

#include "actors/committer.hpp"
#include "actors/interfaces.hpp"
#include "actors/journal_reader.hpp"
#include "actors/lanes/lane_actor.hpp"
#include "actors/rest_board.hpp"
#include "actors/subscription_index.hpp"
#include "actors/waiting_line.hpp"
#include "actors/watch.hpp"
#include "actors/webhook/webhook_slot.hpp"
#include "fanfare/clock.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace fanfare {

/// Of webhooks that have something to send and no actor yet, as of the last
/// checkpoint. Any thread.
struct waiting_figures {
  std::atomic<std::size_t> webhooks{0};
  /// When the oldest that waits was published, in seconds since 1970; 0: not
  /// known, or none waits.
  std::atomic<std::int64_t> oldest{0};
};

struct router_config {
  const storage::store* store = nullptr;
  commit_queue* commits = nullptr;
  journal_reader* reader = nullptr;
  const wall_clock* clock = nullptr;
  log_function log;
  /// Starts the actor of a webhook on its lane.
  std::function<webhook_actor(std::shared_ptr<webhook_slot>,
                              position read_upto)>
    start_webhook;
  /// Makes the supervisor watch that actor.
  std::function<void(webhook_id, const webhook_actor&)> watch;
  /// Notifications sent to a webhook and not yet attempted.
  std::size_t window = 256;
  /// Checkpoints after which an idle webhook's actor ends.
  std::size_t idle_checkpoints = 15;
  /// Webhooks that were started and have not come to rest, but for those of
  /// organizers that start only a few.
  std::size_t max_working = 4'096;
  /// While others wait, who has settled all ends if more than so many are
  /// active.
  std::size_t kept_active = 16'384;
  rest_board* resting = nullptr;
  /// As of the start.
  storage::run_times runs;
  /// Called with null once the registry is indexed and unfinished work has
  /// resumed, or with the reason for the failure.
  std::function<void(const error*)> begun;
  /// Once true, no notices are published: no attempt would carry them.
  const std::atomic<bool>* draining = nullptr;
  /// Figures for operators. Outlives the router.
  std::atomic<position>* routed_upto = nullptr;
  std::atomic<std::size_t>* registered_webhooks = nullptr;
  std::atomic<std::size_t>* active_webhooks = nullptr;
  waiting_figures* waiting = nullptr;
  operator_watch* operators = nullptr;
};

class router final : public lane_actor<router_actor> {
public:
  router(caf::actor_config& cfg, router_config config);

  behavior_type make_behavior() override;
  void on_exit() override;

  const char* name() const override {
    return "router";
  }

private:
  struct subscriber {
    std::shared_ptr<webhook_slot> slot;
    webhook_actor actor;
    position sent_upto = 0;    ///< last position that matched it
    position skipped_upto = 0; ///< last of them not sent
    std::size_t idle = 0;      ///< checkpoints since it last had work
    timestamp working_since{};
    bool working = false; ///< since it was started: one of `working_count_`
    bool ordered = false; ///< it may have orders that it does not know yet
    bool stuck = false;   ///< the board has it
    /// What had matched when it had last settled all that had before, and when
    /// that was.
    position mark = 0;
    timestamp marked_at{};
  };
  using ref = subscription_index::ref;

  result<void> begin();
  void on_committed(const committed_ptr& news);
  void on_chunk(const result<std::vector<notification_ptr>>& read);
  void route(const notification_ptr& n);
  void send(ref to, const notification_ptr& n);
  /// Whether another webhook of this organizer may be at work.
  [[nodiscard]] bool has_room(organizer_id owner);
  [[nodiscard]] std::size_t reserve() const;
  void set_working(subscriber& s, bool working);
  /// Looks at all that count as working.
  void find_resting();
  void on_rested();
  /// Starts those that wait, while there is room.
  void start_waiting();
  subscriber& start(const waiting_line::entry& waited);
  void retire(std::unique_ptr<subscriber>& s);
  void show_active() const;
  void show_waiting() const;
  subscriber& activate(ref r, position read_upto, position behind_upto);
  void take_changes_before(position at);
  void apply(const std::shared_ptr<const webhook_record>& hook);
  void read_more();
  void save_checkpoint();
  void order(webhook_id id, const webhook_order_ptr& what);
  /// Publishes the notice, if any webhook is subscribed to it.
  void announce(const notice& what);
  void revive(webhook_id id);
  void abandon(webhook_id id);
  void set_routed(position upto);
  /// Tells the board whether a first attempt has waited for long.
  void look_for_stuck(subscriber& s, position settled, timestamp now);
  /// Its actor goes: another one begins anew.
  void forget_stuck(subscriber& s);
  void show_registered(const webhook_record& hook) const;
  /// At the start: whether the engine has disabled it lately.
  void show_disabled(const webhook_record& hook) const;
  void make_room();

  router_config config_;
  subscription_index index_;
  std::size_t removed_ = 0; ///< of the index, with their organizers
  /// By ref; null while the webhook's actor does not run.
  std::vector<std::unique_ptr<subscriber>> active_;
  std::size_t active_count_ = 0;
  std::size_t working_count_ = 0;
  waiting_line waiting_;       ///< for actors
  std::size_t quick_left_ = 0; ///< that the notification may start at once
  position routed_upto_ = 0;
  position tail_ = 0; ///< newest committed position
  /// Edits of webhooks that apply from positions not routed yet, by `from`.
  std::deque<std::shared_ptr<const webhook_record>> changes_;
  storage::save_checkpoint saved_; ///< the last one
  timestamp alive_at_{};           ///< when the store was last told so
  bool reading_ = false;
  position reading_upto_ = 0; ///< requested
};

} // namespace fanfare
