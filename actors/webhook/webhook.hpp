// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The actor of one subscriber. It attempts what its queue holds, as fast as
/// its pace and the lane's admission allow. What an attempt's end means is
/// decided in outcome.hpp, and logged by attempt_log.hpp.

#include "actors/delivery.hpp"
#include "actors/interfaces.hpp"
#include "actors/lanes/lane_actor.hpp"
#include "actors/webhook/alarm.hpp"
#include "actors/webhook/attempt_log.hpp"
#include "actors/webhook/batch.hpp"
#include "actors/webhook/delivery_queue.hpp"
#include "actors/webhook/order_book.hpp"
#include "actors/webhook/outcome.hpp"
#include "actors/webhook/owner_notices.hpp"
#include "actors/webhook/registration.hpp"
#include "actors/webhook/state_report.hpp"
#include "actors/webhook/throttle.hpp"
#include "actors/webhook/webhook_context.hpp"
#include "actors/webhook/webhook_slot.hpp"
#include "actors/webhook/work_display.hpp"

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
  void on_loaded(const result<storage::webhook_state>& state);
  void on_changed(webhook_ptr hook);
  /// True if it has another target URL than before.
  bool adopt(webhook_ptr hook);
  /// It was disabled before its newest version.
  void disable();
  /// What its receiver has asked for holds no others any more.
  void leave_hold();

  // -- notified, read ---------------------------------------------------------
  void on_notify(notification_ptr& n, position skipped_before);
  void on_refilled(const result<storage::backlog>& read);
  void on_fetched(const result<std::vector<notification_ptr>>& read);
  void on_selected(const result<storage::selection>& read);
  void on_read_failed();

  // -- pump -------------------------------------------------------------------
  /// Starts what may be started and asks for what is missing. `its_turn`: the
  /// lane keeps a place for it.
  void pump(bool its_turn = false);
  void start_attempts(bool& its_turn);
  void read_missing();
  void arm_alarm();
  /// Tells the owner and the operator what is new.
  void tell_news();
  /// Publishes to the router how far it has come.
  void publish_slot();
  [[nodiscard]] activity doing() const;
  [[nodiscard]] bool may_start() const;
  /// Whether the disk is too far behind; if so, pump() is called once it is
  /// not.
  bool hold_if_congested();

  // -- start ------------------------------------------------------------------
  enum class step : std::uint8_t { started, skipped, stopped };
  /// Starts, or gives up, the first that is ready, with as many of the others
  /// as fit into the same request: at most `together`.
  step start_next(source from, std::size_t together, bool its_turn);
  /// False: a test waits for its turn.
  bool start_tests(bool& its_turn);

  // -- send -------------------------------------------------------------------
  void send_request(std::shared_ptr<delivery_order> request,
                    admission::permit permit, bool test = false);
  /// Tells the operator why nothing can be sent, when that begins.
  void announce_unsendable() const;

  // -- finished ---------------------------------------------------------------
  void on_finished(attempt_result& r);
  [[nodiscard]] attempt_log::site site_of_log();

  // -- orders -----------------------------------------------------------------
  void on_order(const webhook_order_ptr& what);
  void on_hold_lifted();
  /// Takes the orders that are not done yet a step further.
  void pump_orders();
  [[nodiscard]] order_book::site site();
  [[nodiscard]] delivery_state inspect() const;

  [[nodiscard]] delivery_plan& plan() {
    return registered_.plan();
  }
  [[nodiscard]] const delivery_plan& plan() const {
    return registered_.plan();
  }
  [[nodiscard]] bool draining() const {
    return context_->is_draining();
  }

  std::shared_ptr<const webhook_context> context_;
  registration registered_;
  throttle throttle_;
  batch_halves halves_;
  timestamp now_{}; ///< when pump() began, or an attempt failed
  delivery_queue queue_;
  order_book orders_;
  owner_notices notices_;
  work_display display_;
  state_report report_;
  alarm alarm_;
  std::minstd_rand random_;
};

} // namespace fanfare
