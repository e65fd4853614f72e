// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/learned_pace.hpp"

#include <algorithm>
#include <cmath>

namespace fanfare {

namespace {

using std::chrono::milliseconds;

/// If nothing was taken lately, and at least.
constexpr double unknown_rate = 5;
constexpr double lowest_first_rate = 2;
/// Taken within a second, so many show what can be.
constexpr std::size_t shows_rate = 3;
/// In seconds; an end that is older comes from a clock that was set back.
constexpr std::uint64_t most_late = 300;
/// Of what was seen to be possible, so much is where a pace begins.
constexpr double caution = 0.9;
constexpr double lowest_rate = 0.02;
/// As if there was no limit.
constexpr double highest_rate = 5'000;
/// What a refusal leaves of the pace.
constexpr double decrease = 0.8;
/// Growth per second of a pace that is a guess, if a refusal holds all for a
/// second; the longer it does, the dearer it is to find out. One that was
/// learned grows by so much more with each second without a refusal.
constexpr double growth_of_guess = 1;
constexpr double growth_of_learned = 0.05;
constexpr milliseconds least_price{1'000};
constexpr milliseconds highest_price{5'000};
/// Who has to wait longer asks again in between.
constexpr milliseconds looks_again_within{1'000};

double seconds(milliseconds d) {
  return static_cast<double>(d.count()) / 1'000;
}

std::uint64_t second_of(timestamp t) {
  return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(t)
                                      .time_since_epoch()
                                      .count())
       & UINT32_MAX;
}

} // namespace

// -- taken_lately -------------------------------------------------------------

void taken_lately::note(timestamp now) {
  const auto known = seen_.load(std::memory_order_relaxed);
  const auto second = second_of(now);
  const auto seconds_late = (known >> 32) - second; // wraps if it is not
  if (seconds_late != 0 && seconds_late <= most_late)
    return; // it took longer than others
  const auto in_it = known >> 16 & UINT16_MAX;
  auto next = second << 32 | 1U << 16;
  if (known >> 32 == second)
    next = known + (in_it < UINT16_MAX ? 1U << 16 : 0U);
  else if ((known >> 32) + 1 == second)
    next |= in_it;
  seen_.store(next, std::memory_order_relaxed);
}

std::size_t taken_lately::most(timestamp now) const {
  const auto known = seen_.load(std::memory_order_relaxed);
  const auto age = second_of(now) - (known >> 32);
  return age <= 1 ? std::max(known >> 16 & UINT16_MAX, known & UINT16_MAX) : 0;
}

// -- learned_pace -------------------------------------------------------------

void learned_pace::begin(std::size_t lately) {
  learned_ = lately >= shows_rate;
  rate_ = static_cast<double>(lately);
  if (learned_)
    rate_ *= caution;
  else
    rate_ = lately == 0 ? unknown_rate : lowest_first_rate;
}

void learned_pace::lower(timestamp now, timestamp before) {
  if (taken_ == 0)
    return; // it was only asked too early again
  if (learned_)
    rate_ *= decrease;
  else // to what it was as long ago as the hold was long
    rate_ *= caution / std::pow(1 + growth(now), seconds(price_));
  // What was taken since, hold included, is what the receiver can take at
  // least; how fast it came is no measure, because there may be a reserve.
  const auto span = std::max(now - before, milliseconds{1});
  rate_ = std::clamp(
    std::max(rate_, static_cast<double>(taken_) / seconds(span)), lowest_rate,
    highest_rate);
  learned_ = true;
}

void learned_pace::pause(milliseconds how_long) {
  price_ = std::clamp(how_long, least_price, highest_price);
  taken_ = 0;
}

void learned_pace::resume(timestamp now) {
  ++taken_;
  issued_ = served_ = 0;
  paced_at_ = advanced_at_ = now;
}

void learned_pace::set_clock_back(timestamp now) {
  paced_at_ = std::min(paced_at_, now);
  advanced_at_ = std::min(advanced_at_, now);
}

double learned_pace::growth(timestamp now) const {
  const auto price = seconds(price_);
  if (!learned_)
    return growth_of_guess / price;
  return std::min(growth_of_guess / price,
                  growth_of_learned * std::max(0.0, seconds(now - paced_at_))
                    / std::pow(price, 3));
}

void learned_pace::advance(timestamp now) {
  if (now <= advanced_at_)
    return; // another thread was later
  const auto span = now - advanced_at_;
  served_ += rate_ * seconds(span);
  // It is no more than a guess that a pace can be kept that nobody needed.
  if (issued_ > served_)
    rate_ = std::min(highest_rate,
                     rate_ * (1 + growth(now) * std::min(1.0, seconds(span))));
  advanced_at_ = now;
}

double learned_pace::take_place(timestamp now) {
  advance(now);
  const auto place = std::max(issued_, served_);
  issued_ = place + 1;
  return place;
}

timestamp learned_pace::due(double place, timestamp now) {
  advance(now);
  const milliseconds wait{
    static_cast<std::int64_t>(std::ceil((place - served_) / rate_ * 1'000))};
  return now
       + (wait > looks_again_within ? std::max(looks_again_within, wait / 2)
                                    : std::max(wait, milliseconds{0}));
}

bool learned_pace::makes_wait() const {
  return rate_ < highest_rate && issued_ > served_ + 2;
}

} // namespace fanfare
