// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/webhook.hpp"

#include "actors/webhook/batch.hpp"
#include "actors/webhook/call_writer.hpp"
#include "model/subscription.hpp"
#include "protocol/client/retry_after.hpp"
#include "protocol/payload/composed_body.hpp"
#include "protocol/target/target.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

namespace fanfare {

namespace {

/// Before a read that failed is tried again.
constexpr std::chrono::milliseconds read_pause{1'000};
/// The engine's own action types begin with it. Their owner is not notified
/// when one of them is given up, or there would be no end to it.
constexpr std::string_view own_actions = "fanfare.";

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
  load();
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
      alarm_.at.reset();
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
  if (alarm_.timer)
    alarm_.timer->cancel();
  alarm_.timer.reset();
  queue_.close();
  orders_.close();
  // Attempts still in flight have nobody to report to.
  context_->in_flight->fetch_sub(throttle_.close(*context_->gate));
}

// -- loaded, changed ----------------------------------------------------------

void webhook_worker::load() {
  context_->commits->push(
    {.what = storage::barrier{.load = queue_.hook()},
     .done =
       [self = handle()](storage::operation& op, const error* failure) {
         auto state = std::make_shared<result<storage::webhook_state>>(error{});
         if (failure != nullptr)
           *state = *failure;
         else
           *state = std::move(std::get<storage::barrier>(op).done);
         caf::anon_send(self, atom::loaded_v,
                        webhook_state_ptr{std::move(state)});
       },
     .lasting = true});
}

void webhook_worker::on_loaded(const result<storage::webhook_state>& state) {
  if (!state) {
    this->quit(caf::make_error(caf::sec::runtime_error, state.error().detail));
    return;
  }
  adopt(std::make_shared<const webhook_record>(state->hook));
  queue_.load(*state, [this](const notification& n) { return wants(n); });
  const auto& progress = queue_.progress();
  throttle_.pace().restore(progress.failures, progress.last_failure,
                           progress.held_until);
  if (!enabled_)
    disable(hook_->versions.back().from - 1);
  orders_.restore(*state, queue_);
  for (const auto& order : orders_.take_kept())
    on_order(order);
  pump();
}

void webhook_worker::on_changed(webhook_ptr hook) {
  // Before it is loaded: what will be loaded is at least as new. After a
  // restart the router goes through edits again that were loaded already, and
  // what came after them is in force.
  if (!hook_ || hook->versions.back().from < hook_->versions.back().from)
    return;
  const bool toggled = enabled_ != hook->current().enabled;
  const bool redirected = hook_->target_url != hook->target_url;
  adopt(std::move(hook));
  if (toggled)
    throttle_.pace().lift_hold();
  if (toggled || !enabled_)
    disable(hook_->versions.back().from - 1);
  else if (redirected)
    // The target that answered 410 is not the webhook's any more.
    disabling_ = false;
  pump();
}

void webhook_worker::adopt(webhook_ptr hook) {
  const bool redirected = hook_ && hook_->target_url != hook->target_url;
  if (context_->fences != nullptr)
    fences_ = context_->fences->load(std::memory_order_relaxed);
  const auto before = plan_.to;
  plan_ = delivery_plan{*hook, context_->defaults};
  if (plan_.to && (!before || before->destination() != plan_.to->destination()))
    throttle_.enter(*context_->gate, hook->owner, plan_.to->destination(),
                    this->address());
  throttle_.pace().configure(plan_.pace);
  if (redirected) {
    throttle_.pace().reset();
    queue_.forget_failures(); // as the store has
    notices_.forget_certificate();
  }
  hook_ = std::move(hook);
  enabled_ = hook_->current().enabled;
  filtered_ = std::ranges::any_of(hook_->versions, [](const auto& v) {
    return v.value.filter.value != nullptr;
  });
}

void webhook_worker::disable(position tail) {
  queue_.disable(tail);
  orders_.disable();
  disabling_ = false;
  // Attempts that failed before this was heard of may have added retries to the
  // store, in a commit after the one that ended them.
  if (!enabled_)
    context_->commits->push({.what = storage::drop_retries{queue_.hook()},
                             .done = {},
                             .lasting = true});
}

// -- notified, read -----------------------------------------------------------

void webhook_worker::on_notify(notification_ptr& n, position skipped_before) {
  // Before it is loaded nothing is known of its filter: on_loaded() looks again
  // at what is in the window.
  const bool wanted = wants(*n);
  queue_.notify(n, skipped_before, wanted);
  pump();
}

bool webhook_worker::wants(const notification& n) const {
  if (!filtered_)
    return true;
  const auto* sub = version_at(*hook_, n.id);
  return sub == nullptr || passes(*sub, n);
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
    log_unsent(attempt::of(r),
               "given up: the notification is older than the retention");
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
  arm_timer();
}

// -- pump ---------------------------------------------------------------------

void webhook_worker::pump(bool its_turn) {
  if (hook_) {
    now_ = context_->clock->now();
    if (context_->fences != nullptr
        && context_->fences->load(std::memory_order_relaxed) != fences_)
      adopt(hook_);
    throttle_.look_again(plan_.paused);
    if (throttle_.pace().stalled() && context_->outage != nullptr
        && context_->outage->ended() != outages_)
      throttle_.pace().end_stall();
    log_endings();
    feed_replay();
    start_attempts(its_turn);
    read_missing();
    notify_owner(notices_.given_up(now_));
    arm_timer();
  }
  if (its_turn)
    throttle_.pass_turn(*context_->gate);
  publish_slot();
}

bool webhook_worker::may_start() const {
  return !draining() && throttle_.waits_for_nothing() && !disabling_
      && !plan_.paused && enabled_;
}

void webhook_worker::start_attempts(bool& its_turn) {
  if (!start_tests(its_turn))
    return;
  while (may_start()) {
    const auto ready = queue_.next(plan_.ordered, context_->max_ahead);
    if (plan_.ordered)
      throttle_.hold(ready.held_by_failed ? hold_reason::order
                                          : hold_reason::none);
    if (!ready || hold_if_congested())
      return;
    auto from = queue_.choose(ready);
    auto came_to = plan_.batch ? start_batch(from, its_turn)
                               : start_one(from, its_turn);
    if (came_to == step::stopped && ready.retries
        && throttle_.held_by() == hold_reason::batch) {
      // While the batch of first attempts fills up, retries need not wait.
      from = queue_.choose({.retries = true});
      came_to = start_batch(from, its_turn);
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
  if (enabled_)
    if (const auto range = queue_.refill(context_->window, now_))
      context_->reader->read_backlog(handle(), queue_.hook(), range->after,
                                     range->upto, range->limit);
  if (disabling_ || plan_.paused)
    return;
  const auto most = std::max<std::size_t>(
    context_->max_fetch, plan_.batch ? plan_.batch->max_count : 0);
  if (auto which = queue_.fetch(plan_.ordered, most, now_); !which.empty())
    context_->reader->fetch(handle(), std::move(which));
}

void webhook_worker::arm_timer() {
  // By the same time as what was held back before: a moment that has passed
  // since must not be taken for one that was used.
  std::optional<timestamp> next;
  const auto wake_at = [&next, now = now_](timestamp at) {
    if (at > now)
      next = next ? std::min(*next, at) : at;
  };
  if (const auto& retries = queue_.retries();
      !retries.empty() && !plan_.paused) {
    wake_at(retries.earliest().due);
    // With `ordered`, what holds the others may be due later than they are.
    if (const auto* failed = retries.earliest_failed();
        failed != nullptr && plan_.ordered)
      wake_at(failed->due);
  }
  wake_at(queue_.reads_from());
  if (throttle_.held_until())
    wake_at(*throttle_.held_until());
  if (notices_.pending())
    wake_at(notices_.next_due());
  wake_at(throttle_.pace().busy_until());
  if (draining() || !next || next == alarm_.at)
    return;
  if (!alarm_.timer)
    alarm_.timer = context_->make_timer(handle());
  alarm_.at = next;
  alarm_.timer->set(*next);
}

void webhook_worker::publish_slot() {
  // What its pace, or a notice to come, must not forget.
  const bool remembers = notices_.pending()
                      || throttle_.pace().busy_until() > now_;
  queue_.publish(orders_.size() + (remembers ? 1 : 0));
}

// -- start --------------------------------------------------------------------

webhook_worker::step webhook_worker::start_one(source from, bool its_turn) {
  const auto& what = queue_.peek(from);
  const auto next = queue_.attempt_of(from);
  if (is_too_old(next, what.published, plan_, now_)) {
    log_too_old(*queue_.pop(from), next);
    return step::skipped;
  }
  // Asked for twice: the one in flight will do.
  if (from == source::retries && queue_.is_in_flight(next.subject)) {
    queue_.pop(from);
    return step::skipped;
  }
  admission::permit permit;
  if (!throttle_.allow(*context_->gate, permit, plan_, what.published, now_,
                       its_turn))
    return step::stopped;
  send_one(std::move(permit), queue_.pop(from), next);
  return step::started;
}

webhook_worker::step webhook_worker::start_batch(source from, bool its_turn) {
  const auto chosen = choose_batch(queue_, from, plan_, now_);
  if (chosen.count == 0) {
    const auto first = queue_.attempt_of(from);
    const auto what = queue_.pop(from);
    if (chosen.too_old)
      log_too_old(*what, first);
    return step::skipped;
  }
  if (chosen.wait_until) {
    throttle_.hold(hold_reason::batch, chosen.wait_until);
    return step::stopped;
  }
  admission::permit permit;
  if (!throttle_.allow(*context_->gate, permit, plan_,
                       queue_.peek(from).published, now_, its_turn))
    return step::stopped;
  send_batch(std::move(permit), from, chosen.count);
  return step::started;
}

bool webhook_worker::start_tests(bool& its_turn) {
  if (!orders_.has_tests())
    return true;
  if (draining())
    orders_.cancel_waiting_tests(); // the answer is that the engine stops
  while (auto test = orders_.waiting_test()) {
    admission::permit permit;
    if (!throttle_.waits_for_nothing() || throttle_.requests() >= plan_.pace.cap
        || hold_if_congested()
        || !throttle_.admit(*context_->gate, permit, plan_, its_turn))
      return false;
    its_turn = false;
    orders_.begin_test();
    const attempt once{.subject = test->id, .test = true};
    send_one(std::move(permit), std::move(test), once);
  }
  return true;
}

// -- send ---------------------------------------------------------------------

void webhook_worker::send_one(admission::permit permit, notification_ptr what,
                              attempt a) {
  a.thin = plan_.thin;
  queue_.begin(a);
  if (plan_.thin) {
    auto thin = std::make_shared<notification>(*what);
    thin->body = protocol::thin_body(what->body);
    what = std::move(thin);
  }
  char id[24] = "msg_";
  const auto* end = std::to_chars(id + 4, std::end(id), what->id).ptr;
  auto request = std::make_shared<delivery_order>();
  request->what = std::move(what);
  request->attempt = a.number;
  request->permit = std::move(permit);
  send_request(std::move(request), {id, static_cast<std::size_t>(end - id)});
}

void webhook_worker::send_batch(admission::permit permit, source from,
                                std::size_t count) {
  auto request = std::make_shared<delivery_order>();
  auto& members = request->members;
  members.reserve(count);
  for (; count > 0; --count) {
    auto a = queue_.attempt_of(from);
    a.thin = plan_.thin;
    queue_.begin(a);
    request->attempt = std::max(request->attempt, a.number);
    members.push_back(queue_.pop(from));
  }
  request->what = combine(members, plan_.thin);
  request->permit = std::move(permit);
  const auto id = protocol::batch_id(members);
  send_request(std::move(request), id);
}

void webhook_worker::send_request(std::shared_ptr<delivery_order> request,
                                  std::string_view id) {
  throttle_.started(now_, plan_.resumes(request->what->published));
  context_->in_flight->fetch_add(1);
  if (!plan_.to) {
    attempt_result failed{.what = std::move(request->what),
                          .members = std::move(request->members),
                          .to = nullptr,
                          .attempt = request->attempt,
                          .started = now_,
                          .exchange = {}};
    failed.exchange.reason = plan_.error;
    this->send(handle(), atom::finished_v, std::move(failed));
    return;
  }
  request->wire = context_->wire;
  request->to = plan_.to;
  request->by = plan_.by;
  request->limits = plan_.limits;
  request->started = now_;
  request->headers = plan_.headers(id, request->what->body,
                                   request->what->trace, now_);
  this->spawn<delivery>(std::move(request), handle());
}

// -- finished -----------------------------------------------------------------

void webhook_worker::on_finished(attempt_result& r) {
  throttle_.ended();
  if (!is_success(r.exchange.status) || r.exchange.repeated)
    now_ = context_->clock->now();
  if (r.exchange.repeated)
    throttle_.pace().repeated(now_);
  if (r.members.empty()) {
    const auto a = end_attempt(*r.what, r);
    const bool busy = !a.test && learn(r);
    auto entry = describe(r, *hook_);
    if (a.test)
      entry.shows = evidence::none;
    else if (busy)
      entry.shows = evidence::busy;
    const auto disabling = reason_to_disable(r, a, known_now());
    log_attempt(*r.what, a, std::move(entry), disabling, true);
  } else {
    const bool busy = learn(r);
    auto entry = describe(r, *hook_);
    if (busy)
      entry.shows = evidence::busy;
    finish_batch(r, entry);
  }
  random_.discard(1);
  pump();
  // By the time the engine's count is zero, the call is logged and the slot up
  // to date.
  context_->in_flight->fetch_sub(1);
}

void webhook_worker::finish_batch(const attempt_result& r, const call& entry) {
  // All are judged by what was known before any of them is logged.
  std::vector<std::pair<attempt, std::string_view>> all;
  all.reserve(r.members.size());
  std::size_t last_disabling = 0;
  for (const auto& member : r.members) {
    const auto a = end_attempt(*member, r);
    const auto disabling = reason_to_disable(r, a, known_now());
    if (!disabling.empty())
      last_disabling = all.size();
    all.emplace_back(a, disabling);
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    log_attempt(*r.members[i], all[i].first, call{entry}, all[i].second,
                i == last_disabling);
}

attempt webhook_worker::end_attempt(const notification& what,
                                    const attempt_result& r) {
  return queue_.end(what.id).value_or(
    attempt{.subject = what.id, .number = r.attempt});
}

bool webhook_worker::learn(const attempt_result& r) {
  // What another receiver, or the one before an edit, has answered says nothing
  // about this one.
  if (r.to ? !plan_.calls(*r.to) : plan_.to != nullptr)
    return false;
  const auto& e = r.exchange;
  if (e.status != 0) {
    throttle_.pace().end_stall();
    if (context_->outage != nullptr)
      context_->outage->note_reached(r.started);
  }
  pace::ending how{.status = e.status,
                   .started = r.started,
                   .took = e.timings.total,
                   .retry_after = {}};
  if (is_success(e.status)) {
    if (throttle_.pace().succeeded(how))
      notify_owner(notices_.recovered(queue_.progress().failing_since,
                                      context_->clock->now()));
  } else if (e.status == 0 && e.whose == protocol::fault::here) {
    throttle_.pace().stall(now_);
    if (context_->outage != nullptr) {
      outages_ = context_->outage->ended();
      context_->outage->note_fault(e.reason);
    }
    return false;
  } else if (!is_own_fault(r)) {
    if (!e.retry_after.empty())
      how.retry_after = protocol::read_retry_after(e.retry_after, now_);
    throttle_.pace().failed(now_, how);
  }
  if (e.certificate_expires)
    notify_owner(notices_.certificate_seen(*e.certificate_expires,
                                           context_->clock->now()));
  return throttle_.pace().hold_of(now_, how).has_value();
}

circumstances webhook_worker::known_now() const {
  return {.hook = *hook_,
          .plan = plan_,
          .progress = queue_.progress(),
          .now = now_,
          .held_until = throttle_.pace().quiet_until(),
          .disable_after = context_->disable_after,
          .disabling = disabling_,
          .draining = draining(),
          .spread = random_};
}

// -- log ----------------------------------------------------------------------

void webhook_worker::log_attempt(const notification& what, const attempt& a,
                                 call&& entry, std::string_view disabling,
                                 bool last) {
  entry.settled_upto = queue_.floor();
  orders_.note_attempt(a);
  settle(entry, a, what.published, disabling, known_now());
  if (entry.result == outcome::gone && last)
    return log_and_disable(std::move(entry), disabling);
  if (entry.result == outcome::given_up && !a.test
      && !what.action.starts_with(own_actions))
    notices_.note_given_up(what.id);
  queue_.apply(entry);
  append(*context_->commits, std::move(entry),
         a.test ? orders_.end_test(what.id) : reply<call>{});
}

void webhook_worker::log_too_old(const notification& what, const attempt& a) {
  if (!what.action.starts_with(own_actions))
    notices_.note_given_up(what.id);
  log_unsent(a, too_old(plan_));
}

void webhook_worker::log_unsent(const attempt& a, std::string reason) {
  orders_.note_attempt(a);
  auto entry = unsent(a, *hook_, queue_.floor(), context_->clock->now(),
                      std::move(reason));
  queue_.apply(entry);
  append(*context_->commits, std::move(entry));
}

void webhook_worker::log_and_disable(call&& last, std::string_view why) {
  disabling_ = true;
  queue_.apply(last);
  commit_queue::completion disabled;
  if (context_->notify_owner)
    disabled = [context = context_, notice = owner_notices::disabled(why)](
                 storage::operation& op, const error* failure) {
      const auto& changed = std::get<storage::change_webhook>(op).done;
      if (failure == nullptr && changed && !changed->current().enabled)
        context->notify_owner(*changed, notice.action, notice.members);
    };
  append_and_disable(*context_->commits, std::move(last), hook_->target_url,
                     context_->clock->now(), std::move(disabled));
}

void webhook_worker::notify_owner(
  const std::optional<owner_notice>& notice) const {
  if (notice && context_->notify_owner)
    context_->notify_owner(*hook_, notice->action, notice->members);
}

// -- orders -------------------------------------------------------------------

void webhook_worker::on_order(const webhook_order_ptr& what) {
  if (!hook_)
    return orders_.keep(what);
  if (draining())
    return; // the answer says so
  std::visit(
    [this](const auto& order) {
      using kind = std::remove_cvref_t<decltype(order)>;
      if constexpr (std::is_same_v<kind, inspect_order>)
        return order.done(inspect());
      else
        orders_.carry_out(order, site());
      // Who wants it sent now does not want it held.
      if constexpr (std::is_same_v<
                      kind,
                      expedite_order> || std::is_same_v<kind, resend_order>)
        throttle_.pace().lift_hold();
    },
    *what);
  pump();
}

order_book::site webhook_worker::site() {
  return {.queue = queue_,
          .commits = *context_->commits,
          .now = context_->clock->now(),
          .enabled = enabled_,
          .disabling = disabling_};
}

void webhook_worker::log_endings() {
  while (!throttle_.waits_for_disk()) {
    auto* next = orders_.next_ending();
    if (next == nullptr)
      return;
    while (!next->entries.empty()) {
      if (hold_if_congested())
        return;
      log_unsent(attempt::of(next->entries.back()),
                 std::string{sentence(next->why)});
      next->entries.pop_back();
    }
    orders_.end(*context_->commits);
  }
}

void webhook_worker::feed_replay() {
  auto* running = orders_.replay();
  if (running == nullptr || draining() || disabling_
      || throttle_.waits_for_disk())
    return;
  if (running->has_selection())
    orders_.feed(site(),
                 [self = handle()] { caf::anon_send(self, atom::stored_v); });
  else if (now_ >= queue_.reads_from() && running->ask_selection())
    context_->reader->select(handle(), queue_.hook(), running->progress());
}

delivery_state webhook_worker::inspect() const {
  const auto& progress = queue_.progress();
  delivery_state state;
  throttle_.describe(state, context_->clock->now());
  state.failures = progress.failures;
  if (progress.failures != 0)
    state.failing_since = progress.failing_since;
  state.certificate_expires = notices_.certificate_expires();
  return state;
}

} // namespace fanfare
