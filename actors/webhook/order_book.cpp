// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/order_book.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace fanfare {

namespace {

/// Answers `value` once the operation is on disk, or why it is not.
template <class T>
commit_queue::completion answer_on_disk(reply<T> to, T value) {
  return [to = std::move(to), value = std::move(value)](storage::operation&,
                                                        const error* failure) {
    if (failure != nullptr)
      to(*failure);
    else
      to(value);
  };
}

/// Handed over by a replay, and not attempted yet.
bool is_untried_replay(const retry& r) {
  return r.by_replay && r.attempt == 1 && !r.tried;
}

} // namespace

void order_book::restore(const storage::webhook_state& from,
                         delivery_queue& queue) {
  if (!from.running) {
    // The engine stopped before it had ended what a cancelled replay had handed
    // over.
    if (auto left = queue.extract_waiting(is_untried_replay); !left.empty())
      endings_.push_back({.entries = std::move(left),
                          .why = ended_by::cancellation,
                          .done = [] {}});
    return;
  }
  std::size_t untried = 0;
  timestamp last_due;
  for (const auto& r : from.retries)
    if (is_untried_replay(r)) {
      ++untried;
      last_due = std::max(last_due, r.due);
    }
  replay_ = std::make_unique<replay_feed>(*from.running, untried, last_due);
}

// -- carrying out -------------------------------------------------------------

void order_book::carry_out(const webhook_order& what, const site& at) {
  std::visit(
    [&](const auto& order) {
      using asked = std::decay_t<decltype(order)>;
      // The webhook itself does these.
      if constexpr (!std::is_same_v<
                      asked,
                      inspect_order> && !std::is_same_v<asked, lift_order>)
        carry_out(order, at);
    },
    what);
}

void order_book::carry_out(const expedite_order& what, const site& at) {
  auto moved = at.queue.expedite(at.now);
  const auto count = moved.size();
  if (count == 0)
    return what.done(count);
  at.commits.push({.what = storage::enqueue{.hook = at.queue.hook(),
                                            .entries = std::move(moved),
                                            .progress = {}},
                   .done = answer_on_disk(what.done, count),
                   .lasting = true});
}

void order_book::carry_out(const drop_order& what, const site& at) {
  auto taken = at.queue.extract(
    [only = what.only.get()](const retry& r) {
      return (r.attempt > 1 || r.tried)
          && (only == nullptr || std::ranges::binary_search(*only, r.subject));
    },
    ended_by::dropping);
  const auto count = taken.size();
  endings_.push_back({.entries = std::move(taken),
                      .why = ended_by::dropping,
                      .done = [done = what.done, count] { done(count); }});
}

void order_book::carry_out(const resend_order& what, const site& at) {
  if (!at.enabled || at.disabling)
    return what.done(
      error{ec::conflict, "The webhook is disabled. Enable it first."});
  if (at.queue.is_in_flight(what.subject))
    return what.done(error{
      ec::conflict, "An attempt of this notification is in flight. Look at its "
                    "outcome first."});
  if (const auto soon = at.queue.find_due(what.subject, at.now))
    return what.done(*soon);
  retry wanted{.subject = what.subject, .attempt = 1, .resent = true};
  // One that waits is brought forward.
  const auto handed_over = replay_ ? replay_->expedite(what.subject, at.now)
                                   : std::nullopt;
  if (handed_over) {
    wanted = *handed_over; // which is put once it is stored
  } else {
    if (const auto known = at.queue.extract_waiting(
          [&what](const retry& r) { return r.subject == what.subject; });
        !known.empty())
      wanted = known.front();
    wanted.due = at.now;
    at.queue.put(wanted);
  }
  at.commits.push({.what = storage::enqueue{.hook = at.queue.hook(),
                                            .entries = {wanted},
                                            .progress = {}},
                   .done = answer_on_disk(what.done, wanted),
                   .lasting = true});
}

void order_book::carry_out(const test_order& what, const site&) {
  tests_.push_back({.what = what.what, .answer = what.done});
}

void order_book::carry_out(const replay_order& what, const site& at) {
  if (!at.enabled)
    return; // disabled meanwhile, which cancelled it
  if (!replay_)
    replay_ = std::make_unique<replay_feed>(what.value, 0);
  replay_->choose(what.chosen);
}

void order_book::carry_out(const cancel_order& what, const site& at) {
  if (!replay_)
    return what.done(
      error{ec::not_found, "No replay of this webhook is running."});
  replay_->end(replay_state::cancelled, at.now);
  const auto value = replay_->progress();
  const auto on_their_way = replay_->stored();
  replay_.reset();
  at.commits.push({.what = storage::enqueue{.hook = at.queue.hook(),
                                            .entries = {},
                                            .progress = value},
                   .done = {},
                   .lasting = true});
  auto taken = at.queue.extract([](const retry& r) { return r.by_replay; },
                                ended_by::cancellation);
  taken.insert(taken.end(), on_their_way.begin(), on_their_way.end());
  endings_.push_back({.entries = std::move(taken),
                      .why = ended_by::cancellation,
                      .done = [done = what.done, value] { done(value); }});
}

void order_book::disable() {
  replay_.reset();
  // What was to be logged one by one has ended with all the others.
  while (!endings_.empty()) {
    endings_.front().done();
    endings_.pop_front();
  }
}

void order_book::close() {
  early_.clear();
  tests_.clear();
  endings_.clear();
  replay_.reset();
}

// -- tests --------------------------------------------------------------------

notification_ptr order_book::waiting_test() const {
  const auto i = std::ranges::find(tests_, false, &test::in_flight);
  return i != tests_.end() ? i->what : nullptr;
}

void order_book::begin_test() {
  std::ranges::find(tests_, false, &test::in_flight)->in_flight = true;
}

reply<call> order_book::end_test(position subject) {
  const auto i = std::ranges::find_if(tests_, [subject](const test& t) {
    return t.in_flight && t.what->id == subject;
  });
  if (i == tests_.end())
    return {};
  auto answer = std::move(i->answer);
  tests_.erase(i);
  return answer;
}

void order_book::cancel_waiting_tests() {
  std::erase_if(tests_, [](const test& t) { return !t.in_flight; });
}

// -- retries that end without an attempt --------------------------------------

void order_book::end_first(commit_queue& commits) {
  // An entry without effect, behind all of them.
  commits.push({.what = storage::barrier{},
                .done = [done = std::move(endings_.front().done)](
                          storage::operation&, const error*) { done(); },
                .lasting = true});
  endings_.pop_front();
}

// -- replay -------------------------------------------------------------------

void order_book::feed_replay(const site& at, journal_reader& reader,
                             const webhook_actor& who) {
  if (replay_->has_selection())
    hand_over(at, who);
  else if (at.now >= at.queue.reads_from() && replay_->ask_selection())
    reader.select(who, at.queue.hook(), replay_->progress());
}

void order_book::hand_over(const site& at, const webhook_actor& who) {
  const auto& entries = replay_->take(at.now);
  const bool ended = entries.empty() && replay_->exhausted();
  if (entries.empty() && !ended)
    return;
  commit_queue::completion on_disk;
  if (ended)
    replay_->end(replay_state::done, at.now);
  else
    on_disk = [who](storage::operation&, const error*) {
      caf::anon_send(who, atom::stored_v);
    };
  at.commits.push({.what = storage::enqueue{.hook = at.queue.hook(),
                                            .entries = entries,
                                            .progress = replay_->progress()},
                   .done = std::move(on_disk),
                   .lasting = true});
  if (ended)
    replay_.reset();
}

void order_book::stored(delivery_queue& queue) {
  if (!replay_)
    return; // it was ended meanwhile
  for (auto n = queue.replace(replay_->stored()); n > 0; --n)
    replay_->attempted();
}

void order_book::selected(const result<storage::selection>& read) {
  if (replay_)
    replay_->answer_selection(
      read ? std::make_shared<const storage::selection>(*read) : nullptr);
}

} // namespace fanfare
