// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/feeds.hpp"

#include "protocol/target/target.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare {

namespace {

/// Webhooks in trouble that a page shows in place of changes that are lost.
constexpr std::size_t most_troubled = 1'000;

/// Longer than any attempt takes: calls are in the order of their ends.
constexpr std::chrono::hours longest_call{1};

} // namespace

feeds::feeds(const storage::store& store, operator_watch& watch,
             const wall_clock& clock)
  : store_(store),
    watch_(watch),
    clock_(clock),
    run_(static_cast<std::uint64_t>(clock.now().time_since_epoch().count())) {
  watch_.changes.tell([this](organizer_id owner) { tell_change(owner); });
}

// -- what happens -------------------------------------------------------------

template <class T>
void feeds::forget_oldest(tail<T>& of) {
  const auto weight = feed_weight(*of.entries.front());
  of.after = of.entries.front()->id;
  of.entries.pop_front();
  of.bytes -= weight;
  bytes_ -= weight;
}

template <class T>
void feeds::forget(tail<T>& of, std::uint64_t upto) {
  bytes_ -= of.bytes;
  of = {.entries = {}, .after = upto};
}

template <class T>
void feeds::push(tail<T>& to, std::shared_ptr<const T> entry) {
  const auto weight = feed_weight(*entry);
  if (bytes_ + weight > most_bytes_of_all)
    return forget(to, entry->id); // whoever follows reads it from the store
  to.bytes += weight;
  bytes_ += weight;
  to.entries.push_back(std::move(entry));
  while (to.entries.size() > most_entries
         || (to.bytes > most_bytes && to.entries.size() > 1))
    forget_oldest(to);
}

template <class T>
void feeds::begin(tail<T> followed::*of, std::uint64_t& observed,
                  std::uint64_t id) {
  if (observed == unknown)
    for (auto& [owner, each] : by_owner_)
      (each.*of).after = id - 1;
  observed = id;
}

void feeds::tell(followed& of) {
  if (!std::exchange(of.told, true))
    for (const auto& news : of.news)
      news();
}

void feeds::keep(const storage::operation& op) {
  if (const auto* call = std::get_if<storage::append_call>(&op))
    return keep_call(call->entry);
  const auto* publish = std::get_if<storage::append_notifications>(&op);
  if (publish == nullptr || !publish->done)
    return;
  const std::lock_guard guard{mutex_};
  for (const auto& n : *publish->done) {
    begin(&followed::notifications, notification_, n->id);
    const auto found = by_owner_.find(n->owner);
    if (found == by_owner_.end())
      continue;
    push(found->second.notifications, n);
    tell(found->second);
  }
}

void feeds::keep_call(const logged_call& made) {
  const auto owner = watch_.troubles.owner_of(made.hook);
  const std::lock_guard guard{mutex_};
  begin(&followed::calls, call_, made.id);
  if (owner == 0) {
    // Nobody knows yet whose it is: the store does.
    for (auto& [id, each] : by_owner_) {
      forget(each.calls, made.id);
      tell(each);
    }
    return;
  }
  const auto found = by_owner_.find(owner);
  if (found == by_owner_.end())
    return;
  push(found->second.calls,
       std::make_shared<const call>(static_cast<const call&>(made)));
  tell(found->second);
}

void feeds::tell_change(organizer_id owner) {
  if (followed_.load(std::memory_order_relaxed) == 0)
    return;
  const std::lock_guard guard{mutex_};
  if (const auto found = by_owner_.find(owner); found != by_owner_.end())
    tell(found->second);
}

// -- who follows --------------------------------------------------------------

std::shared_ptr<void> feeds::follow(organizer_id owner,
                                    std::function<void()> news) {
  const std::lock_guard guard{mutex_};
  const auto [at, is_new] = by_owner_.try_emplace(owner);
  if (is_new) {
    // What was observed before is not here, what comes now will be.
    at->second.calls.after = call_;
    at->second.notifications.after = notification_;
  }
  auto& all = at->second.news;
  const auto place = all.insert(all.end(), std::move(news));
  followed_.store(by_owner_.size());
  return {this, [owner, place](feeds* of) { of->unfollow(owner, place); }};
}

void feeds::unfollow(organizer_id owner,
                     std::list<std::function<void()>>::iterator place) {
  const std::lock_guard guard{mutex_};
  const auto at = by_owner_.find(owner);
  at->second.news.erase(place);
  if (!at->second.news.empty())
    return;
  forget(at->second.calls, unknown);
  forget(at->second.notifications, unknown);
  by_owner_.erase(at);
  followed_.store(by_owner_.size());
  if (by_owner_.empty())
    call_ = notification_ = unknown; // nothing is observed any more
}

feed_place feeds::end() const {
  return {.call = store_.call_log().last(),
          .notification = store_.journal().tail(),
          .run = run_,
          .change = watch_.changes.last()};
}

result<feed_place> feeds::place_at(timestamp since) const {
  auto out = end();
  const auto call = store_.call_log().last_before(since - longest_call);
  if (!call)
    return call.error();
  const auto notification = store_.journal().last_before(since);
  if (!notification)
    return notification.error();
  out.call = *call;
  out.notification = *notification;
  return out;
}

// -- reading ------------------------------------------------------------------

namespace {

/// Those of `from` with a higher id than `after`, within the limits. False: not
/// all of them.
template <class T, class Take>
bool take_newer(const std::deque<std::shared_ptr<const T>>& from,
                std::uint64_t after, const feed_limits& within, Take take) {
  auto i = std::ranges::upper_bound(from, after, {},
                                    [](const auto& e) { return e->id; });
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (; i != from.end(); ++i) {
    if (count == within.most || bytes >= within.max_bytes)
      return false;
    ++count;
    bytes += feed_weight(**i);
    take(*i);
  }
  return true;
}

/// Null if it is not among them.
notification_ptr find_in(const std::deque<notification_ptr>& all, position id) {
  const auto i = std::ranges::lower_bound(
    all, id, {}, [](const notification_ptr& n) { return n->id; });
  return i != all.end() && (*i)->id == id ? *i : nullptr;
}

} // namespace

result<void> feeds::read_calls(organizer_id owner, feed_page& into,
                               const feed_limits& within) {
  auto& next = into.next.call;
  {
    const std::lock_guard guard{mutex_};
    if (const auto at = by_owner_.find(owner);
        at != by_owner_.end() && at->second.calls.after != unknown
        && next >= at->second.calls.after) {
      const auto& kept = at->second;
      const bool all = take_newer(
        kept.calls.entries, next, within, [&](const call_ptr& c) {
          next = c->id;
          into.calls.push_back(
            {c, find_in(kept.notifications.entries, c->subject)});
        });
      if (all && call_ != unknown)
        next = std::max(next, call_);
      into.more = into.more || !all;
      return {};
    }
  }
  auto found = store_.call_log().newer(owner, next, within);
  if (!found)
    return found.error();
  for (auto& c : found->found)
    into.calls.push_back({std::make_shared<const call>(std::move(c)), nullptr});
  next = found->upto;
  into.more = into.more || found->more;
  into.lost.calls = found->lost;
  return {};
}

result<void> feeds::read_notifications(organizer_id owner, feed_page& into,
                                       const feed_limits& within) {
  auto& next = into.next.notification;
  {
    const std::lock_guard guard{mutex_};
    if (const auto at = by_owner_.find(owner);
        at != by_owner_.end() && at->second.notifications.after != unknown
        && next >= at->second.notifications.after) {
      const bool all = take_newer(at->second.notifications.entries, next,
                                  within, [&](const notification_ptr& n) {
                                    next = n->id;
                                    into.notifications.push_back(n);
                                  });
      if (all && notification_ != unknown)
        next = std::max(next, notification_);
      into.more = into.more || !all;
      return {};
    }
  }
  auto found = store_.journal().newer(owner, next, within);
  if (!found)
    return found.error();
  into.notifications = std::move(found->found);
  next = found->upto;
  into.more = into.more || found->more;
  into.lost.notifications = found->lost;
  return {};
}

void feeds::read_changes(organizer_id owner, feed_page& into) const {
  const auto now = clock_.now();
  auto found = watch_.changes.newer(owner, into.next.change);
  into.lost.changes = into.next.run != run_ || found.lost;
  into.next.run = run_;
  into.next.change = found.upto;
  if (!into.lost.changes) {
    into.changes = std::move(found.changes);
    return;
  }
  // What has become of them is all that is known.
  for (const auto& e : watch_.troubles.look(owner, most_troubled, now).worst) {
    auto made = std::make_shared<webhook_change>();
    made->owner = e.owner;
    made->hook = e.id;
    made->what = webhook_change::kind::troubled;
    made->trouble = trouble_board::worst_of(e);
    made->time = trouble_board::since(e).value_or(timestamp{});
    if (const auto hook = store_.registry().find_webhook(e.id))
      made->target_url = protocol::name_url(hook->target_url);
    into.changes.push_back(std::move(made));
  }
}

result<feed_page> feeds::read(organizer_id owner, const feed_place& after,
                              const feed_limits& within) {
  {
    const std::lock_guard guard{mutex_};
    if (const auto at = by_owner_.find(owner); at != by_owner_.end())
      at->second.told = false;
  }
  const auto last = end();
  feed_page out{.next = after};
  // Of another history, which a backup has ended: what is new has lower ids.
  const bool strange = after.call > last.call
                    || after.notification > last.notification;
  if (!within.calls || strange)
    out.next.call = last.call;
  if (!within.notifications || strange)
    out.next.notification = last.notification;
  if (within.changes)
    read_changes(owner, out);
  else
    out.next.run = run_, out.next.change = last.change;
  // Calls first: those of a notification that comes meanwhile are left for the
  // next page, which has both or begins with the notification.
  if (within.calls)
    if (auto read = read_calls(owner, out, within); !read)
      return read.error();
  if (within.notifications)
    if (auto read = read_notifications(owner, out, within); !read)
      return read.error();
  out.lost.calls = (out.lost.calls || strange) && within.calls;
  out.lost.notifications = (out.lost.notifications || strange)
                        && within.notifications;
  return out;
}

} // namespace fanfare
