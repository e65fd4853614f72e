// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook.hpp"

#include "model/subscription.hpp"
#include "protocol/target.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace fanfare {

namespace {

/// Before a read that failed is tried again.
constexpr std::chrono::milliseconds read_pause{1'000};

std::string in_words(std::chrono::milliseconds d) {
  using namespace std::chrono;
  if (d % hours{1} == d.zero() && d.count() != 0)
    return std::to_string(duration_cast<hours>(d).count()) + " h";
  if (d % seconds{1} == d.zero())
    return std::to_string(duration_cast<seconds>(d).count()) + " s";
  return std::to_string(d.count()) + " ms";
}

void add_reason(std::string& reason, std::string_view more) {
  if (!reason.empty())
    reason += "; ";
  reason += more;
}

} // namespace

webhook_worker::webhook_worker(caf::actor_config& cfg,
                               std::shared_ptr<const webhook_context> context,
                               std::shared_ptr<webhook_slot> slot,
                               position read_upto)
  : lane_actor(cfg),
    context_(std::move(context)),
    slot_(std::move(slot)),
    read_upto_(read_upto),
    random_(
      static_cast<std::minstd_rand::result_type>(context_->seed + slot_->id)) {}

webhook_worker::behavior_type webhook_worker::make_behavior() {
  set_read_upto(read_upto_);
  slot_->settled_upto.store(read_upto_, std::memory_order_release);
  context_->commits->push(
    {.what = storage::load_webhook{.id = slot_->id},
     .done =
       [self = handle()](storage::operation& op, const error* failure) {
         auto state = std::make_shared<result<storage::load_webhook::state>>(
           error{});
         if (failure != nullptr)
           *state = *failure;
         else
           *state = std::move(std::get<storage::load_webhook>(op).done);
         caf::anon_send(self, atom::loaded_v,
                        webhook_state_ptr{std::move(state)});
       },
     .lasting = true});
  return {
    [this](atom::notify, notification_ptr& n, position skipped_before) {
      on_notify(n, skipped_before);
    },
    [this](atom::nudge) { pump(); },
    [this](atom::changed, webhook_ptr& hook) { on_changed(std::move(hook)); },
    [this](atom::retire) { this->quit(); },
    [this](atom::order, const webhook_order_ptr& what) { on_order(what); },
    [this](atom::drain) {
      draining_ = true;
      tests_.clear();
    },
    [this](atom::loaded, const webhook_state_ptr& state) { on_loaded(*state); },
    [this](atom::writable) {
      held_ = false;
      pump();
    },
    [this](atom::refilled, const backlog_chunk_ptr& chunk) {
      on_refilled(chunk->read);
    },
    [this](atom::fetched, const fetched_retries_ptr& read) {
      on_fetched(read->notifications);
    },
    [this](atom::selected, const selection_ptr& read) { on_selected(*read); },
    [this](atom::stored) { on_stored(); },
    [this](atom::finished, attempt_result& r) { on_finished(r); },
    [this](atom::turn) {
      parked_ = false;
      pump(true);
    },
    [this](atom::wake) {
      timer_at_.reset();
      pump();
    },
  };
}

void webhook_worker::on_exit() {
  if (timer_)
    timer_->cancel();
  timer_.reset();
  window_.clear();
  due_.clear();
  // Attempts still under way have nobody to report to.
  context_->in_flight->fetch_sub(under_way_.size());
  under_way_.clear();
  // Whoever waits for an answer gets the one that the actor has ended.
  tests_.clear();
  endings_.clear();
  early_orders_.clear();
  replay_.reset();
}

// -- input
// ---------------------------------------------------------------------

void webhook_worker::on_notify(notification_ptr& n, position skipped_before) {
  const auto at = n->id;
  if (at <= read_upto_ || (hook_ && progress_.settled(at))) {
    // Read from the journal already, or called before a restart.
    return_credit();
    if (at > read_upto_ && skipped_before <= read_upto_)
      set_read_upto(at);
  } else if (skipped_before > read_upto_) {
    // There is a gap before it: it will be read from the journal, in order.
    ignored_upto_ = at;
    return_credit();
  } else {
    window_.push_back({std::move(n), true});
    set_read_upto(at);
  }
  pump();
}

void webhook_worker::on_loaded(
  const result<storage::load_webhook::state>& state) {
  if (!state) {
    this->quit(caf::make_error(caf::sec::runtime_error, state.error().detail));
    return;
  }
  adopt(std::make_shared<const webhook>(state->hook));
  progress_ = state->upto;
  progress_.advance(slot_->settled_upto.load());
  retries_.assign(state->retries);
  if (!hook_->current().enabled)
    forget_upto(hook_->versions.back().from - 1);
  if (state->running) {
    std::size_t not_attempted = 0;
    timestamp last_due;
    for (const auto& r : state->retries)
      if (r.replay && r.attempt == 1) {
        ++not_attempted;
        last_due = std::max(last_due, r.due);
      }
    replay_.emplace(*state->running, not_attempted, last_due);
  }
  for (const auto& order : std::exchange(early_orders_, {}))
    on_order(order);
  pump();
}

void webhook_worker::on_refilled(const result<storage::backlog>& read) {
  refilling_ = false;
  if (!read) {
    read_failed();
    return;
  }
  for (const auto& n : read->matches)
    if (n->id > read_upto_ && !progress_.settled(n->id))
      window_.push_back({n, false});
  set_read_upto(std::max(read_upto_, read->read_upto));
  pump();
}

void webhook_worker::on_fetched(
  const result<std::vector<notification_ptr>>& read) {
  fetch_running_ = false;
  auto asked = std::exchange(fetching_, {});
  if (asked.empty()) // ended by a disabling meanwhile
    return pump();
  if (!read) {
    for (const auto& r : asked)
      if (r.subject != 0)
        retries_.put(r);
    return read_failed();
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (asked[i].subject == 0)
      continue;
    if (const auto& what = (*read)[i])
      due_.push_back(
        {.what = what, .attempt = asked[i].attempt, .replay = asked[i].replay});
    else
      give_up_unsent(asked[i],
                     "given up: the notification is older than the retention");
  }
  pump();
}

void webhook_worker::read_failed() {
  read_again_at_ = context_->clock->now() + read_pause;
  publish_slot();
  arm_timer();
}

void webhook_worker::on_changed(webhook_ptr hook) {
  // Before it is loaded: what will be loaded is at least as new. After a
  // restart the router goes through edits again that were loaded already, and
  // what came after them is in force.
  if (!hook_ || hook->versions.back().from < hook_->versions.back().from)
    return;
  const bool toggled = hook_->current().enabled != hook->current().enabled;
  const bool redirected = hook_->target_url != hook->target_url;
  adopt(std::move(hook));
  if (toggled || !hook_->current().enabled)
    forget_upto(hook_->versions.back().from - 1);
  else if (redirected) // the target that answered 410 is not the webhook's any
                       // more
    gone_ = false;
  pump();
}

void webhook_worker::forget_upto(position tail) {
  progress_.disable(tail, retries_);
  std::erase_if(window_, [this, tail](const waiting& w) {
    if (w.what->id > tail)
      return false;
    if (w.credited)
      return_credit();
    return true;
  });
  due_.clear();
  fetching_.clear();
  replay_.reset();
  gone_ = false;
  for (auto& u : under_way_)
    if (u.subject <= tail)
      u.last_because = "given up: the webhook was disabled meanwhile";
  // What was to be logged one by one has ended with all the others.
  for (auto& e : std::exchange(endings_, {}))
    e.done();
  set_read_upto(std::max(read_upto_, tail));
  // Attempts that failed before this was heard of may have added retries to the
  // store, in a commit after the one that ended them.
  if (!hook_->current().enabled)
    context_->commits->push(
      {.what = storage::drop_retries{slot_->id}, .done = {}, .lasting = true});
}

void webhook_worker::on_finished(attempt_result& r) {
  const auto subject = r.what->id;
  under_way u{.subject = subject,
              .attempt = r.attempt,
              .replay = false,
              .first = false,
              .test = {}};
  if (auto i = std::ranges::find(under_way_, subject, &under_way::subject);
      i != under_way_.end()) {
    u = std::move(*i);
    under_way_.erase(i);
  }
  call entry{.hook = slot_->id,
             .subject = subject,
             .settled_upto = floor(),
             .time = r.started,
             .attempt = r.attempt,
             .replay = u.replay,
             .status = r.exchange.status,
             .timings = r.exchange.timings,
             .target_url = r.to ? r.to->masked_url()
                                : protocol::mask_url(hook_->target_url),
             .reason = std::move(r.exchange.reason),
             .response_head = std::move(r.exchange.response_head),
             .response_body = std::move(r.exchange.response_body)};
  const auto status = entry.status;
  const bool success = status >= 200 && status <= 299;
  if (status != 0 && !success)
    entry.reason = "answered " + std::to_string(status)
                 + (status >= 300 && status <= 399
                      ? ", redirects are not followed"
                      : "")
                 + (entry.reason.empty() ? "" : "; " + entry.reason);
  if (success) {
    entry.result = outcome::delivered;
  } else if (status == 410 && r.to == target_ && !u.test
             && hook_->current().enabled && u.last_because.empty()) {
    entry.result = outcome::gone;
    add_reason(entry.reason,
               "gone: the webhook is disabled and its retries end");
    entry.retry_due = context_->clock->now();
    gone_ = true;
  } else {
    decide_failed(entry, u, r.what->published);
  }
  if (replay_ && u.replay && u.attempt == 1)
    replay_->attempted();
  log_call(std::move(entry), std::move(u.test));
  // It may have waited for a further place only.
  if (under_way_.empty())
    parked_ = false;
  pump();
  // Whoever waits for it to become zero finds the call logged and the slot up
  // to date.
  context_->in_flight->fetch_sub(1);
}

void webhook_worker::decide_failed(call& entry, const under_way& u,
                                   timestamp published) {
  const auto give_up = [&entry](std::string_view why) {
    entry.retry_due = {};
    entry.result = outcome::given_up;
    add_reason(entry.reason, why);
  };
  if (u.test)
    return give_up("given up: a test is not tried again");
  if (!u.last_because.empty())
    return give_up(u.last_because);
  if (!hook_->current().enabled)
    return give_up("given up: the webhook was disabled meanwhile");
  entry.result = outcome::retried;
  entry.retry_due = context_->clock->now();
  if (draining_ && entry.reason.starts_with("cancelled: "))
    // Cut short by this engine's stop, which must not end what is left of the
    // schedule: made again at the next start.
    return;
  const auto delay = backoff_.delay_after(u.attempt);
  if (!delay)
    return give_up("given up after " + std::to_string(u.attempt)
                   + (u.attempt == 1 ? " attempt" : " attempts"));
  entry.retry_due += backoff_policy::jittered(*delay, random_);
  if (u.replay ? backoff_.span_after(u.attempt) > backoff_.max_age
               : entry.retry_due > published + backoff_.max_age)
    give_up("given up: the next attempt would be more than "
            + in_words(backoff_.max_age)
            + (u.replay ? " after the first" : " after publish"));
}

// -- output
// ----------------------------------------------------------------------

bool webhook_worker::may_start() const {
  return hook_ && !draining_ && !parked_ && !held_ && !gone_
      && hook_->current().enabled && under_way_.size() < max_in_flight_;
}

bool webhook_worker::may_run_ahead() const {
  // The oldest unsettled one does not: it may always start, also if the limit
  // was reached before a restart.
  return progress_.ahead.size() < context_->max_ahead
      || std::ranges::none_of(under_way_, &under_way::first);
}

bool webhook_worker::is_under_way(position subject) const {
  return std::ranges::find(under_way_, subject, &under_way::subject)
      != under_way_.end();
}

bool webhook_worker::hold_if_congested() {
  if (!context_->commits->congested())
    return false;
  held_ = true;
  context_->commits->notify_when_writable(handle());
  return true;
}

void webhook_worker::pump(bool its_turn) {
  if (hook_) {
    end_endings();
    feed_replay();
    const bool tested = start_tests(its_turn);
    while (tested && may_start()) {
      while (!window_.empty() && progress_.settled(window_.front().what->id))
        leave_window();
      const bool first = !window_.empty() && may_run_ahead();
      const bool again = !due_.empty();
      if ((!first && !again) || hold_if_congested())
        break;
      retry_turn_ = again && (retry_turn_ || !first);
      const auto next = retry_turn_
                        ? due_.front()
                        : sending{.what = window_.front().what, .first = true};
      const auto too_old = !next.replay
                        && context_->clock->now()
                             > next.what->published + backoff_.max_age;
      // Asked for twice: the one under way will do.
      const bool twice = retry_turn_ && is_under_way(next.what->id);
      if (!too_old && !twice) {
        if (!start(next, its_turn))
          break;
        its_turn = false;
      }
      if (retry_turn_)
        due_.pop_front();
      else
        leave_window();
      if (too_old)
        give_up_unsent({.subject = next.what->id,
                        .due = {},
                        .attempt = next.attempt,
                        .replay = next.replay},
                       "given up: more than " + in_words(backoff_.max_age)
                         + " since publish");
      retry_turn_ = !retry_turn_;
    }
    refill();
    fetch_due();
    arm_timer();
  }
  if (its_turn)
    context_->gate->pass();
  publish_slot();
}

bool webhook_worker::start_tests(bool& its_turn) {
  while (!tests_.empty() && !parked_ && !held_
         && under_way_.size() < max_in_flight_ && !hold_if_congested()) {
    if (!start(tests_.front(), its_turn))
      return false;
    its_turn = false;
    tests_.pop_front();
  }
  return tests_.empty();
}

bool webhook_worker::start(sending what, bool its_turn) {
  admission::permit permit;
  if (target_) {
    permit = context_->gate->acquire(destination_, ticket_, under_way_.size(),
                                     its_turn);
    if (!permit) {
      parked_ = true;
      return false;
    }
  }
  const auto now = context_->clock->now();
  under_way_.push_back({.subject = what.what->id,
                        .attempt = what.attempt,
                        .replay = what.replay,
                        .first = what.first,
                        .test = std::move(what.test)});
  context_->in_flight->fetch_add(1);
  if (!target_) {
    attempt_result failed{.what = std::move(what.what),
                          .to = nullptr,
                          .attempt = what.attempt,
                          .started = now,
                          .exchange = {}};
    failed.exchange.reason = target_error_;
    this->send(handle(), atom::finished_v, std::move(failed));
    return true;
  }
  auto order = std::make_shared<delivery_order>(
    delivery_order{.wire = context_->wire,
                   .what = std::move(what.what),
                   .to = target_,
                   .limits = limits_,
                   .attempt = what.attempt,
                   .started = now,
                   .permit = std::move(permit)});
  this->spawn<delivery>(std::move(order), handle());
  return true;
}

void webhook_worker::refill() {
  if (refilling_ || draining_ || !hook_->current().enabled || !behind()
      || window_.size() > context_->window / 2
      || (read_again_at_ && context_->clock->now() < *read_again_at_))
    return;
  read_again_at_.reset();
  refilling_ = true;
  context_->reader->read_backlog(handle(), slot_->id, read_upto_, behind_upto(),
                                 context_->window - window_.size());
}

void webhook_worker::fetch_due() {
  if (fetch_running_ || draining_ || gone_ || retries_.empty()
      || due_.size() > context_->max_fetch / 2)
    return;
  const auto now = context_->clock->now();
  if (read_again_at_ && now < *read_again_at_)
    return;
  std::vector<position> which;
  while (!retries_.empty() && retries_.earliest().due <= now
         && which.size() < context_->max_fetch) {
    fetching_.push_back(retries_.pop());
    which.push_back(fetching_.back().subject);
  }
  if (which.empty())
    return;
  fetch_running_ = true;
  context_->reader->fetch(handle(), std::move(which));
}

void webhook_worker::arm_timer() {
  const auto now = context_->clock->now();
  std::optional<timestamp> next;
  if (!retries_.empty() && retries_.earliest().due > now)
    next = retries_.earliest().due;
  if (read_again_at_ && *read_again_at_ > now)
    next = next ? std::min(*next, *read_again_at_) : *read_again_at_;
  if (draining_ || !next || next == timer_at_)
    return;
  if (!timer_)
    timer_ = context_->make_timer(handle());
  timer_at_ = next;
  timer_->set(*next);
}

void webhook_worker::log_call(call&& entry, std::optional<reply<call>> answer) {
  progress_.apply(entry, retries_);
  if (entry.result != outcome::gone) {
    commit_queue::completion on_disk;
    if (answer)
      on_disk = [answer = std::move(*answer)](storage::operation& op,
                                              const error* failure) {
        if (failure != nullptr)
          answer(*failure);
        else
          answer(std::move(std::get<storage::append_call>(op).entry));
      };
    context_->commits->push({.what = storage::append_call{std::move(entry)},
                             .done = std::move(on_disk),
                             .lasting = true});
    return;
  }
  storage::change_webhook disable;
  disable.id = slot_->id;
  disable.now = context_->clock->now();
  // Unless its user pointed it elsewhere meanwhile: then the answer was not the
  // new target's.
  disable.edit = [url = hook_->target_url](webhook& w) -> result<void> {
    if (w.target_url == url)
      w.current().enabled = false;
    return {};
  };
  context_->commits->push(
    {.what = storage::append_call{std::move(entry)},
     .done = {},
     .lasting = true},
    {.what = std::move(disable), .done = {}, .lasting = true});
}

void webhook_worker::give_up_unsent(const retry& what, std::string reason) {
  if (replay_ && what.replay && what.attempt == 1)
    replay_->attempted();
  log_call(call{.hook = slot_->id,
                .subject = what.subject,
                .settled_upto = floor(),
                .time = context_->clock->now(),
                .result = outcome::given_up,
                .attempt = what.attempt,
                .replay = what.replay,
                .target_url = protocol::mask_url(hook_->target_url),
                .reason = std::move(reason)});
}

// -- orders
// ------------------------------------------------------------------------

void webhook_worker::on_order(const webhook_order_ptr& what) {
  if (!hook_) {
    early_orders_.push_back(what);
    return;
  }
  if (draining_)
    return; // the answer says so
  std::visit([this](const auto& order) { carry_out(order); }, *what);
  pump();
}

void webhook_worker::carry_out(const expedite_order& what) {
  const auto now = context_->clock->now();
  std::vector<retry> moved;
  retries_.update([now, &moved](retry& r) {
    // What a replay hands over has its place in the replay's pace.
    if (r.due <= now || (r.replay && r.attempt == 1))
      return;
    r.due = now;
    moved.push_back(r);
  });
  if (moved.empty())
    return what.done(std::size_t{0});
  const auto count = moved.size();
  context_->commits->push(
    {.what = storage::enqueue{.hook = slot_->id,
                              .entries = std::move(moved),
                              .progress = {}},
     .done =
       [done = what.done, count](storage::operation&, const error* failure) {
         if (failure != nullptr)
           done(*failure);
         else
           done(count);
       },
     .lasting = true});
}

template <class Wanted>
std::vector<retry>
webhook_worker::extract_waiting(Wanted wanted, std::string_view reason) {
  auto taken = retries_.extract(wanted);
  std::erase_if(due_, [&](const sending& s) {
    const retry r{.subject = s.what->id,
                  .due = {},
                  .attempt = s.attempt,
                  .replay = s.replay};
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
  for (auto& u : under_way_)
    if (wanted({.subject = u.subject,
                .due = {},
                .attempt = u.attempt,
                .replay = u.replay}))
      u.last_because = reason;
  return taken;
}

void webhook_worker::carry_out(const drop_order& what) {
  static constexpr std::string_view
    reason = "given up: its retries were dropped";
  auto taken = extract_waiting([](const retry& r) { return r.attempt > 1; },
                               reason);
  const auto count = taken.size();
  endings_.push_back({.entries = std::move(taken),
                      .reason = std::string{reason},
                      .done = [done = what.done, count] { done(count); }});
}

void webhook_worker::carry_out(const resend_order& what) {
  if (!hook_->current().enabled || gone_)
    return what.done(
      error{ec::conflict, "The webhook is disabled. Enable it first."});
  if (is_under_way(what.subject))
    return what.done(error{
      ec::conflict, "An attempt of this notification is under way. Look at its "
                    "outcome first."});
  retry wanted{.subject = what.subject,
               .due = context_->clock->now(),
               .attempt = 1,
               .replay = true};
  for (const auto& s : due_)
    if (s.what->id == what.subject) {
      wanted.attempt = s.attempt;
      wanted.replay = s.replay;
      return what.done(wanted);
    }
  for (const auto& r : fetching_)
    if (r.subject == what.subject)
      return what.done(r);
  // One that waits is brought forward.
  if (const auto known = retries_.extract(
        [&what](const retry& r) { return r.subject == what.subject; });
      !known.empty()) {
    wanted.attempt = known.front().attempt;
    wanted.replay = known.front().replay;
  }
  retries_.put(wanted);
  context_->commits->push(
    {.what = storage::enqueue{.hook = slot_->id,
                              .entries = {wanted},
                              .progress = {}},
     .done =
       [done = what.done, wanted](storage::operation&, const error* failure) {
         if (failure != nullptr)
           done(*failure);
         else
           done(wanted);
       },
     .lasting = true});
}

void webhook_worker::carry_out(const test_order& what) {
  tests_.push_back({.what = what.what, .test = what.done});
}

void webhook_worker::carry_out(const replay_order& what) {
  if (!hook_->current().enabled)
    return; // disabled meanwhile, which cancelled it
  if (!replay_)
    replay_.emplace(what.value, 0);
  replay_->choose(what.chosen);
}

void webhook_worker::carry_out(const cancel_order& what) {
  static constexpr std::string_view reason = "given up: its replay was "
                                             "cancelled";
  if (!replay_)
    return what.done(
      error{ec::not_found, "No replay of this webhook is running."});
  replay_->end(replay_state::cancelled, context_->clock->now());
  const auto value = replay_->progress();
  const auto on_their_way = replay_->stored();
  replay_.reset();
  context_->commits->push({.what = storage::enqueue{.hook = slot_->id,
                                                    .entries = {},
                                                    .progress = value},
                           .done = {},
                           .lasting = true});
  auto taken = extract_waiting([](const retry& r) { return r.replay; }, reason);
  taken.insert(taken.end(), on_their_way.begin(), on_their_way.end());
  endings_.push_back({.entries = std::move(taken),
                      .reason = std::string{reason},
                      .done = [done = what.done, value] { done(value); }});
}

void webhook_worker::end_endings() {
  while (!endings_.empty() && !held_) {
    auto& next = endings_.front();
    while (!next.entries.empty()) {
      if (hold_if_congested())
        return;
      give_up_unsent(next.entries.back(), next.reason);
      next.entries.pop_back();
    }
    // An entry without effect, behind all of them.
    context_->commits->push(
      {.what = storage::load_webhook{},
       .done = [done = std::move(next.done)](storage::operation&,
                                             const error*) { done(); },
       .lasting = true});
    endings_.pop_front();
  }
}

// -- replay
// ------------------------------------------------------------------------

void webhook_worker::feed_replay() {
  if (!replay_ || draining_ || gone_ || held_)
    return;
  const auto now = context_->clock->now();
  if (!replay_->has_selection()) {
    if (!selecting_ && !(read_again_at_ && now < *read_again_at_)) {
      selecting_ = true;
      context_->reader->select(handle(), slot_->id, replay_->progress());
    }
    return;
  }
  const auto& entries = replay_->take(now);
  const bool ended = entries.empty() && replay_->exhausted();
  if (entries.empty() && !ended)
    return;
  if (ended)
    replay_->end(replay_state::done, now);
  commit_queue::completion on_disk;
  if (!ended)
    on_disk = [self = handle()](storage::operation&, const error*) {
      caf::anon_send(self, atom::stored_v);
    };
  context_->commits->push(
    {.what = storage::enqueue{.hook = slot_->id,
                              .entries = entries,
                              .progress = replay_->progress()},
     .done = std::move(on_disk),
     .lasting = true});
  if (ended)
    replay_.reset();
}

void webhook_worker::on_selected(const result<storage::selection>& read) {
  selecting_ = false;
  if (!read)
    return read_failed();
  if (replay_ && !replay_->has_selection())
    replay_->choose(std::make_shared<const storage::selection>(*read));
  pump();
}

void webhook_worker::on_stored() {
  if (replay_) // else it was ended meanwhile
    for (const auto& r : replay_->stored())
      retries_.put(r);
  pump();
}

// -- state
// -----------------------------------------------------------------------

void webhook_worker::adopt(webhook_ptr hook) {
  if (!hook_ || hook_->target_url != hook->target_url) {
    auto parsed = protocol::target::parse(hook->target_url);
    target_ = parsed ? *parsed : nullptr;
    target_error_ = parsed ? std::string{}
                           : "target URL: " + parsed.error().detail;
    destination_ = target_ ? context_->gate->find(target_->key().text)
                           : nullptr;
    ticket_ = std::make_shared<admission::ticket>();
    ticket_->who = this->address();
  }
  const auto& own = hook->delivery;
  backoff_ = context_->backoff;
  if (own.schedule)
    backoff_.schedule = *own.schedule;
  if (own.max_age)
    backoff_.max_age = *own.max_age;
  limits_ = context_->limits;
  limits_.dns = own.timeouts.dns.value_or(limits_.dns);
  limits_.connect = own.timeouts.connect.value_or(limits_.connect);
  limits_.tls = own.timeouts.tls.value_or(limits_.tls);
  limits_.first_byte = own.timeouts.first_byte.value_or(limits_.first_byte);
  limits_.total = own.timeouts.total.value_or(limits_.total);
  max_in_flight_ = own.max_in_flight.value_or(
    static_cast<std::uint32_t>(context_->max_in_flight));
  hook_ = std::move(hook);
}

void webhook_worker::leave_window() {
  if (window_.front().credited)
    return_credit();
  window_.pop_front();
}

position webhook_worker::behind_upto() const {
  return std::max(ignored_upto_,
                  slot_->skipped_upto.load(std::memory_order_seq_cst));
}

bool webhook_worker::behind() const {
  return behind_upto() > read_upto_;
}

position webhook_worker::floor() const {
  auto low = read_upto_;
  if (!window_.empty())
    low = std::min(low, window_.front().what->id - 1);
  for (const auto& u : under_way_)
    if (u.first)
      low = std::min(low, u.subject - 1);
  return low;
}

void webhook_worker::set_read_upto(position upto) {
  read_upto_ = upto;
  slot_->read_upto.store(upto, std::memory_order_seq_cst);
}

void webhook_worker::publish_slot() {
  slot_->unfinished.store(
    retries_.size() + due_.size() + fetching_.size() + under_way_.size()
      + tests_.size() + endings_.size() + (replay_ ? 1 : 0) + (hook_ ? 0 : 1),
    std::memory_order_relaxed);
  // Only what is loaded can be settled.
  if (hook_) {
    progress_.advance(floor());
    slot_->settled_upto.store(progress_.cursor, std::memory_order_release);
  }
}

} // namespace fanfare
