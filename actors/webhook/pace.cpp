// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/pace.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace fanfare {

// -- token_bucket -------------------------------------------------------------

void token_bucket::configure(
  const std::optional<delivery_settings::rate>& rate) {
  if (rate == rate_)
    return;
  const double taken = rate_ ? rate_->count - tokens_ : 0;
  rate_ = rate;
  // What was taken within another period is not owed in this one.
  tokens_ = rate ? std::max(0.0, rate->count - taken) : 0;
  if (!rate)
    filled_.reset();
}

void token_bucket::refill(timestamp now) {
  if (filled_ && now > *filled_)
    tokens_ = std::min<double>(
      rate_->count, tokens_
                      + static_cast<double>((now - *filled_).count())
                          * rate_->count
                          / static_cast<double>(rate_->period.count()));
  // A clock that was set back must not stop it.
  filled_ = now;
}

timestamp token_bucket::available(timestamp now) {
  if (!rate_)
    return now;
  refill(now);
  // Thirds of a token add up to a little less than one.
  constexpr double enough = 1 - 1e-6;
  if (tokens_ >= enough)
    return now;
  const auto wait = (1 - tokens_) * static_cast<double>(rate_->period.count())
                  / rate_->count;
  return now
       + std::chrono::milliseconds{static_cast<std::int64_t>(std::ceil(wait))};
}

void token_bucket::take(timestamp now) {
  if (!rate_)
    return;
  refill(now);
  tokens_ = std::min(tokens_, std::max(0.0, tokens_ - 1));
}

void token_bucket::owe(timestamp now) {
  if (!rate_)
    return;
  refill(now);
  --tokens_;
}

void token_bucket::restore(std::vector<timestamp> requests, bool complete,
                           timestamp now) {
  if (!rate_ || (requests.empty() && complete))
    return;
  tokens_ = 0;
  filled_ = now;
  if (requests.empty())
    return;
  // The log is in the order of the endings, and the clock may have been set.
  std::ranges::sort(requests, std::greater{});
  filled_ = complete ? requests.front() - rate_->period : requests.back();
  for (auto i = requests.rbegin(); i != requests.rend(); ++i)
    take(*i);
}

timestamp token_bucket::full_again() const {
  if (!filled_)
    return {};
  const auto wait = (rate_->count - tokens_)
                  * static_cast<double>(rate_->period.count()) / rate_->count;
  return *filled_
       + std::chrono::milliseconds{static_cast<std::int64_t>(std::ceil(wait))};
}

// -- pace ---------------------------------------------------------------------

void pace::configure(const pace_policy& policy) {
  policy_ = policy;
  rate_.configure(policy.rate);
  resume_.configure(policy.resume_rate);
  limit_.configure(policy.cap);
}

void pace::restore(std::uint32_t failures, timestamp last_failure,
                   timestamp held_until) {
  held_until_ = held_until;
  failures_ = failures;
  if (policy_.breaker_failures != 0 && failures >= policy_.breaker_failures)
    open(last_failure);
}

void pace::reset() {
  limit_.reset();
  held_until_ = {};
  breaker_ = breaker_state::closed;
  failures_ = 0;
  pause_ = {};
  open_until_ = {};
}

pace::verdict pace::ask(timestamp now, std::size_t in_flight, bool resumed) {
  if (now < held_until_)
    return {reason::retry_after, held_until_};
  if (now < stalled_until_)
    return {reason::outage, stalled_until_};
  if (breaker_ != breaker_state::closed) {
    if (now < open_until_)
      return {reason::breaker, open_until_};
    // The call that probes goes alone.
    if (in_flight > 0)
      return {reason::concurrency};
  }
  if (in_flight >= concurrency())
    return {reason::concurrency};
  auto at = rate_.available(now);
  if (resumed)
    at = std::max(at, resume_.available(now));
  if (at > now)
    return {reason::rate, at};
  return {};
}

void pace::started(timestamp now, bool resumed, bool test) {
  limit_.started(now);
  rate_.take(now);
  if (resumed)
    resume_.take(now);
  if (!test && breaker_ == breaker_state::open && now >= open_until_)
    breaker_ = breaker_state::half_open;
}

void pace::open(timestamp now) {
  const auto longest = std::max(policy_.breaker_pause, policy_.breaker_longest);
  pause_ = breaker_ == breaker_state::closed ? policy_.breaker_pause
                                             : std::min(pause_ * 2, longest);
  breaker_ = breaker_state::open;
  open_until_ = now + pause_;
}

bool pace::succeeded(const ending& how) {
  failures_ = 0;
  held_until_ = {};
  if (breaker_ != breaker_state::closed) {
    breaker_ = breaker_state::closed;
    limit_.restart();
    return true;
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
    how.took);
  limit_.answered(how.started, how.started + took, how.answer);
  return false;
}

std::optional<timestamp> pace::hold_of(timestamp now, const ending& how) const {
  if ((how.status != 429 && how.status != 503) || !how.retry_after
      || *how.retry_after <= now)
    return std::nullopt;
  return std::min(*how.retry_after, now + policy_.longest_hold);
}

timestamp pace::stall(timestamp now, std::chrono::milliseconds longest) {
  // Those that ran at the same time end for the same cause.
  if (now < stalled_until_)
    return stalled_until_;
  constexpr std::chrono::milliseconds first{1'000};
  stalled_until_ = now + std::min(first * (1 << stalls_), longest);
  stalls_ = static_cast<std::uint8_t>(std::min(stalls_ + 1, 10));
  return stalled_until_;
}

void pace::refused(timestamp now, const ending& how) {
  if (const auto until = hold_of(now, how))
    held_until_ = std::max(held_until_, *until);
  if (how.status == 0 || how.status == 429 || how.status >= 500)
    limit_.too_busy(how.started, now);
  else
    limit_.answered(how.started, now, how.answer);
}

void pace::failed(timestamp now, const ending& how) {
  refused(now, how);
  ++failures_;
  if (breaker_ == breaker_state::half_open
      || (breaker_ == breaker_state::closed && policy_.breaker_failures != 0
          && failures_ >= policy_.breaker_failures))
    open(now);
}

} // namespace fanfare
