// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/stream/stream_hub.hpp"

#include "model/without_signals.hpp"
#include "protocol/rest/stream/message.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

/// Pages of a turn that are kept for others.
constexpr std::size_t most_pages = 64;

/// How long clients are to wait before they come again, in milliseconds.
constexpr std::string_view first_line = "retry: 2000\n";

} // namespace

stream_hub::stream_hub(service& of, const stream_limits& limits)
  : service_{of},
    limits_{limits} {}

stream_hub::~stream_hub() {
  {
    const std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable())
    thread_.join();
  streams_.clear(); // their seats are counted here
  openings_.clear();
}

// -- any thread ---------------------------------------------------------------

result<stream_hub::seat> stream_hub::take_seat(organizer_id owner) {
  const std::lock_guard guard{mutex_};
  if (seats_ >= limits_.most)
    return error{ec::overloaded,
                 "The server has " + std::to_string(seats_)
                   + " open streams, the most that it keeps. Try again later, "
                     "or read the lists of calls and notifications."};
  auto& of_owner = seats_by_owner_[owner];
  if (of_owner >= limits_.most_of_organizer)
    return error{ec::overloaded,
                 "The organizer has " + std::to_string(of_owner)
                   + " open streams, the most that it may have. Close some, or "
                     "let their programs share one.",
                 "organizer"};
  ++seats_;
  ++of_owner;
  return seat{*this, owner};
}

void stream_hub::give_back(organizer_id owner) {
  const std::lock_guard guard{mutex_};
  --seats_;
  if (const auto at = seats_by_owner_.find(owner); --at->second == 0)
    seats_by_owner_.erase(at);
}

void stream_hub::open(opening&& made) {
  {
    const std::lock_guard guard{mutex_};
    openings_.push_back(std::move(made));
    if (limits_.own_thread && !thread_.joinable() && !stopping_) {
      const without_signals blocked;
      thread_ = std::thread{[this] { run(); }};
    }
  }
  wake();
}

std::size_t stream_hub::size() const {
  const std::lock_guard guard{mutex_};
  return seats_;
}

void stream_hub::wake() {
  {
    const std::lock_guard guard{mutex_};
    if (std::exchange(is_woken_, true))
      return;
  }
  woken_.notify_one();
}

// -- the thread ---------------------------------------------------------------

void stream_hub::run() {
  std::unique_lock guard{mutex_};
  const auto called = [this] { return is_woken_ || stopping_; };
  while (!stopping_) {
    is_woken_ = false;
    guard.unlock();
    auto next = time_point::max();
    try {
      next = turn(clock::now());
    } catch (...) { // out of memory: they can go on where they are
      streams_.clear();
    }
    guard.lock();
    if (next == time_point::max())
      woken_.wait(guard, called);
    else
      woken_.wait_until(guard, next, called);
  }
}

stream_hub::time_point stream_hub::turn(time_point now) {
  adopt(now);
  pages_.clear();
  const auto news_at = take_news(now);
  std::erase_if(streams_, [&](stream& one) { return !serve(one, now); });
  pages_.clear();
  std::erase_if(feeds_, [](const auto& each) { return each.second.expired(); });
  if (streams_.empty())
    return time_point::max();
  auto next = now + check;
  if (news_at)
    next = std::min(next, *news_at);
  return next;
}

void stream_hub::adopt(time_point now) {
  std::vector<opening> made;
  {
    const std::lock_guard guard{mutex_};
    made.swap(openings_);
  }
  for (auto& one : made) {
    auto& known = feeds_[one.what->owner];
    auto from = known.lock();
    if (!from) {
      from = std::make_shared<feed>();
      from->following = service_.follow_feed(one.what->owner,
                                             [this, to = from.get()] {
                                               to->news.store(true);
                                               wake();
                                             });
      known = from;
    }
    const auto generation = from->generation;
    streams_.push_back({.is = std::move(one),
                        .from = std::move(from),
                        .generation = generation,
                        .check_at = now + check,
                        .sent_at = now});
  }
}

std::optional<stream_hub::time_point> stream_hub::take_news(time_point now) {
  bool any = false;
  for (auto& [owner, weak] : feeds_)
    if (const auto one = weak.lock(); one && one->news.load()) {
      any = true;
      if (now < news_at_)
        continue;
      one->news.store(false);
      ++one->generation;
    }
  if (!any)
    return std::nullopt;
  if (now >= news_at_)
    news_at_ = now + pace;
  return news_at_;
}

bool stream_hub::is_allowed(const stream& one) const {
  if (one.is.key.empty())
    return true;
  const auto token = service_.find_token(one.is.key);
  return token && !token->revoked;
}

bool stream_hub::is_awaited(stream& one) {
  return one.is.to.is_awaited([this] { wake(); });
}

bool stream_hub::send(stream& one, const std::string& text, time_point now) {
  one.sent_at = now;
  // There is room: all that was written before has been taken.
  return one.is.to.write(text, time_point::min());
}

bool stream_hub::serve(stream& one, time_point now) {
  if (one.is.to.is_abandoned())
    return false;
  if (now >= one.check_at) {
    one.check_at = now + check;
    if (!is_allowed(one))
      return false;
  }
  if (std::exchange(one.generation, one.from->generation)
      != one.from->generation)
    one.behind = true;
  const bool silent = now - one.sent_at >= heartbeat;
  if ((!one.behind && !silent && one.begun) || !is_awaited(one))
    return true;
  if (!std::exchange(one.begun, true)) {
    std::string text{first_line};
    append_id(text, to_text(one.is.after));
    wake(); // its turn comes again when it has taken that
    return send(one, text, now);
  }
  // One that has nothing to say moves on, too: others' news are behind it then.
  return go_on(one, now);
}

result<const stream_page*> stream_hub::page_for(const stream& one) {
  auto key = to_text(one.is.after) + ' ' + one.is.what->text;
  if (const auto known = pages_.find(key); known != pages_.end())
    return &known->second;
  auto made = make_stream_page(service_, *one.is.what, one.is.after);
  if (!made)
    return made.error();
  if (pages_.size() >= most_pages)
    pages_.clear();
  return &pages_.emplace(std::move(key), std::move(*made)).first->second;
}

bool stream_hub::go_on(stream& one, time_point now) {
  const auto page = page_for(one);
  if (!page) {
    std::string text;
    append_comment(text, "ends: " + page.error().detail);
    (void)send(one, text, now);
    return false;
  }
  one.is.after = (*page)->next;
  one.behind = (*page)->more;
  if (one.behind)
    wake(); // its turn comes again at once
  if (!(*page)->text.empty())
    return send(one, (*page)->text, now);
  if (now - one.sent_at < heartbeat)
    return true;
  std::string text;
  append_comment(text, "heartbeat");
  append_id(text, to_text(one.is.after));
  return send(one, text, now);
}

} // namespace fanfare::protocol::rest
