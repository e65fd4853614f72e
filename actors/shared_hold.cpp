// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/shared_hold.hpp"

#include <algorithm>

namespace fanfare {

namespace {

using std::chrono::milliseconds;

/// As of one webhook.
constexpr std::chrono::hours longest_hold{1};
/// How soon to ask again while a probe is in flight.
constexpr milliseconds probe_poll{250};
/// After a probe that showed nothing.
constexpr milliseconds probe_pause{1'000};

} // namespace

// -- shared_hold --------------------------------------------------------------

shared_hold::slot shared_hold::ask(webhook_id who, timestamp now,
                                   const std::optional<slot>& before) {
  const std::lock_guard guard{mutex_};
  look_at_clock(now);
  const auto epoch = epoch_.load(std::memory_order_relaxed);
  if (phase_ == phase::held) {
    const auto from = refused_.contains(who) ? held_until_ + courtesy
                                             : held_until_;
    if (now < from) {
      waiting_.insert(who);
      return {.at = from, .epoch = epoch};
    }
    waiting_.erase(who);
    phase_ = phase::probing;
    prober_ = who;
    probe_until_ = now + probe_patience;
    return {.at = now, .ready = true, .epoch = epoch};
  }
  if (phase_ == phase::probing) {
    if (now < probe_until_)
      return {.at = now + probe_poll, .epoch = epoch};
    prober_ = who; // that one hangs: another one probes
    probe_until_ = now + probe_patience;
    return {.at = now, .ready = true, .epoch = epoch};
  }
  const bool has_place = before && is_current(*before) && before->place >= 0;
  const auto place = has_place ? before->place : pace_.take_place(now);
  const auto due = pace_.due(place, now);
  return {.at = due, .ready = due <= now, .epoch = epoch, .place = place};
}

void shared_hold::look_at_clock(timestamp now) {
  if (now < seen_) {
    pace_.set_clock_back(now);
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
  pace_.pause(until - now);
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
    const auto first = longest_;
    const auto both = until_of_two(who, now, until);
    if (!both)
      return before;
    refused_[first.who] = {.at = now, .until = first.until};
    refused_[who] = {.at = now, .until = until};
    pace_.begin(taken_lately_.most(now));
    hold(now, *both);
    active_.store(true, std::memory_order_relaxed);
    return before;
  }
  auto& [refused_at, told_until, again] = refused_[who];
  told_until = until;
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
  pace_.lower(now, busy_at_);
  hold(now, *both);
  return before;
}

std::vector<webhook_id> shared_hold::take_waiting() {
  std::vector<webhook_id> all{waiting_.begin(), waiting_.end()};
  waiting_.clear();
  return all;
}

std::optional<timestamp> shared_hold::held_until(timestamp now) const {
  const std::lock_guard guard{mutex_};
  if (!active() || phase_ != phase::held || held_until_ <= now)
    return std::nullopt;
  return held_until_;
}

shared_hold::released
shared_hold::note_success(webhook_id who, timestamp started, timestamp now) {
  const std::lock_guard guard{mutex_};
  if (started < busy_at_)
    return {}; // says nothing about what came then
  refused_.erase(who);
  if (longest_.who == who)
    longest_ = {};
  if (!active())
    return {};
  taken_at_ = now;
  if (phase_ != phase::paced) {
    phase_ = phase::paced;
    epoch_.fetch_add(1, std::memory_order_relaxed); // who waits asks anew
    pace_.resume(now);
    longest_ = {};
    lifted_.fetch_add(1, std::memory_order_relaxed);
    released all{.waiting = take_waiting()};
    for (const auto& [hook, refused] : refused_)
      if (refused.again < own_refusals)
        all.told.push_back(hook);
    return all;
  }
  pace_.note_taken(now);
  if (now - busy_at_ >= memory && !pace_.makes_wait())
    end();
  return {};
}

void shared_hold::end() {
  active_.store(false, std::memory_order_relaxed);
  std::erase_if(refused_,
                [](const auto& e) { return e.second.again < own_refusals; });
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

std::vector<webhook_id> shared_hold::forget(webhook_id who, timestamp now) {
  const std::lock_guard guard{mutex_};
  waiting_.erase(who);
  const auto left = refused_.extract(who);
  if (longest_.who == who)
    longest_ = {};
  if (!active())
    return {};
  if (phase_ == phase::probing && prober_ == who) {
    phase_ = phase::held; // another one probes
    held_until_ = now;
  }
  if (phase_ != phase::held || held_until_ <= now || left.empty()
      || left.mapped().again >= own_refusals || left.mapped().until <= now)
    return {};
  // It takes two that were told to wait.
  longest_ = {};
  timestamp second{};
  for (const auto& [hook, told] : refused_) {
    if (told.again >= own_refusals)
      continue;
    second = std::max(second, std::min(told.until, longest_.until));
    if (told.until > longest_.until)
      longest_ = {hook, told.until};
  }
  if (second >= held_until_)
    return {};
  held_until_ = second;
  epoch_.fetch_add(1, std::memory_order_relaxed);
  if (held_until_ <= now)
    end();
  return take_waiting();
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
