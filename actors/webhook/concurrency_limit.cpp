// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/concurrency_limit.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fanfare {

namespace {

/// A normal below it counts as this: such latencies vary by what happens
/// between the receiver and us.
constexpr std::chrono::microseconds quick{100'000};
/// Up to so many times the normal is normal.
constexpr double tolerance = 2;
/// How long the normal holds without being seen again: so long at least, and so
/// many times the latency.
constexpr std::chrono::milliseconds memory = std::chrono::minutes{3};
constexpr int memory_rounds = 30;
/// Answers one after the other that say what is normal.
constexpr double measured_alone = 4;

/// Requests that may wait inside of the receiver: fewer let the limit grow,
/// more shrink it. Vegas' alpha and beta.
constexpr double few_queued = 1;
constexpr double many_queued = 2;
/// Rounds before as many as were too many are tried again, at first and at
/// most.
constexpr std::uint8_t first_patience = 4;
constexpr std::uint8_t longest_patience = 128;
/// Counters of 16 bits hold more.
constexpr std::size_t most_places = 65'000;

float level_of(std::chrono::microseconds took) {
  return std::log2(
    static_cast<float>(std::max(took, std::chrono::microseconds{1}).count()));
}

/// Of a round. By ones, a large limit would take for ever.
double step_at(double limit) {
  return std::max(1.0, limit / 8);
}

} // namespace

// -- latency_monitor ----------------------------------------------------------

void latency_monitor::begin_round(double size) {
  size_ = static_cast<std::uint16_t>(
    std::clamp(size, 1.0, static_cast<double>(most_places)));
  opened_ = closed_ = 0;
}

void latency_monitor::started(timestamp now) {
  // The clock was set back, or one of the round will never be answered.
  if (opened_ > 0 && (now < from_ || (opened_ >= size_ && now - to_ > memory)))
    begin_round(size_);
  if (opened_ == 0)
    from_ = now;
  // Those that start at the same time cannot be told apart.
  if (opened_ < size_ || (now == to_ && opened_ < most_places)) {
    ++opened_;
    to_ = now;
  }
}

bool latency_monitor::answered(timestamp started, timestamp now,
                               std::chrono::microseconds took) {
  if (!covers(started))
    return false;
  const auto one = level_of(took);
  if (closed_++ == 0)
    latency_ = one;
  else
    latency_ += (one - latency_) / static_cast<float>(closed_);
  if (closed_ < opened_ || opened_ < size_)
    return false;
  if (normal_ < 0)
    normal_ = latency_;
  // One lucky round is not the normal yet.
  if (latency_ < normal_)
    normal_ -= (normal_ - latency_) / 4;
  if (excess() <= tolerance)
    normal_at_ = now;
  return true;
}

double latency_monitor::excess() const {
  return std::exp2(latency_ - std::max(normal_, level_of(quick)));
}

double latency_monitor::queued(double limit) const {
  return limit * std::max(0.0, 1 - tolerance / excess());
}

bool latency_monitor::expire(timestamp now) {
  const std::chrono::microseconds latency{
    static_cast<std::int64_t>(std::exp2(latency_))};
  const auto since = now - normal_at_;
  if (since < memory || since < latency * memory_rounds)
    return false;
  // If there were pauses in between, nothing waited: what it takes now is
  // normal.
  const bool busy = now - from_ <= latency * 4;
  normal_ = busy ? -1 : latency_;
  normal_at_ = now;
  return busy;
}

// -- concurrency_limit --------------------------------------------------------

void concurrency_limit::configure(std::size_t cap) {
  const auto most = static_cast<double>(cap);
  const bool moves = limit_ >= static_cast<double>(cap_) || limit_ > most;
  cap_ = cap;
  if (moves)
    set(most);
}

void concurrency_limit::reset() {
  const auto cap = cap_;
  *this = {};
  cap_ = cap;
  set(static_cast<double>(cap));
}

void concurrency_limit::restart() {
  latency_ = {}; // what comes now is without a queue
  measuring_ = false;
  ramping_ = true;
  set(1);
}

void concurrency_limit::set(double limit) {
  limit_ = std::clamp(limit, 1.0, static_cast<double>(cap_));
  latency_.begin_round(std::floor(limit_));
}

void concurrency_limit::too_busy(timestamp started, timestamp now) {
  ramping_ = false;
  if (now < halved_) // the clock was set back
    halved_ = {};
  // Those that ran at the same time fail for the same cause.
  if (started < halved_)
    return;
  halved_ = now;
  measuring_ = false;
  // Failures in a row say nothing new of how many are too many, and one is not.
  const auto tried = std::min(places(), most_places);
  if (std::exchange(has_answered_, false) && tried > 1) {
    patience_ = tried == ceiling_ ? static_cast<std::uint8_t>(
                  std::min(2 * patience_, int{longest_patience}))
                                  : first_patience;
    ceiling_ = static_cast<std::uint16_t>(tried);
    waited_ = 0;
  }
  set(limit_ / 2);
}

void concurrency_limit::answered(timestamp started, timestamp now,
                                 std::chrono::microseconds took) {
  has_answered_ = true;
  if (ramping_ && latency_.covers(started))
    grow();
  if (latency_.answered(started, now, took))
    adapt(now);
}

void concurrency_limit::adapt(timestamp now) {
  if (latency_.expire(now)) {
    // A queue may have become what is normal: without one it shows.
    measuring_ = true;
    ramping_ = false;
    limit_ = 1;
    return latency_.begin_round(measured_alone);
  }
  if (std::exchange(measuring_, false))
    ramping_ = true;
  if (ceiling_ != 0 && places() >= ceiling_)
    ceiling_ = 0; // a whole round of them was answered
  const auto queued = latency_.queued(limit_);
  auto next = limit_;
  if (ramping_ && queued >= few_queued) {
    ramping_ = false;
    next /= 2; // what it was when the round began
  } else if (queued > many_queued) {
    next -= step_at(limit_);
  } else if (queued < few_queued && !ramping_) {
    grow();
    next = limit_;
  }
  set(next);
}

void concurrency_limit::grow() {
  const auto most = static_cast<double>(cap_);
  auto next = std::min(most, limit_ + (ramping_ ? 1 : step_at(limit_)));
  if (const double ceiling = ceiling_; ceiling != 0) {
    if (ramping_ && 2 * next > ceiling) {
      ramping_ = false;
      return;
    }
    if (limit_ < ceiling && next >= ceiling)
      next = waited_++ < patience_ ? std::max(limit_, ceiling - 1) : ceiling;
  }
  limit_ = next;
  ramping_ = ramping_ && limit_ < most;
}

} // namespace fanfare
