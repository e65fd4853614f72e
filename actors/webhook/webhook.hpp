// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The actor of one subscriber. It attempts what its queue holds, as fast as
/// its pace and the lane's admission allow, and appends one call per attempt to
/// the log. What an attempt's end means is decided in outcome.hpp.

#include "actors/delivery.hpp"
#include "actors/interfaces.hpp"
#include "actors/lanes/lane_actor.hpp"
#include "actors/webhook/delivery_plan.hpp"
#include "actors/webhook/delivery_queue.hpp"
#include "actors/webhook/order_book.hpp"
#include "actors/webhook/outcome.hpp"
#include "actors/webhook/owner_notices.hpp"
#include "actors/webhook/throttle.hpp"
#include "actors/webhook/webhook_context.hpp"
#include "actors/webhook/webhook_slot.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace fanfare {

class webhook_worker final : public lane_actor<webhook_actor> {
public:
  /// `read_upto`: the router speaks of what comes after it.
  webhook_worker(caf::actor_config& cfg,
                 std::shared_ptr<const webhook_context> context,
                 std::shared_ptr<webhook_slot> slot, position read_upto);

  behavior_type make_behavior() override;
  void on_exit() override;

  const char* name() const override {
    return "webhook";
  }

private:
  using source = delivery_queue::source;

  // -- loaded, changed --------------------------------------------------------
  void load();
  void on_loaded(const result<storage::webhook_state>& state);
  void on_changed(webhook_ptr hook);
  void adopt(webhook_ptr hook);
  /// It was disabled when the journal ended at `tail`.
  void disable(position tail);

  // -- notified, read ---------------------------------------------------------
  void on_notify(notification_ptr& n, position skipped_before);
  void on_refilled(const result<storage::backlog>& read);
  void on_fetched(const result<std::vector<notification_ptr>>& read);
  void on_selected(const result<storage::selection>& read);
  void on_read_failed();
  /// Whether it passes the filter that holds for it.
  [[nodiscard]] bool wants(const notification& n) const;

  // -- pump -------------------------------------------------------------------
  /// Starts what may be started and asks for what is missing. `its_turn`: the
  /// lane keeps a place for it.
  void pump(bool its_turn = false);
  void start_attempts(bool& its_turn);
  void read_missing();
  void arm_timer();
  [[nodiscard]] bool may_start() const;
  /// Whether the disk is too far behind; if so, pump() is called once it is
  /// not.
  bool hold_if_congested();

  // -- start ------------------------------------------------------------------
  enum class step : std::uint8_t { started, skipped, stopped };
  /// Starts, or gives up, the first that is ready.
  step start_one(source from, bool its_turn);
  /// The same with as many as fit into one request.
  step start_batch(source from, bool its_turn);
  /// False: a test waits for its turn.
  bool start_tests(bool& its_turn);

  // -- send -------------------------------------------------------------------
  void send_one(admission::permit permit, notification_ptr what, attempt a);
  void send_batch(admission::permit permit, source from, std::size_t count);
  void send_request(std::shared_ptr<delivery_order> request,
                    std::string_view id);

  // -- finished, log ----------------------------------------------------------
  void on_finished(attempt_result& r);
  void finish_batch(const attempt_result& r, const call& entry);
  /// Tells the pace and the owner how a request went. True if the receiver has
  /// named the time before which it wants no calls.
  bool learn(const attempt_result& r);
  [[nodiscard]] attempt end_attempt(const notification& what,
                                    const attempt_result& r);
  [[nodiscard]] circumstances known_now() const;
  /// Logs what became of one notification of a request. `last`: of those that
  /// disable the webhook for the reason `disabling`.
  void log_attempt(const notification& what, const attempt& a, call&& entry,
                   std::string_view disabling, bool last);
  void log_too_old(const notification& what, const attempt& a);
  void log_unsent(const attempt& a, std::string reason);
  /// Logs the last of the calls that led to it, and disables the webhook in the
  /// same commit.
  void log_and_disable(call&& last, std::string_view why);
  void notify_owner(const std::optional<owner_notice>& notice) const;

  // -- orders -----------------------------------------------------------------
  void on_order(const webhook_order_ptr& what);
  void log_endings();
  void feed_replay();
  [[nodiscard]] order_book::site site();
  [[nodiscard]] delivery_state inspect() const;

  [[nodiscard]] bool draining() const {
    return context_->draining->load(std::memory_order_relaxed);
  }
  /// Publishes to the router how far it has come.
  void publish_slot();

  std::shared_ptr<const webhook_context> context_;
  webhook_ptr hook_; ///< null until loaded
  /// What every turn asks of it, so that it need not be fetched into the cache.
  bool enabled_ = false;
  bool filtered_ = false; ///< one of its versions has a filter
  /// It is being disabled; the registry will say what follows.
  bool disabling_ = false;
  delivery_plan plan_;
  std::uint64_t fences_ = 0;  ///< when the plan was made
  std::uint32_t outages_ = 0; ///< those that had ended when it stalled
  throttle throttle_;
  timestamp now_{}; ///< when pump() began, or an attempt failed
  delivery_queue queue_;
  order_book orders_;
  owner_notices notices_;
  struct {
    std::unique_ptr<wake_timer> timer; ///< made when first needed
    std::optional<timestamp> at;
  } alarm_;
  std::minstd_rand random_;
};

} // namespace fanfare
