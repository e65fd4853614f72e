// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/webhook.hpp"

#include "model/subscription.hpp"
#include "protocol/client/retry_after.hpp"
#include "protocol/payload/composed_body.hpp"
#include "protocol/payload/json_text.hpp"
#include "protocol/target/target.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace fanfare {

namespace {

/// Before a read that failed is tried again.
constexpr std::chrono::milliseconds read_pause{1'000};
/// Owners are told of what was given up, and of a recovery, at most that often:
/// a receiver that fails at each such notice first would be told of itself for
/// ever.
constexpr std::chrono::minutes tell_interval{1};
/// How long before its end a receiver's certificate is worth a warning, and how
/// often.
constexpr std::chrono::days certificate_notice{14};
constexpr std::chrono::days certificate_interval{1};
/// Most bytes of bodies, beyond the first, that one request combines.
constexpr std::size_t batch_bytes = 1024 * 1024;
/// One failure long ago and one now are no "only failures" in between.
constexpr std::uint32_t failures_to_disable = 4;
/// What the engine itself publishes begins with it.
constexpr std::string_view own_actions = "fanfare.";

std::string in_words(std::chrono::milliseconds d) {
  using namespace std::chrono;
  if (d % hours{1} == d.zero() && d.count() != 0)
    return std::to_string(duration_cast<hours>(d).count()) + " h";
  if (d % seconds{1} == d.zero())
    return std::to_string(duration_cast<seconds>(d).count()) + " s";
  return std::to_string(d.count()) + " ms";
}

hold_reason to_hold(pace::reason why) {
  switch (why) {
    case pace::reason::none: break;
    case pace::reason::concurrency: return hold_reason::concurrency;
    case pace::reason::breaker: return hold_reason::breaker;
    case pace::reason::retry_after: return hold_reason::retry_after;
    case pace::reason::rate: return hold_reason::rate;
  }
  return hold_reason::none;
}

bool is_success(std::uint16_t status) {
  return status >= 200 && status <= 299;
}

constexpr std::string_view replay_cancelled = "given up: its replay was "
                                              "cancelled";

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
  // CAF looks for the handler from the first to the last: those of every
  // delivery come first.
  return {
    [this](atom::turn) {
      parked_ = false;
      pump(true);
    },
    [this](atom::finished, attempt_result& r) { on_finished(r); },
    [this](atom::notify, notification_ptr& n, position skipped_before) {
      on_notify(n, skipped_before);
    },
    [this](atom::wake) {
      timer_at_.reset();
      pump();
    },
    [this](atom::nudge) { pump(); },
    [this](atom::writable) {
      held_ = false;
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
    [this](atom::stored) { on_stored(); },
    [this](atom::retire) { this->quit(); },
  };
}

void webhook_worker::on_exit() {
  if (timer_)
    timer_->cancel();
  timer_.reset();
  window_.clear();
  due_.clear();
  // Attempts still under way have nobody to report to.
  context_->in_flight->fetch_sub(requests_);
  requests_ = 0;
  under_way_.clear();
  // Whoever waits for an answer gets the one that the actor has ended.
  tests_.clear();
  endings_.clear();
  early_orders_.clear();
  replay_.reset();
}

// -- input --------------------------------------------------------------------

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
    // What the filter holds back leaves no trace but the cursor. Before it is
    // loaded nothing is known of it: pump() looks again.
    if (hook_ && !wants(*n))
      return_credit();
    else
      window_.push_back({std::move(n), true});
    set_read_upto(at);
  }
  pump();
}

bool webhook_worker::wants(const notification& what) const {
  if (!filtered_)
    return true;
  const auto* sub = version_at(*hook_, what.id);
  return sub == nullptr || passes(*sub, what);
}

void webhook_worker::on_loaded(
  const result<storage::load_webhook::state>& state) {
  if (!state) {
    this->quit(caf::make_error(caf::sec::runtime_error, state.error().detail));
    return;
  }
  adopt(std::make_shared<const webhook_record>(state->hook));
  window_.erase_if([this](const waiting& w) {
    if (wants(*w.what))
      return false;
    if (w.credited)
      return_credit();
    return true;
  });
  progress_ = state->upto;
  progress_.advance(slot_->settled_upto.load());
  pace_.restore(progress_.failures, progress_.last_failure);
  retries_.assign(state->retries);
  if (!hook_->current().enabled)
    forget_upto(hook_->versions.back().from - 1);
  if (state->running) {
    std::size_t not_attempted = 0;
    timestamp last_due;
    for (const auto& r : state->retries)
      if (r.fed && r.attempt == 1) {
        ++not_attempted;
        last_due = std::max(last_due, r.due);
      }
    replay_ = std::make_unique<replay_feed>(*state->running, not_attempted,
                                            last_due);
  } else if (auto left = retries_.extract(
               [](const retry& r) { return r.fed && r.attempt == 1; });
             !left.empty()) {
    // A replay was cancelled, and the engine stopped before it had ended what
    // was handed over.
    endings_.push_back({.entries = std::move(left),
                        .reason = std::string{replay_cancelled},
                        .done = [] {}});
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
      window_.push_back({n, false}); // the store has looked at the filter
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
      due_.push_back({.what = what,
                      .attempt = asked[i].attempt,
                      .replay = asked[i].replay,
                      .fed = asked[i].fed});
    else {
      note_given_up(asked[i].subject);
      give_up_unsent(asked[i],
                     "given up: the notification is older than the retention");
    }
  }
  pump();
}

void webhook_worker::read_failed() {
  now_ = context_->clock->now();
  read_again_at_ = now_ + read_pause;
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
  window_.erase_if([this, tail](const waiting& w) {
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

webhook_worker::under_way webhook_worker::take_under_way(position subject) {
  if (auto i = std::ranges::find(under_way_, subject, &under_way::subject);
      i != under_way_.end()) {
    auto u = std::move(*i);
    under_way_.erase(i);
    return u;
  }
  return {.subject = subject,
          .attempt = 1,
          .replay = false,
          .fed = false,
          .first = false,
          .thin = false,
          .test = {}};
}

void webhook_worker::on_finished(attempt_result& r) {
  if (requests_ > 0)
    --requests_;
  if (!is_success(r.exchange.status))
    now_ = context_->clock->now();
  learn(r);
  call entry{.hook = slot_->id,
             .time = r.started,
             .attempt = r.attempt,
             .status = r.exchange.status,
             .timings = r.exchange.timings,
             .target_url = r.to ? r.to->masked_url()
                                : protocol::mask_url(hook_->target_url),
             .reason = std::move(r.exchange.reason),
             .response_head = std::move(r.exchange.response_head),
             .response_body = std::move(r.exchange.response_body)};
  if (const auto status = entry.status; status != 0 && !is_success(status))
    entry.reason = "answered " + std::to_string(status)
                 + (status >= 300 && status <= 399
                      ? ", redirects are not followed"
                      : "")
                 + (entry.reason.empty() ? "" : "; " + entry.reason);
  if (r.members.empty()) {
    auto u = take_under_way(r.what->id);
    const auto disabled = end_of_patience(r, u);
    settle(*r.what, std::move(u), std::move(entry), disabled, true);
  } else {
    std::vector<std::pair<under_way, std::string_view>> all;
    std::size_t last_disabling = 0;
    for (const auto& member : r.members) {
      auto u = take_under_way(member->id);
      const auto why = end_of_patience(r, u);
      if (!why.empty())
        last_disabling = all.size();
      all.emplace_back(std::move(u), why);
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      entry.attempt = all[i].first.attempt;
      settle(*r.members[i], std::move(all[i].first), call{entry}, all[i].second,
             i == last_disabling);
    }
  }
  // The members of a batch come back together.
  random_.discard(1);
  // It may have waited for a further place only.
  if (requests_ == 0)
    parked_ = false;
  pump();
  // Whoever waits for it to become zero finds the call logged and the slot up
  // to date.
  context_->in_flight->fetch_sub(1);
}

void webhook_worker::learn(const attempt_result& r) {
  // What another receiver, or the one before an edit, has answered says nothing
  // about this one.
  if (r.to ? !is_current(*r.to) : plan_.to != nullptr)
    return;
  const auto& e = r.exchange;
  pace::ending how{.status = e.status,
                   .started = r.started,
                   .took = e.timings.total,
                   .retry_after = {}};
  if (is_success(e.status)) {
    if (pace_.succeeded(how))
      tell_recovered();
  } else if (!e.reason.starts_with("cancelled: ")) {
    const auto now = now_;
    if (!e.retry_after.empty())
      how.retry_after = protocol::read_retry_after(e.retry_after, now);
    pace_.failed(now, how);
  }
  if (!e.certificate_expires)
    return;
  const auto now = context_->clock->now();
  certificate_expires_ = e.certificate_expires;
  if (*e.certificate_expires - now > certificate_notice
      || now - certificate_told_ < certificate_interval)
    return;
  certificate_told_ = now;
  tell("fanfare.webhook.certificate_expiring",
       R"(, "expires": )" + protocol::json_time(*e.certificate_expires));
}

std::string_view webhook_worker::end_of_patience(const attempt_result& r,
                                                 const under_way& u) const {
  if (is_success(r.exchange.status) || u.test || !u.last_because.empty()
      || gone_ || !hook_->current().enabled || !r.to || !is_current(*r.to))
    return {};
  if (r.exchange.status == 410)
    return "gone: the webhook is disabled and its retries end";
  if (context_->disable_after.count() == 0
      || progress_.failures < failures_to_disable
      || r.started - std::max(progress_.failing_since, plan_.resumed)
           < context_->disable_after)
    return {};
  return "the webhook is disabled and its retries end: it has only failed for "
         "days";
}

void webhook_worker::settle(const notification& what, under_way&& u,
                            call&& entry, std::string_view disabled_because,
                            bool last) {
  entry.subject = what.id;
  entry.settled_upto = floor();
  entry.replay = u.replay;
  entry.fed = u.fed;
  entry.thin = u.thin;
  if (replay_ && u.fed && u.attempt == 1)
    replay_->attempted();
  if (is_success(entry.status)) {
    entry.result = outcome::delivered;
  } else if (!disabled_because.empty()) {
    entry.result = outcome::gone;
    add_reason(entry.reason, disabled_because);
    entry.retry_due = now_;
    if (last)
      return disable_with(std::move(entry), disabled_because);
  } else {
    decide_failed(entry, u, what.published, random_);
    if (entry.result == outcome::given_up && !u.test
        && !what.action.starts_with(own_actions))
      note_given_up(what.id);
  }
  log_call(std::move(entry), std::move(u.test));
}

bool webhook_worker::is_current(const protocol::target& to) const {
  return plan_.to
      && (plan_.to.get() == &to
          || (to.head() == plan_.to->head() && to.key() == plan_.to->key()));
}

void webhook_worker::decide_failed(call& entry, const under_way& u,
                                   timestamp published,
                                   std::minstd_rand spread) {
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
  entry.retry_due = now_; // one time for all members of a batch
  if (draining() && entry.reason.starts_with("cancelled: "))
    // Cut short by this engine's stop, which must not end what is left of the
    // schedule: made again at the next start.
    return;
  const auto& backoff = plan_.backoff;
  const auto delay = backoff.delay_after(u.attempt);
  if (!delay)
    return give_up("given up after " + std::to_string(u.attempt)
                   + (u.attempt == 1 ? " attempt" : " attempts"));
  entry.retry_due = std::max(entry.retry_due
                               + backoff_policy::jittered(*delay, spread),
                             pace_.held_until());
  if (u.replay ? backoff.span_after(u.attempt) > backoff.max_age
               : entry.retry_due
                   > std::max(published, plan_.resumed) + backoff.max_age)
    give_up("given up: the next attempt would be more than "
            + in_words(backoff.max_age)
            + (u.replay ? " after the first" : " after publish"));
}

// -- output -------------------------------------------------------------------

bool webhook_worker::may_start() const {
  return hook_ && !draining() && !parked_ && !held_ && !gone_ && !plan_.paused
      && enabled_;
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
    now_ = context_->clock->now();
    if (context_->fences != nullptr
        && context_->fences->load(std::memory_order_relaxed) != fences_)
      adopt(hook_);
    held_by_ = plan_.paused ? hold_reason::pause : hold_reason::none;
    held_until_.reset();
    if (draining())
      tests_.clear(); // who asked for them hears that the engine stops
    end_endings();
    feed_replay();
    const bool tested = start_tests(its_turn);
    while (tested && may_start()) {
      while (!window_.empty() && progress_.settled(window_.front().what->id))
        leave_window();
      bool first = !window_.empty() && may_run_ahead();
      bool again = !due_.empty();
      if (plan_.ordered && (first || again)) {
        bool one_failed = false;
        again = order_due(one_failed);
        first = first && !one_failed;
        held_by_ = one_failed ? hold_reason::order : hold_reason::none;
      }
      if ((!first && !again) || hold_if_congested())
        break;
      retry_turn_ = again && (retry_turn_ || !first);
      auto came_to = plan_.batch ? start_batch(retry_turn_, its_turn)
                                 : start_next(retry_turn_, its_turn);
      if (came_to == step::stopped && held_by_ == hold_reason::batch && again) {
        // While the batch of first attempts fills up, retries need not wait.
        retry_turn_ = true;
        came_to = start_batch(true, its_turn);
      }
      if (came_to == step::stopped)
        break;
      if (came_to == step::started)
        its_turn = false;
      retry_turn_ = !retry_turn_;
    }
    refill();
    fetch_due();
    tell_given_up();
    arm_timer();
  }
  if (its_turn)
    context_->gate->pass(ticket_);
  publish_slot();
}

bool webhook_worker::order_due(bool& one_failed) {
  // One that failed holds all others; what is sent again by a replay, and was
  // not attempted, does not.
  const auto failed = [](const auto& r) { return r.attempt > 1; };
  const auto first = std::ranges::min_element(due_, {}, [](const sending& s) {
    return std::pair{s.attempt == 1, s.what->id};
  });
  if (first != due_.end()) {
    std::rotate(due_.begin(), first, first + 1);
    one_failed = failed(due_.front());
    if (one_failed)
      return true;
  }
  if (retries_.earliest_failed() != nullptr
      || std::ranges::any_of(fetching_, [&failed](const retry& r) {
           return r.subject != 0 && failed(r);
         })) {
    one_failed = true;
    return false;
  }
  return first != due_.end();
}

bool webhook_worker::too_old(const sending& next, timestamp now) const {
  return !next.replay
      && now > std::max(next.what->published, plan_.resumed)
                 + plan_.backoff.max_age;
}

void webhook_worker::give_up_old(const sending& what) {
  if (!what.what->action.starts_with(own_actions))
    note_given_up(what.what->id);
  give_up_unsent({.subject = what.what->id,
                  .due = {},
                  .attempt = what.attempt,
                  .replay = what.replay,
                  .fed = what.fed},
                 "given up: more than " + in_words(plan_.backoff.max_age)
                   + " since publish");
}

bool webhook_worker::allowed(timestamp now, bool resumed) {
  const auto verdict = pace_.ask(now, requests_, resumed);
  if (verdict)
    return true;
  held_by_ = to_hold(verdict.why);
  if (verdict.why != pace::reason::concurrency)
    held_until_ = verdict.until;
  return false;
}

webhook_worker::step webhook_worker::start_next(bool again, bool its_turn) {
  sending next = again ? due_.front()
                       : sending{.what = window_.front().what, .first = true};
  const auto now = now_;
  const auto leave = [this, again] {
    if (again)
      due_.pop_front();
    else
      leave_window();
  };
  if (too_old(next, now)) {
    leave();
    give_up_old(next);
    return step::skipped;
  }
  // Asked for twice: the one under way will do.
  if (again && is_under_way(next.what->id)) {
    leave();
    return step::skipped;
  }
  if (!allowed(now, resumes(*next.what))
      || !start(std::move(next), now, its_turn))
    return step::stopped;
  leave();
  return step::started;
}

webhook_worker::step webhook_worker::start_batch(bool again, bool its_turn) {
  const auto& limit = *plan_.batch;
  const auto now = now_;
  std::vector<sending> all;
  std::size_t bytes = 0;
  std::size_t looked_at = 0; ///< of due_ or window_, from the front
  const auto available = again ? due_.size() : window_.size();
  while (all.size() < limit.max_count && looked_at < available) {
    sending next = again
                   ? due_[looked_at]
                   : sending{.what = window_[looked_at].what, .first = true};
    if (again ? is_under_way(next.what->id)
              : progress_.settled(next.what->id)) {
      if (!all.empty()) // the next batch begins with it
        break;
      again ? due_.pop_front() : leave_window();
      return step::skipped;
    }
    if (too_old(next, now)) {
      if (!all.empty())
        break;
      again ? due_.pop_front() : leave_window();
      give_up_old(next);
      return step::skipped;
    }
    bytes += next.what->body.size();
    if (!all.empty() && bytes > batch_bytes)
      break;
    all.push_back(std::move(next));
    ++looked_at;
  }
  const bool full = all.size() == limit.max_count || bytes > batch_bytes;
  const auto ready_at = all.front().what->published + limit.max_wait;
  if (!again && !full && ready_at > now && !behind()) {
    held_by_ = hold_reason::batch;
    held_until_ = ready_at;
    return step::stopped;
  }
  if (!allowed(now, resumes(*all.front().what))
      || !start_all(all, now, its_turn))
    return step::stopped;
  for (; looked_at > 0; --looked_at)
    again ? due_.pop_front() : leave_window();
  return step::started;
}

bool webhook_worker::start_tests(bool& its_turn) {
  while (!tests_.empty() && !parked_ && !held_ && requests_ < plan_.pace.cap
         && !hold_if_congested()) {
    if (!start(tests_.front(), now_, its_turn))
      return false;
    its_turn = false;
    tests_.pop_front();
  }
  return tests_.empty();
}

bool webhook_worker::start(sending what, timestamp now, bool its_turn) {
  admission::permit permit;
  if (plan_.to) {
    permit = context_->gate->acquire(ticket_, requests_, its_turn);
    if (!permit) {
      parked_ = true;
      return false;
    }
  }
  under_way_.push_back({.subject = what.what->id,
                        .attempt = what.attempt,
                        .replay = what.replay,
                        .fed = what.fed,
                        .first = what.first,
                        .thin = plan_.thin,
                        .test = std::move(what.test)});
  auto sent = std::move(what.what);
  if (plan_.thin) {
    auto thin = std::make_shared<notification>(*sent);
    thin->body = protocol::thin_body(sent->body);
    sent = std::move(thin);
  }
  char id[24] = "msg_";
  const auto* end = std::to_chars(id + 4, std::end(id), sent->id).ptr;
  send_out(std::move(permit), std::move(sent), {},
           {id, static_cast<std::size_t>(end - id)}, what.attempt, now);
  return true;
}

bool webhook_worker::start_all(std::vector<sending>& all, timestamp now,
                               bool its_turn) {
  admission::permit permit;
  if (plan_.to) {
    permit = context_->gate->acquire(ticket_, requests_, its_turn);
    if (!permit) {
      parked_ = true;
      return false;
    }
  }
  std::vector<notification_ptr> members;
  members.reserve(all.size());
  std::uint16_t attempt = 1;
  for (auto& one : all) {
    under_way_.push_back({.subject = one.what->id,
                          .attempt = one.attempt,
                          .replay = one.replay,
                          .fed = one.fed,
                          .first = one.first,
                          .thin = plan_.thin,
                          .test = {}});
    attempt = std::max(attempt, one.attempt);
    members.push_back(std::move(one.what));
  }
  auto together = std::make_shared<notification>();
  together->id = members.front()->id;
  together->published = members.front()->published;
  together->owner = members.front()->owner;
  together->body = protocol::batch_body(members, plan_.thin);
  const auto id = protocol::batch_id(members);
  send_out(std::move(permit), std::move(together), std::move(members), id,
           attempt, now);
  return true;
}

void webhook_worker::send_out(admission::permit permit, notification_ptr what,
                              std::vector<notification_ptr> members,
                              std::string_view id, std::uint16_t attempt,
                              timestamp now) {
  ++requests_;
  pace_.started(now, resumes(*what));
  context_->in_flight->fetch_add(1);
  if (!plan_.to) {
    attempt_result failed{.what = std::move(what),
                          .members = std::move(members),
                          .to = nullptr,
                          .attempt = attempt,
                          .started = now,
                          .exchange = {}};
    failed.exchange.reason = plan_.error;
    this->send(handle(), atom::finished_v, std::move(failed));
    return;
  }
  auto headers = plan_.headers(id, what->body, what->trace, now);
  auto order = std::make_shared<delivery_order>(
    delivery_order{.wire = context_->wire,
                   .what = std::move(what),
                   .members = std::move(members),
                   .to = plan_.to,
                   .by = plan_.by,
                   .limits = plan_.limits,
                   .headers = std::move(headers),
                   .attempt = attempt,
                   .started = now,
                   .permit = std::move(permit)});
  this->spawn<delivery>(std::move(order), handle());
}

void webhook_worker::refill() {
  if (refilling_ || draining() || !enabled_ || !behind()
      || window_.size() > context_->window / 2
      || (read_again_at_ && now_ < *read_again_at_))
    return;
  read_again_at_.reset();
  refilling_ = true;
  context_->reader->read_backlog(handle(), slot_->id, read_upto_, behind_upto(),
                                 context_->window - window_.size());
}

void webhook_worker::fetch_due() {
  const auto most = std::max<std::size_t>(
    context_->max_fetch, plan_.batch ? plan_.batch->max_count : 0);
  if (fetch_running_ || draining() || gone_ || plan_.paused || retries_.empty()
      || (read_again_at_ && now_ < *read_again_at_))
    return;
  std::vector<position> which;
  if (plan_.ordered)
    fetch_failed(which, most);
  const auto now = now_;
  if (which.empty() && due_.size() > most / 2)
    return;
  while (!retries_.empty() && retries_.earliest().due <= now
         && which.size() < most) {
    fetching_.push_back(retries_.pop());
    which.push_back(fetching_.back().subject);
  }
  if (which.empty())
    return;
  fetch_running_ = true;
  context_->reader->fetch(handle(), std::move(which));
}

void webhook_worker::fetch_failed(std::vector<position>& which,
                                  std::size_t most) {
  // They hold all others, so they must not wait for room among them.
  const auto failed = [](const auto& r) { return r.attempt > 1; };
  if (std::ranges::any_of(due_, failed))
    return;
  for (const auto* next = retries_.earliest_failed();
       next != nullptr && next->due <= now_ && which.size() < most;
       next = retries_.earliest_failed()) {
    fetching_.push_back(retries_.pop_failed());
    which.push_back(fetching_.back().subject);
  }
}

void webhook_worker::arm_timer() {
  // By the same time as what was held back before: a moment that has passed
  // since must not be taken for one that was used.
  const auto now = now_;
  std::optional<timestamp> next;
  const auto wake_at = [&next, now](timestamp at) {
    if (at > now)
      next = next ? std::min(*next, at) : at;
  };
  if (!retries_.empty() && !plan_.paused)
    wake_at(retries_.earliest().due);
  // With `ordered`, what holds the others may be due later than they are.
  if (const auto* failed = retries_.earliest_failed();
      failed != nullptr && plan_.ordered && !plan_.paused)
    wake_at(failed->due);
  if (read_again_at_)
    wake_at(*read_again_at_);
  if (held_until_)
    wake_at(*held_until_);
  if (given_up_.count != 0)
    wake_at(given_up_.told + tell_interval);
  wake_at(pace_.busy_until());
  if (draining() || !next || next == timer_at_)
    return;
  if (!timer_)
    timer_ = context_->make_timer(handle());
  timer_at_ = next;
  timer_->set(*next);
}

void webhook_worker::log_call(call&& entry, reply<call> answer) {
  progress_.apply(entry, retries_);
  commit_queue::completion on_disk;
  if (answer)
    on_disk = [answer = std::move(answer)](storage::operation& op,
                                           const error* failure) {
      if (failure != nullptr)
        answer(*failure);
      else
        answer(std::move(std::get<storage::append_call>(op).entry));
    };
  context_->commits->push({.what = storage::append_call{std::move(entry)},
                           .done = std::move(on_disk),
                           .lasting = true});
}

void webhook_worker::disable_with(call&& last, std::string_view why) {
  gone_ = true;
  progress_.apply(last, retries_);
  storage::change_webhook disable;
  disable.id = slot_->id;
  disable.now = context_->clock->now();
  // Unless its user pointed it elsewhere meanwhile: then the answer was not the
  // new target's.
  disable.edit = [url = hook_->target_url](webhook_record& w) -> result<void> {
    if (w.target_url == url)
      w.current().enabled = false;
    return {};
  };
  commit_queue::completion told;
  if (context_->tell)
    told = [context = context_,
            members = R"(, "reason": )" + protocol::json_quoted(why)](
             storage::operation& op, const error* failure) {
      const auto& changed = std::get<storage::change_webhook>(op).done;
      if (failure == nullptr && changed && !changed->current().enabled)
        context->tell(*changed, "fanfare.webhook.disabled", members);
    };
  context_->commits->push(
    {.what = storage::append_call{std::move(last)},
     .done = {},
     .lasting = true},
    {.what = std::move(disable), .done = std::move(told), .lasting = true});
}

// -- what its owner may want to know ------------------------------------------

void webhook_worker::tell(std::string_view action, std::string members) const {
  if (context_->tell)
    context_->tell(*hook_, action, std::move(members));
}

void webhook_worker::tell_recovered() {
  // Not each time: one that subscribed to it and fails again and again would
  // keep itself busy with it.
  const auto now = context_->clock->now();
  if (now - recovered_told_ < tell_interval)
    return;
  recovered_told_ = now;
  tell("fanfare.webhook.recovered",
       R"(, "failing_since": )" + protocol::json_time(progress_.failing_since));
}

void webhook_worker::note_given_up(position subject) {
  if (given_up_.count++ == 0)
    given_up_.first = subject;
  given_up_.last = subject;
}

void webhook_worker::tell_given_up() {
  if (given_up_.count == 0)
    return;
  const auto now = now_;
  if (now - given_up_.told < tell_interval)
    return;
  tell("fanfare.notification.given_up",
       R"(, "count": )" + std::to_string(given_up_.count)
         + R"(, "first_notification_id": )" + std::to_string(given_up_.first)
         + R"(, "last_notification_id": )" + std::to_string(given_up_.last));
  given_up_ = {.count = 0, .first = 0, .last = 0, .told = now};
}

void webhook_worker::give_up_unsent(const retry& what, std::string reason) {
  if (replay_ && what.fed && what.attempt == 1)
    replay_->attempted();
  log_call(call{.hook = slot_->id,
                .subject = what.subject,
                .settled_upto = floor(),
                .time = context_->clock->now(),
                .result = outcome::given_up,
                .attempt = what.attempt,
                .replay = what.replay,
                .fed = what.fed,
                .unsent = true,
                .target_url = protocol::mask_url(hook_->target_url),
                .reason = std::move(reason)});
}

// -- orders -------------------------------------------------------------------

void webhook_worker::on_order(const webhook_order_ptr& what) {
  if (!hook_) {
    early_orders_.push_back(what);
    return;
  }
  if (draining())
    return; // the answer says so
  std::visit([this](const auto& order) { carry_out(order); }, *what);
  pump();
}

void webhook_worker::carry_out(const expedite_order& what) {
  const auto now = context_->clock->now();
  std::vector<retry> moved;
  retries_.update([now, &moved](retry& r) {
    // What a replay hands over has its place in the replay's pace.
    if (r.due <= now || (r.fed && r.attempt == 1))
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
  due_.erase_if([&](const sending& s) {
    const retry r{.subject = s.what->id,
                  .due = {},
                  .attempt = s.attempt,
                  .replay = s.replay,
                  .fed = s.fed};
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
                .replay = u.replay,
                .fed = u.fed}))
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
      wanted.fed = s.fed;
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
    wanted.fed = known.front().fed;
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
    replay_ = std::make_unique<replay_feed>(what.value, 0);
  replay_->choose(what.chosen);
}

void webhook_worker::carry_out(const cancel_order& what) {
  static constexpr auto reason = replay_cancelled;
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
  auto taken = extract_waiting([](const retry& r) { return r.fed; }, reason);
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

void webhook_worker::carry_out(const inspect_order& what) {
  delivery_state state;
  inspect(state);
  what.done(state);
}

void webhook_worker::inspect(delivery_state& out) const {
  switch (pace_.breaker()) {
    case pace::breaker_state::closed: break;
    case pace::breaker_state::open:
      out.breaker = delivery_state::breaker_state::open;
      out.breaker_until = pace_.open_until();
      break;
    case pace::breaker_state::half_open:
      out.breaker = delivery_state::breaker_state::half_open;
      break;
  }
  out.failures = progress_.failures;
  if (progress_.failures != 0)
    out.failing_since = progress_.failing_since;
  out.held_by = held_by_;
  out.held_until = held_until_;
  const auto now = context_->clock->now();
  if (out.held_by == hold_reason::none && out.breaker_until
      && *out.breaker_until > now) {
    out.held_by = hold_reason::breaker;
    out.held_until = out.breaker_until;
  } else if (out.held_by == hold_reason::none && pace_.held_until() > now) {
    out.held_by = hold_reason::retry_after;
    out.held_until = pace_.held_until();
  }
  if (out.held_by == hold_reason::none && parked_)
    out.held_by = hold_reason::concurrency;
  out.in_flight = requests_;
  out.concurrency = pace_.concurrency();
  out.certificate_expires = certificate_expires_;
}

// -- replay -------------------------------------------------------------------

void webhook_worker::feed_replay() {
  if (!replay_ || draining() || gone_ || held_)
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

// -- state --------------------------------------------------------------------

void webhook_worker::adopt(webhook_ptr hook) {
  const bool redirected = hook_ && hook_->target_url != hook->target_url;
  if (context_->fences != nullptr)
    fences_ = context_->fences->load(std::memory_order_relaxed);
  const auto before = plan_.to;
  plan_ = delivery_plan{*hook, context_->defaults};
  if (plan_.to && (!before || before->destination() != plan_.to->destination()))
    ticket_ = context_->gate->enter(hook->owner, plan_.to->destination(),
                                    this->address());
  pace_.configure(plan_.pace);
  if (redirected) {
    pace_.reset();
    progress_.forget_failures(); // as the store has
    certificate_expires_.reset();
    certificate_told_ = {};
  }
  hook_ = std::move(hook);
  enabled_ = hook_->current().enabled;
  filtered_ = std::ranges::any_of(hook_->versions, [](const auto& v) {
    return v.value.filter.value != nullptr;
  });
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
      + tests_.size() + endings_.size() + (replay_ ? 1 : 0) + (hook_ ? 0 : 1)
      + (given_up_.count != 0 || pace_.busy_until() > now_ ? 1 : 0),
    std::memory_order_relaxed);
  // Only what is loaded can be settled.
  if (hook_) {
    progress_.advance(floor());
    slot_->settled_upto.store(progress_.cursor, std::memory_order_release);
  }
}

} // namespace fanfare
