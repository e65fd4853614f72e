// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/replay_feed.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

namespace {

/// Entries handed over at once: few enough to need no memory and to end soon
/// after a cancellation, enough to be worth a commit.
constexpr std::size_t largest_portion = 256;
/// How far ahead of their due time they are handed over.
constexpr double seconds_ahead = 5;

} // namespace

std::size_t replay_feed::portion() const {
  if (value_.asked.rate <= 0)
    return largest_portion;
  return std::clamp(static_cast<std::size_t>(value_.asked.rate * seconds_ahead),
                    std::size_t{1}, largest_portion);
}

std::chrono::microseconds replay_feed::pause() const {
  return std::chrono::microseconds{
    value_.asked.rate > 0
      ? static_cast<std::int64_t>(1'000'000 / value_.asked.rate)
      : 0};
}

const std::vector<retry>& replay_feed::take(timestamp now) {
  if (!chosen_ || !pending_.empty() || waiting_ > portion() / 2)
    return none_;
  next_due_ = std::max<precise>(next_due_, now);
  for (auto n = portion(); n > 0; --n) {
    const auto p = chosen_->chosen.next_after(value_.cursor);
    if (!p)
      break;
    value_.cursor = *p;
    pending_.push_back(
      {.subject = *p,
       .due = std::chrono::floor<std::chrono::milliseconds>(next_due_),
       .attempt = 1,
       .resent = true,
       .by_replay = true});
    next_due_ += pause();
  }
  value_.queued += pending_.size();
  return pending_;
}

std::optional<retry> replay_feed::expedite(position subject, timestamp now) {
  const auto i = std::ranges::find(pending_, subject, &retry::subject);
  if (i == pending_.end())
    return std::nullopt;
  i->due = std::min(i->due, now);
  return *i;
}

void replay_feed::overtaken(position subject) {
  const auto i = std::ranges::find(pending_, subject, &retry::subject);
  if (i != pending_.end())
    i->subject = 0;
}

std::vector<retry> replay_feed::stored() {
  std::erase_if(pending_, [](const retry& r) { return r.subject == 0; });
  waiting_ += pending_.size();
  return std::exchange(pending_, {});
}

} // namespace fanfare
