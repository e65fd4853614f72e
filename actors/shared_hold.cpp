// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/shared_hold.hpp"

#include <algorithm>

namespace fanfare {

namespace {

using std::chrono::milliseconds;

/// Before anything is known of the pace.
constexpr double first_rate = 10;
constexpr double lowest_rate = 0.02;
/// As if there was no limit.
constexpr double highest_rate = 5'000;
/// As of one webhook.
constexpr std::chrono::hours longest_hold{1};
/// Growth per second of a rate that was learned, and of a guess.
constexpr double growth = 0.05;
constexpr double growth_of_guess = 1;
/// How soon to ask again while a probe is in flight.
constexpr milliseconds probe_poll{250};
/// After a probe that showed nothing.
constexpr milliseconds probe_pause{1'000};

double seconds(milliseconds d) {
  return static_cast<double>(d.count()) / 1'000;
}

} // namespace

// -- shared_hold --------------------------------------------------------------

shared_hold::slot shared_hold::reserve(webhook_id who, timestamp now) {
  const std::lock_guard guard{mutex_};
  look_at_clock(now);
  const auto epoch = epoch_.load(std::memory_order_relaxed);
  if (phase_ == phase::held) {
    const auto from = refused_.contains(who) ? held_until_ + courtesy
                                             : held_until_;
    if (now < from)
      return {from, false, epoch};
    phase_ = phase::probing;
    prober_ = who;
    probe_until_ = now + probe_patience;
    return {now, true, epoch};
  }
  if (phase_ == phase::probing) {
    if (now < probe_until_)
      return {now + probe_poll, false, epoch};
    prober_ = who; // that one hangs: another one probes
    probe_until_ = now + probe_patience;
    return {now, true, epoch};
  }
  next_ = std::max<std::chrono::sys_time<std::chrono::microseconds>>(now,
                                                                     next_);
  const auto at = std::chrono::floor<milliseconds>(next_);
  next_ += interval();
  return {std::max(at, now), true, epoch};
}

std::chrono::microseconds shared_hold::interval() const {
  return std::chrono::microseconds{
    static_cast<std::int64_t>(std::max(1.0, 1'000'000 / rate_))};
}

void shared_hold::look_at_clock(timestamp now) {
  if (now < seen_) {
    next_ = std::min<std::chrono::sys_time<std::chrono::microseconds>>(next_,
                                                                       now);
    busy_at_ = std::min(busy_at_, now);
    probe_until_ = std::min(probe_until_, now);
    held_until_ = std::min(held_until_, now + longest_hold);
    longest_.until = std::min(longest_.until, now + longest_hold);
  }
  seen_ = now;
}

void shared_hold::hold(timestamp now, timestamp until) {
  phase_ = phase::held;
  held_until_ = until;
  busy_at_ = now;
  taken_ = 0;
  epoch_.fetch_add(1, std::memory_order_relaxed);
}

std::optional<timestamp>
shared_hold::until_of_two(webhook_id who, timestamp now, timestamp until) {
  if (longest_.who == 0 || longest_.who == who || now >= longest_.until) {
    longest_ = {who, until};
    return std::nullopt;
  }
  const auto both = std::min(longest_.until, until);
  if (until > longest_.until)
    longest_ = {who, until};
  return both;
}

std::optional<std::uint32_t>
shared_hold::note_busy(webhook_id who, timestamp started, timestamp now,
                       timestamp until) {
  const std::lock_guard guard{mutex_};
  look_at_clock(now);
  const auto before = lifted();
  if (!active()) {
    if (refused_.contains(who))
      return std::nullopt; // as before
    const auto first = longest_.who;
    const auto both = until_of_two(who, now, until);
    if (!both)
      return before;
    refused_[first].at = refused_[who].at = now;
    rate_ = first_rate;
    learned_ = false;
    hold(now, *both);
    active_.store(true, std::memory_order_relaxed);
    return before;
  }
  auto& [refused_at, again] = refused_[who];
  if (refused_at != timestamp{} && started >= refused_at
      && taken_at_ > refused_at && again < own_refusals)
    ++again;
  refused_at = now;
  if (phase_ == phase::probing && prober_ == who && started >= busy_at_) {
    phase_ = phase::held; // it waits alone: another one probes
    held_until_ = now;
  }
  if (again >= own_refusals)
    return std::nullopt;
  const auto both = until_of_two(who, now, until);
  if (!both)
    return before;
  if (started < busy_at_) { // of those that were refused together
    held_until_ = std::max(held_until_, *both);
    if (phase_ == phase::paced && now < held_until_) {
      phase_ = phase::held;
      epoch_.fetch_add(1, std::memory_order_relaxed);
    }
    return before;
  }
  if (const auto span = now - busy_at_; taken_ > 0 && span > milliseconds{0}) {
    rate_ = std::clamp(static_cast<double>(taken_) / seconds(span), lowest_rate,
                       highest_rate);
    learned_ = true;
  } else {
    rate_ = std::max(lowest_rate, rate_ / 2);
  }
  hold(now, *both);
  return before;
}

std::optional<timestamp> shared_hold::held_until(timestamp now) const {
  const std::lock_guard guard{mutex_};
  if (!active() || phase_ != phase::held || held_until_ <= now)
    return std::nullopt;
  return held_until_;
}

std::vector<webhook_id>
shared_hold::note_success(webhook_id who, timestamp started, timestamp now) {
  const std::lock_guard guard{mutex_};
  if (started < busy_at_)
    return {}; // says nothing about what came then
  refused_.erase(who);
  if (!active())
    return {};
  ++taken_;
  taken_at_ = now;
  if (longest_.who == who)
    longest_ = {};
  if (phase_ != phase::paced) {
    phase_ = phase::paced;
    next_ = grown_at_ = now;
    longest_ = {};
    lifted_.fetch_add(1, std::memory_order_relaxed);
    std::vector<webhook_id> told;
    for (const auto& [hook, refused] : refused_)
      if (refused.again < own_refusals)
        told.push_back(hook);
    return told;
  }
  const auto span = std::clamp(now - grown_at_, milliseconds{0},
                               milliseconds{1'000});
  rate_ = std::min(
    highest_rate,
    rate_ * (1 + (learned_ ? growth : growth_of_guess) * seconds(span)));
  grown_at_ = now;
  const bool others_wait = rate_ < highest_rate
                        && next_ > now + 2 * interval() + milliseconds{1};
  if (now - busy_at_ >= memory && !others_wait) {
    active_.store(false, std::memory_order_relaxed);
    std::erase_if(refused_,
                  [](const auto& e) { return e.second.again < own_refusals; });
  }
  return {};
}

void shared_hold::note_failure(webhook_id who, timestamp now) {
  const std::lock_guard guard{mutex_};
  if (phase_ != phase::probing || prober_ != who)
    return;
  phase_ = phase::held;
  held_until_ = now + probe_pause;
  refused_[who].at = now; // the next one is another's
}

void shared_hold::lift(webhook_id who, timestamp now) {
  const std::lock_guard guard{mutex_};
  refused_.erase(who);
  if (longest_.who == who)
    longest_ = {};
  if (phase_ == phase::held)
    held_until_ = std::min(held_until_, now);
}

// -- shared_holds -------------------------------------------------------------

std::shared_ptr<shared_hold> shared_holds::find(organizer_id owner,
                                                const std::string& to) {
  const std::lock_guard guard{mutex_};
  auto& known = all_[{owner, to}];
  if (auto there = known.lock())
    return there;
  auto made = std::make_shared<shared_hold>();
  known = made;
  if (all_.size() >= sweep_at_) {
    std::erase_if(all_, [](const auto& e) { return e.second.expired(); });
    sweep_at_ = std::max<std::size_t>(64, all_.size() * 2);
  }
  return made;
}

} // namespace fanfare
