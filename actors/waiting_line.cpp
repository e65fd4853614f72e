// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/waiting_line.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

void waiting_line::add(ref who, const notification_ptr& first) {
  const auto cursor = first->id - 1;
  auto [i, is_new] = waves_.try_emplace(first->owner);
  if (is_new)
    turns_.push_back(first->owner);
  auto& waves = i->second;
  if (waves.empty() || waves.back().cursor != cursor) {
    const bool fits = bytes_ + first->body.size() <= most_bytes;
    if (fits)
      bytes_ += first->body.size();
    waves.push_back({.first = fits ? first : nullptr,
                     .published = first->published,
                     .cursor = cursor});
  }
  waves.back().who.push_back(who);
  if (places_.size() <= who)
    places_.resize(std::max<std::size_t>(who + 1, places_.size() * 2));
  places_[who] = {.cursor = cursor, .upto = first->id};
  ++size_;
}

std::optional<waiting_line::entry> waiting_line::next() {
  while (size_ > 0) {
    const auto owner = turns_.front();
    turns_.pop_front();
    auto& waves = waves_.at(owner);
    auto& front = waves.front();
    const auto who = front.who[front.gone++];
    const auto& at = places_[who];
    std::optional<entry> found;
    if (at.upto != 0 && at.cursor == front.cursor)
      found = leave(who, front.first);
    if (front.gone == front.who.size())
      drop_front(waves);
    if (waves.empty())
      waves_.erase(owner);
    else if (found)
      turns_.push_back(owner);
    else // it has not had its turn
      turns_.push_front(owner);
    if (size_ == 0)
      *this = {};
    if (found)
      return found;
  }
  return std::nullopt;
}

std::optional<waiting_line::entry> waiting_line::take(ref who) {
  if (size_ == 0 || who >= places_.size() || places_[who].upto == 0)
    return std::nullopt;
  auto found = leave(who, nullptr);
  if (size_ == 0)
    *this = {};
  return found;
}

waiting_line::entry waiting_line::leave(ref who,
                                        const notification_ptr& first) {
  const auto at = std::exchange(places_[who], {});
  --size_;
  return {.who = who, .cursor = at.cursor, .upto = at.upto, .first = first};
}

void waiting_line::drop_front(std::deque<wave>& of) {
  if (const auto& first = of.front().first)
    bytes_ -= first->body.size();
  of.pop_front();
}

std::optional<position> waiting_line::lowest_cursor() const {
  std::optional<position> lowest;
  for (const auto& [owner, waves] : waves_) {
    const auto cursor = waves.front().cursor;
    lowest = std::min(lowest.value_or(cursor), cursor);
  }
  return lowest;
}

std::optional<timestamp> waiting_line::oldest() const {
  std::optional<timestamp> oldest;
  for (const auto& [owner, waves] : waves_) {
    const auto published = waves.front().published;
    oldest = std::min(oldest.value_or(published), published);
  }
  return oldest;
}

} // namespace fanfare
