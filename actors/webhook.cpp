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
    [this](atom::drain) { draining_ = true; },
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
      retries_.put(r);
    return read_failed();
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (const auto& what = (*read)[i])
      due_.push_back({what, asked[i].attempt});
    else
      give_up_unsent(asked[i].subject, asked[i].attempt,
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
  gone_ = false;
  ended_upto_ = std::max(ended_upto_, tail);
  set_read_upto(std::max(read_upto_, tail));
  // Attempts that failed before this was heard of may have added retries to the
  // store, in a commit after the one that ended them.
  if (!hook_->current().enabled)
    context_->commits->push(
      {.what = storage::drop_retries{slot_->id}, .done = {}, .lasting = true});
}

void webhook_worker::on_finished(attempt_result& r) {
  const auto subject = r.what->id;
  std::erase_if(under_way_,
                [subject](const under_way& u) { return u.subject == subject; });
  call entry{.hook = slot_->id,
             .subject = subject,
             .settled_upto = floor(),
             .time = r.started,
             .attempt = r.attempt,
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
  } else if (!hook_->current().enabled || subject <= ended_upto_) {
    entry.result = outcome::given_up;
    add_reason(entry.reason, "given up: the webhook was disabled meanwhile");
  } else if (status == 410 && r.to == target_) {
    entry.result = outcome::gone;
    add_reason(entry.reason,
               "gone: the webhook is disabled and its retries end");
    entry.retry_due = context_->clock->now();
    gone_ = true;
  } else if (draining_ && entry.reason.starts_with("cancelled: ")) {
    // Cut short by this engine's stop, which must not end what is left of the
    // schedule: made again at the next start.
    entry.retry_due = context_->clock->now();
    entry.result = outcome::retried;
  } else if (const auto delay = backoff_.delay_after(r.attempt); !delay) {
    entry.result = outcome::given_up;
    add_reason(entry.reason, "given up after " + std::to_string(r.attempt)
                               + (r.attempt == 1 ? " attempt" : " attempts"));
  } else {
    entry.retry_due = context_->clock->now()
                    + backoff_policy::jittered(*delay, random_);
    if (entry.retry_due > r.what->published + backoff_.max_age) {
      entry.retry_due = {};
      entry.result = outcome::given_up;
      add_reason(entry.reason, "given up: the next attempt would be more than "
                                 + in_words(backoff_.max_age)
                                 + " after publish");
    } else {
      entry.result = outcome::retried;
    }
  }
  log_call(std::move(entry));
  // It may have waited for a further place only.
  if (under_way_.empty())
    parked_ = false;
  pump();
  // Whoever waits for it to become zero finds the call logged and the slot up
  // to date.
  context_->in_flight->fetch_sub(1);
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
      || std::ranges::none_of(
           under_way_, [](const under_way& u) { return u.attempt == 1; });
}

void webhook_worker::pump(bool its_turn) {
  if (hook_) {
    while (may_start()) {
      while (!window_.empty() && progress_.settled(window_.front().what->id))
        leave_window();
      const bool first = !window_.empty() && may_run_ahead();
      const bool again = !due_.empty();
      if (!first && !again)
        break;
      if (context_->commits->congested()) {
        held_ = true;
        context_->commits->notify_when_writable(handle());
        break;
      }
      retry_turn_ = again && (retry_turn_ || !first);
      const auto next = retry_turn_ ? due_.front()
                                    : due_retry{window_.front().what, 1};
      const bool too_old = context_->clock->now()
                         > next.what->published + backoff_.max_age;
      if (!too_old) {
        if (!start(next.what, next.attempt, its_turn))
          break;
        its_turn = false;
      }
      if (retry_turn_)
        due_.pop_front();
      else
        leave_window();
      if (too_old)
        give_up_unsent(next.what->id, next.attempt,
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

bool webhook_worker::start(const notification_ptr& what, std::uint16_t attempt,
                           bool its_turn) {
  admission::permit permit;
  if (target_) {
    permit = context_->gate->acquire(destination_, ticket_, under_way_.size(),
                                     its_turn);
    if (!permit) {
      parked_ = true;
      return false;
    }
  }
  under_way_.push_back({what->id, attempt});
  context_->in_flight->fetch_add(1);
  const auto now = context_->clock->now();
  if (!target_) {
    attempt_result failed{.what = what,
                          .to = nullptr,
                          .attempt = attempt,
                          .started = now,
                          .exchange = {}};
    failed.exchange.reason = target_error_;
    this->send(handle(), atom::finished_v, std::move(failed));
    return true;
  }
  auto order = std::make_shared<delivery_order>(
    delivery_order{.wire = context_->wire,
                   .what = what,
                   .to = target_,
                   .limits = limits_,
                   .attempt = attempt,
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

void webhook_worker::log_call(call&& entry) {
  progress_.apply(entry, retries_);
  if (entry.result != outcome::gone) {
    context_->commits->push({.what = storage::append_call{std::move(entry)},
                             .done = {},
                             .lasting = true});
    return;
  }
  storage::change_webhook disable;
  disable.id = slot_->id;
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

void webhook_worker::give_up_unsent(position subject, std::uint16_t attempt,
                                    std::string reason) {
  log_call(call{.hook = slot_->id,
                .subject = subject,
                .settled_upto = floor(),
                .time = context_->clock->now(),
                .result = outcome::given_up,
                .attempt = attempt,
                .target_url = protocol::mask_url(hook_->target_url),
                .reason = std::move(reason)});
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
    if (u.attempt == 1)
      low = std::min(low, u.subject - 1);
  return low;
}

void webhook_worker::set_read_upto(position upto) {
  read_upto_ = upto;
  slot_->read_upto.store(upto, std::memory_order_seq_cst);
}

void webhook_worker::publish_slot() {
  slot_->unfinished.store(retries_.size() + due_.size() + fetching_.size()
                            + under_way_.size() + (hook_ ? 0 : 1),
                          std::memory_order_relaxed);
  // Only what is loaded can be settled.
  if (hook_) {
    progress_.advance(floor());
    slot_->settled_upto.store(progress_.cursor, std::memory_order_release);
  }
}

} // namespace fanfare
