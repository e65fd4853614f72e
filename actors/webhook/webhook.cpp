// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/webhook.hpp"

#include "actors/webhook/request.hpp"
#include "actors/webhook/request_end.hpp"
#include "actors/webhook/store_requests.hpp"
#include "protocol/target/target.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace fanfare {

namespace {

/// Before a read that failed is tried again.
constexpr std::chrono::milliseconds read_pause{1'000};

} // namespace

webhook_worker::webhook_worker(caf::actor_config& cfg,
                               std::shared_ptr<const webhook_context> context,
                               std::shared_ptr<webhook_slot> slot,
                               position read_upto)
  : lane_actor(cfg),
    context_(std::move(context)),
    queue_(std::move(slot), read_upto),
    random_(static_cast<std::minstd_rand::result_type>(context_->seed
                                                       + queue_.hook())) {}

webhook_worker::behavior_type webhook_worker::make_behavior() {
  ask_for_state(*context_->commits, queue_.hook(), handle());
  // CAF looks for the handler from the first to the last: those of every
  // delivery come first.
  return {
    [this](atom::turn) {
      throttle_.turn_came();
      pump(true);
    },
    [this](atom::finished, attempt_result& r) { on_finished(r); },
    [this](atom::notify, notification_ptr& n, position skipped_before) {
      on_notify(n, skipped_before);
    },
    [this](atom::wake) {
      alarm_.went_off();
      pump();
    },
    [this](atom::nudge) { pump(); },
    [this](atom::writable) {
      throttle_.wait_for_disk(false);
      pump();
    },
    [this](atom::loaded, const webhook_state_ptr& state) { on_loaded(*state); },
    [this](atom::refilled, const backlog_chunk_ptr& chunk) {
      on_refilled(chunk->read);
    },
    [this](atom::fetched, const fetched_retries_ptr& read) {
      on_fetched(read->notifications);
    },
    [this](atom::changed, webhook_ptr& hook) { on_changed(std::move(hook)); },
    [this](atom::order, const webhook_order_ptr& what) { on_order(what); },
    [this](atom::selected, const selection_ptr& read) { on_selected(*read); },
    [this](atom::stored) {
      orders_.stored(queue_);
      pump();
    },
    [this](atom::retire) { this->quit(); },
  };
}

void webhook_worker::on_exit() {
  display_.clear(*context_, queue_.hook());
  alarm_.close();
  queue_.close();
  orders_.close();
  // Attempts still in flight have nobody to report to.
  context_->in_flight->fetch_sub(throttle_.close(*context_->gate));
}

// -- loaded, changed ----------------------------------------------------------

void webhook_worker::on_loaded(const result<storage::webhook_state>& state) {
  if (!state) {
    this->quit(caf::make_error(caf::sec::runtime_error, state.error().detail));
    return;
  }
  adopt(std::make_shared<const webhook_record>(state->hook));
  queue_.load(*state,
              [this](const notification& n) { return registered_.wants(n); });
  const auto& progress = queue_.progress();
  throttle_.pace().restore(progress.failures, progress.last_failure,
                           progress.held_until);
  now_ = context_->clock->now();
  throttle_.restore_hold(queue_.hook(), now_);
  throttle_.pace().restore_rate(state->recent, state->recent_complete, now_);
  for (const auto& [since, until] : context_->off)
    if (queue_.excuse(since, until))
      amend(*context_->commits,
            {.hook = queue_.hook(), .off_since = since, .off_until = until});
  if (!registered_.enabled())
    disable();
  orders_.restore(*state, queue_);
  // Who asks now is told what holds it, too.
  throttle_.look_again(plan().paused, context_->shared.outage);
  for (const auto& order : orders_.take_kept())
    on_order(order);
  pump();
}

void webhook_worker::on_changed(webhook_ptr hook) {
  // After a restart the router goes through edits again that were loaded
  // already, and what came after them is in force.
  if (registered_.is_ahead_of(*hook))
    return;
  const bool was_enabled = registered_.enabled();
  const bool redirected = adopt(std::move(hook));
  if (was_enabled != registered_.enabled()) {
    if (registered_.enabled())
      throttle_.lift_hold(queue_.hook(), context_->clock->now());
    throttle_.pace().reset(); // as progress::disable() forgets its failures
  }
  if (!was_enabled || !registered_.enabled())
    disable();
  else if (redirected)
    // The target that answered 410 is not the webhook's any more.
    registered_.set_disabling(false);
  pump();
}

bool webhook_worker::adopt(webhook_ptr hook) {
  const auto owner = hook->owner;
  const bool was_ordered = plan().ordered;
  const auto changes = context_->fence_changes(); // before what it counts
  const auto newest = context_->newest_defaults ? context_->newest_defaults()
                                                : nullptr;
  const auto news = registered_.adopt(
    std::move(hook), newest ? *newest : context_->defaults, changes);
  if (news.redirected)
    leave_hold();
  if (news.moved)
    throttle_.enter(
      *context_->gate, owner, plan().to->destination(), this->address(),
      context_->shared.holds != nullptr
        ? context_->shared.holds->find(owner, plan().to->destination())
        : nullptr);
  throttle_.pace().configure(plan().pace);
  throttle_.pace().end_stall(); // it may be what was missing
  if (news.redirected || !plan().batch || plan().ordered != was_ordered)
    halves_ = {};
  if (news.redirected) {
    throttle_.pace().reset();
    queue_.forget_failures();
    // As the store has when it was edited; but calls may have come since.
    amend(*context_->commits, {.hook = queue_.hook(), .forget_failures = true});
  }
  return news.redirected;
}

void webhook_worker::disable() {
  queue_.disable(registered_.changed_at());
  orders_.disable();
  halves_ = {};
  registered_.set_disabling(false);
  // Attempts that failed before this was heard of may have added retries to the
  // store, in a commit after the one that ended them.
  if (!registered_.enabled()) {
    drop_retries(*context_->commits, queue_.hook());
    leave_hold();
  }
}

void webhook_worker::leave_hold() {
  context_->lift_hold_of(
    throttle_.leave_hold(queue_.hook(), context_->clock->now()));
}

// -- notified, read -----------------------------------------------------------

void webhook_worker::on_notify(notification_ptr& n, position skipped_before) {
  // Before it is loaded nothing is known of its filter: on_loaded() looks again
  // at what is in the window.
  const bool wanted = registered_.wants(*n);
  queue_.notify(n, skipped_before, wanted);
  pump();
}

void webhook_worker::on_refilled(const result<storage::backlog>& read) {
  if (!read) {
    queue_.refill_failed();
    return on_read_failed();
  }
  queue_.refilled(*read);
  pump();
}

void webhook_worker::on_fetched(
  const result<std::vector<notification_ptr>>& read) {
  if (!read) {
    queue_.fetch_failed();
    return on_read_failed();
  }
  for (const auto& r : queue_.fetched(*read)) {
    notices_.note_given_up(r.subject);
    attempt_log{site_of_log()}.end_unsent(
      attempt::of(r), "given up: the notification is older than the retention");
  }
  pump();
}

void webhook_worker::on_selected(const result<storage::selection>& read) {
  orders_.selected(read);
  if (!read)
    return on_read_failed();
  pump();
}

void webhook_worker::on_read_failed() {
  now_ = context_->clock->now();
  queue_.wait_until(now_ + read_pause);
  publish_slot();
  arm_alarm();
}

// -- pump ---------------------------------------------------------------------

void webhook_worker::pump(bool its_turn) {
  if (registered_.known()) {
    now_ = context_->clock->now();
    if (registered_.is_outdated(context_->fence_changes()))
      adopt(registered_.record());
    throttle_.look_again(plan().paused, context_->shared.outage);
    pump_orders();
    start_attempts(its_turn);
    read_missing();
    tell_news();
    arm_alarm();
  }
  if (its_turn)
    throttle_.pass_turn(*context_->gate);
  publish_slot();
}

bool webhook_worker::may_start() const {
  return !draining() && throttle_.waits_for_nothing()
      && !registered_.disabling() && !plan().paused && registered_.enabled();
}

void webhook_worker::start_attempts(bool& its_turn) {
  if (!start_tests(its_turn))
    return;
  while (may_start()) {
    const auto ready = queue_.next(plan().ordered, context_->queue.max_ahead);
    if (plan().ordered)
      throttle_.hold(ready.held_by_failed ? hold_reason::order
                                          : hold_reason::none);
    if (!ready || hold_if_congested())
      return;
    auto from = queue_.choose(ready);
    auto came_to = start_next(from, ready.together, its_turn);
    if (came_to == step::stopped && ready.retries
        && throttle_.held_by() == hold_reason::batch) {
      // While the batch of first attempts fills up, retries need not wait.
      from = queue_.choose({.retries = true});
      came_to = start_next(from, ready.together, its_turn);
    }
    if (came_to == step::stopped)
      return;
    if (came_to == step::started)
      its_turn = false;
    queue_.take_turns(from);
  }
}

bool webhook_worker::hold_if_congested() {
  if (!context_->commits->congested())
    return false;
  throttle_.wait_for_disk(true);
  context_->commits->notify_when_writable(handle());
  return true;
}

void webhook_worker::read_missing() {
  if (draining())
    return;
  if (registered_.enabled())
    if (const auto range = queue_.refill(context_->queue.window, now_))
      context_->reader->read_backlog(handle(), queue_.hook(), range->after,
                                     range->upto, range->limit);
  if (registered_.disabling() || plan().paused)
    return;
  const auto most = std::max<std::size_t>(
    context_->queue.max_fetch, plan().batch ? plan().batch->max_count : 0);
  if (auto which = queue_.fetch(plan().ordered, most, now_); !which.empty())
    context_->reader->fetch(handle(), std::move(which));
}

void webhook_worker::arm_alarm() {
  if (draining())
    return;
  // By the same time as what was held back before: a moment that has passed
  // since must not be taken for one that was used.
  earliest_after next{now_};
  if (!plan().paused)
    queue_.add_due(next, plan().ordered);
  next.add(queue_.reads_from());
  throttle_.add_due(next);
  notices_.add_due(next);
  alarm_.set(next.found(), [this] { return context_->make_timer(handle()); });
}

void webhook_worker::tell_news() {
  const auto& hook = *registered_.record();
  if (const auto lost = notices_.given_up(now_)) {
    context_->notify(hook, lost->notice);
    context_->say(event_kind::given_up, log_level::info, hook, lost->sentence);
  }
  report_.look({.context = *context_,
                .hook = hook,
                .progress = queue_.progress(),
                .throttle = throttle_,
                .waits = queue_.ready(source::window) != 0,
                .behind = queue_.behind(),
                .now = now_});
}

void webhook_worker::publish_slot() {
  // What its pace, or a notice to come, must not forget.
  const bool remembers = notices_.remembers(now_)
                      || throttle_.pace().busy_until() > now_;
  if (queue_.publish(orders_.size() + (remembers ? 1 : 0), doing())
      && context_->shared.resting->wanted())
    context_->shared.resting->note(queue_.place());
  display_.look(*context_, queue_, throttle_);
}

activity webhook_worker::doing() const {
  if (!registered_.known() || queue_.reads() || !throttle_.waits_for_nothing())
    return activity::working;
  return throttle_.requests() != 0 ? activity::calling : activity::resting;
}

// -- start --------------------------------------------------------------------

webhook_worker::step
webhook_worker::start_next(source from, std::size_t together, bool its_turn) {
  const auto most = from == source::retries ? together : SIZE_MAX;
  const auto chosen = choose_batch(queue_, from, plan(), halves_, most, now_);
  if (chosen.count == 0) {
    const auto a = queue_.attempt_of(from);
    const auto what = queue_.pop(from);
    if (chosen.too_old) {
      notices_.note_given_up(what->id, what->action);
      attempt_log{site_of_log()}.end_unsent(a, too_old(plan()));
    } else if (from == source::retries) {
      orders_.note_attempt(a); // the one in flight goes for it
    }
    return step::skipped;
  }
  if (chosen.wait_until) {
    throttle_.hold(hold_reason::batch, chosen.wait_until);
    return step::stopped;
  }
  admission::permit permit;
  if (!throttle_.allow(queue_.hook(), *context_->gate, permit, plan(),
                       queue_.peek(from).published, now_, its_turn))
    return step::stopped;
  if (plan().batch) {
    send_request(carry_together(queue_, from, chosen.count, plan().thin),
                 std::move(permit));
  } else {
    const auto a = queue_.attempt_of(from);
    send_request(carry(queue_, queue_.pop(from), a, plan().thin),
                 std::move(permit));
  }
  return step::started;
}

bool webhook_worker::start_tests(bool& its_turn) {
  if (!orders_.has_tests())
    return true;
  if (draining())
    orders_.cancel_waiting_tests(); // the answer is that the engine stops
  while (auto test = orders_.waiting_test()) {
    admission::permit permit;
    if (!throttle_.waits_for_nothing()
        || throttle_.requests() >= plan().pace.cap || hold_if_congested()
        || !throttle_.admit(*context_->gate, permit, plan(), its_turn))
      return false;
    its_turn = false;
    orders_.begin_test();
    const attempt once{.subject = test->id, .test = true};
    send_request(carry(queue_, std::move(test), once, plan().thin),
                 std::move(permit), true);
  }
  return true;
}

// -- send ---------------------------------------------------------------------

void webhook_worker::send_request(std::shared_ptr<delivery_order> request,
                                  admission::permit permit, bool test) {
  throttle_.started(now_, plan().resumes(request->what->published), test);
  context_->in_flight->fetch_add(1);
  if (!plan().to) {
    announce_unsendable();
    this->send(handle(), atom::finished_v,
               unsendable(std::move(*request), plan(), now_));
    return;
  }
  request->permit = std::move(permit);
  prepare(*request, plan(), queue_.hook(), *context_, now_);
  this->spawn<delivery>(std::move(request), handle());
}

void webhook_worker::announce_unsendable() const {
  if (!context_->log || !plan().lacking || throttle_.pace().stalled()
      || throttle_.requests() > 1)
    return;
  context_->log(log_level::error,
                "webhook " + std::to_string(queue_.hook())
                  + ": nothing can be sent, and all of it waits: "
                  + plan().error);
}

// -- finished -----------------------------------------------------------------

void webhook_worker::on_finished(attempt_result& r) {
  // By the time the engine's count is zero, the call is logged and the slot up
  // to date; or this has thrown, and the actor ends.
  const webhook_context::ended_request counted{*context_};
  throttle_.ended();
  if (registered_.known() && r.exchange.status != 0)
    report_.note_answer(*context_, *registered_.record(),
                        r.exchange.timings.total);
  if (!is_success(r.exchange.status) || r.exchange.repeated)
    now_ = context_->clock->now();
  request_end{site_of_log(), throttle_}.settle(r);
  random_.discard(1);
  pump();
}

attempt_log::site webhook_worker::site_of_log() {
  return {.context = context_,
          .registered = registered_,
          .pace = throttle_,
          .queue = queue_,
          .halves = halves_,
          .orders = orders_,
          .notices = notices_,
          .report = report_,
          .spread = random_,
          .now = now_};
}

// -- orders -------------------------------------------------------------------

void webhook_worker::on_order(const webhook_order_ptr& what) {
  if (!registered_.known())
    return orders_.keep(what);
  if (draining())
    return; // the answer says so
  now_ = context_->clock->now();
  if (const auto* question = std::get_if<inspect_order>(what.get()))
    question->done(inspect());
  else if (std::holds_alternative<lift_order>(*what))
    on_hold_lifted();
  else
    orders_.carry_out(*what, site());
  // Who wants it sent now does not want it held.
  if (std::holds_alternative<expedite_order>(*what)
      || std::holds_alternative<resend_order>(*what)) {
    throttle_.lift_hold(queue_.hook(), now_);
    if (queue_.lift_hold())
      amend(*context_->commits, {.hook = queue_.hook(), .lift_hold = true});
  }
  pump();
}

void webhook_worker::on_hold_lifted() {
  throttle_.take_lift();
  if (throttle_.pace().held_until() > now_)
    return; // it was told to wait anew
  const auto held_until = queue_.progress().held_until;
  if (!queue_.lift_hold())
    return;
  if (auto moved = queue_.expedite(now_, held_until); !moved.empty())
    move_retries(*context_->commits, queue_.hook(), std::move(moved));
}

void webhook_worker::pump_orders() {
  if (throttle_.waits_for_disk())
    return;
  orders_.log_endings(
    *context_->commits, [this](const attempt& a, ended_by why) {
      if (hold_if_congested())
        return false;
      attempt_log{site_of_log()}.end_unsent(a, std::string{sentence(why)});
      return true;
    });
  if (orders_.has_replay() && !draining() && !registered_.disabling()
      && !throttle_.waits_for_disk())
    orders_.feed_replay(site(), *context_->reader, handle());
}

order_book::site webhook_worker::site() {
  return {.queue = queue_,
          .commits = *context_->commits,
          .now = now_,
          .enabled = registered_.enabled(),
          .disabling = registered_.disabling()};
}

delivery_state webhook_worker::inspect() const {
  const auto& progress = queue_.progress();
  delivery_state state;
  throttle_.describe(state, context_->clock->now());
  state.failures = progress.failures;
  if (const auto oldest = queue_.oldest_waiting(); oldest != 0)
    state.oldest_waiting = oldest;
  if (progress.failures != 0)
    state.failing_since = progress.failing_since;
  state.certificate_expires = context_->shared.seen_certificates->expires(
    *registered_.record());
  return state;
}

} // namespace fanfare
