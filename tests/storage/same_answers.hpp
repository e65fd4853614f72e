// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Whether two stores that were asked to do the same give the same answers:
/// what their operations put out, and all that can be read.

#include "tests/storage/store_steps.hpp"

#include <algorithm>
#include <random>

namespace fanfare::test {

/// The texts aside, which are each store's own.
inline bool is_same(const error& a, const error& b) {
  return a.code == b.code && a.field == b.field;
}

template <class T>
bool is_same(const result<T>& a, const result<T>& b) {
  return a && b ? *a == *b : !a && !b && is_same(a.error(), b.error());
}

template <class T>
bool is_same(const boxed_result<T>& a, const boxed_result<T>& b) {
  return is_same(result<T>{a}, result<T>{b});
}

inline bool is_same(const notification_ptr& a, const notification_ptr& b) {
  return a && b && *a == *b;
}

inline bool is_same(const result<notification_ptr>& a,
                    const result<notification_ptr>& b) {
  return a && b ? is_same(*a, *b) : !a && !b && is_same(a.error(), b.error());
}

inline bool is_same(const std::vector<notification_ptr>& a,
                    const std::vector<notification_ptr>& b) {
  return std::ranges::equal(
    a, b, [](const auto& x, const auto& y) { return is_same(x, y); });
}

inline bool is_same(const result<std::vector<notification_ptr>>& a,
                    const result<std::vector<notification_ptr>>& b) {
  return a && b ? is_same(*a, *b) : !a && !b && is_same(a.error(), b.error());
}

inline bool is_same(const stored_answer_ptr& a, const stored_answer_ptr& b) {
  return a && b ? *a == *b : !a && !b;
}

inline bool is_same(webhook_state a, webhook_state b) {
  for (auto* set : {&a.retries, &b.retries})
    std::ranges::sort(*set, {}, &retry::subject); // in any order
  return a.hook == b.hook && a.upto == b.upto && a.retries == b.retries
      && a.running == b.running && a.recent == b.recent
      && a.recent_complete == b.recent_complete;
}

inline bool is_same(const boxed_result<webhook_state>& a,
                    const boxed_result<webhook_state>& b) {
  return a && b ? is_same(*a, *b) : !a && !b && is_same(a.error(), b.error());
}

/// What the same operation has put out.
inline bool has_same_output(const operation& a, const operation& b) {
  return std::visit(
    [&b](const auto& mine) {
      using type = std::remove_cvref_t<decltype(mine)>;
      const auto& other = std::get<type>(b);
      if constexpr (std::same_as<type, append_notifications>) {
        return is_same(mine.done, other.done)
            && is_same(mine.earlier, other.earlier)
            && mine.new_events == other.new_events;
      } else if constexpr (std::same_as<type, append_call>) {
        return mine.entry == other.entry;
      } else if constexpr (requires { mine.done; }) {
        return is_same(mine.done, other.done);
      } else {
        return true;
      }
    },
    a);
}

/// Asks two stores the same.
class twin_reader {
public:
  twin_reader(store& a, store& b, std::mt19937_64& random)
    : a_(a),
      b_(b),
      random_(random) {}

  void compare_all(timestamp now) {
    compare_journal();
    compare_registry();
    compare_retention(now);
    compare_searches();
    compare_statistics(now);
    ASSERT_TRUE(a_.registry().for_each_webhook([&](const webhook_record& hook) {
      SCOPED_TRACE("webhook " + std::to_string(hook.id));
      compare_webhook(hook);
      return !::testing::Test::HasFailure();
    }));
  }

  void compare_recovered() {
    const auto& a = a_.recovered();
    const auto& b = b_.recovered();
    ASSERT_EQ(a.routed_upto, b.routed_upto);
    ASSERT_EQ(a.calls_replayed, b.calls_replayed);
    ASSERT_TRUE(a.runs == b.runs);
    const auto as_tuple = [](const recovery::unsettled& u) {
      return std::tuple{u.hook, u.behind ? u.cursor : 0, u.behind,
                        u.has_retries};
    };
    ASSERT_TRUE(
      std::ranges::equal(a.webhooks, b.webhooks, {}, as_tuple, as_tuple));
  }

private:
  std::size_t below(std::size_t n) {
    return random_() % n;
  }
  position some_position() {
    return below(a_.journal().tail() + 3);
  }

  void compare_journal() {
    const auto& a = a_.journal();
    const auto& b = b_.journal();
    ASSERT_EQ(a.tail(), b.tail());
    const auto all = a.read(0, a.tail(), everything);
    ASSERT_TRUE(is_same(all, b.read(0, b.tail(), everything)));
    const auto after = some_position();
    const auto upto = some_position();
    const auto limit = below(5);
    ASSERT_TRUE(
      is_same(a.read(after, upto, limit), b.read(after, upto, limit)));
    ASSERT_TRUE(is_same(a.find(after), b.find(after)));
    const auto sa = a_.statistics();
    const auto sb = b_.statistics();
    ASSERT_EQ(sa.first, sb.first);
    ASSERT_EQ(sa.tail, sb.tail);
    ASSERT_EQ(sa.last_call, sb.last_call);
  }

  void compare_registry() {
    const auto& a = a_.registry();
    const auto& b = b_.registry();
    ASSERT_TRUE(is_same(a.organizers(), b.organizers()));
    ASSERT_TRUE(is_same(a.events(), b.events()));
    ASSERT_TRUE(is_same(a.tokens(), b.tokens()));
    ASSERT_TRUE(is_same(a.action_types(), b.action_types()));
    for (organizer_id owner = 1; owner < 4; ++owner)
      for (const std::optional<bool> enabled :
           {std::optional<bool>{}, std::optional{true}, std::optional{false}}) {
        ASSERT_TRUE(is_same(a.count_webhooks(owner, enabled),
                            b.count_webhooks(owner, enabled)));
        const auto offset = below(3);
        const auto limit = below(4);
        ASSERT_TRUE(is_same(a.webhooks(owner, enabled, offset, limit),
                            b.webhooks(owner, enabled, offset, limit)));
      }
    const auto beyond = static_cast<webhook_id>(below(20));
    ASSERT_TRUE(is_same(a.find_webhook(beyond), b.find_webhook(beyond)));
    ASSERT_EQ(visited(a), visited(b));
  }

  static std::vector<webhook_id> visited(const storage::registry& of) {
    std::vector<webhook_id> ids;
    EXPECT_TRUE(of.for_each_webhook([&](const webhook_record& hook) {
      ids.push_back(hook.id);
      return true;
    }));
    return ids;
  }

  void compare_retention(timestamp now) {
    for (char key = 'a'; key < 'f'; ++key)
      ASSERT_TRUE(is_same(*a_.find_answer(key_of(key), now),
                          *b_.find_answer(key_of(key), now)));
    const auto cutoff = now - std::chrono::milliseconds{below(30)};
    const auto limit = below(8);
    const auto old = now - idempotency_lifetime;
    const auto a = a_.plan_expiry(cutoff, limit, old).value();
    const auto b = b_.plan_expiry(cutoff, limit, old).value();
    ASSERT_EQ(a.notifications, b.notifications);
    ASSERT_EQ(a.calls_upto, b.calls_upto);
    ASSERT_EQ(a.answers, b.answers);
    // What is not more there may still be said to be more, if all that follows
    // is needed by retries.
    ASSERT_TRUE(a.more || !b.more);
  }

  void compare_webhook(const webhook_record& hook) {
    ASSERT_EQ(b_.registry().find_webhook(hook.id).value(), hook);
    compare_backlog(hook);
    compare_standing(hook);
    compare_replay(hook);
    const auto before = below(a_.statistics().last_call + 3);
    const auto limit = below(6);
    ASSERT_TRUE(is_same(a_.call_log().newest(hook.id, before, limit),
                        b_.call_log().newest(hook.id, before, limit)));
    ASSERT_TRUE(is_same(a_.call_log().find(hook.id, before),
                        b_.call_log().find(hook.id, before)));
  }

  void compare_backlog(const webhook_record& hook) {
    const auto after = some_position();
    const auto upto = some_position();
    const auto most = below(5);
    const auto scan = below(9);
    const auto a = a_.journal().read_backlog(hook, after, upto, most, scan);
    const auto b = b_.journal().read_backlog(hook, after, upto, most, scan);
    ASSERT_TRUE(a && b);
    ASSERT_TRUE(is_same(a->matches, b->matches));
    ASSERT_EQ(a->read_upto, b->read_upto);
    ASSERT_TRUE(is_same(
      a_.journal().newest_matches(hook.owner, hook.current(), most, scan),
      b_.journal().newest_matches(hook.owner, hook.current(), most, scan)));
    const auto ca = a_.deliveries().count_backlog(hook, scan).value();
    const auto cb = b_.deliveries().count_backlog(hook, scan).value();
    ASSERT_EQ(ca.count, cb.count);
    ASSERT_EQ(ca.first, cb.first);
    ASSERT_EQ(ca.complete, cb.complete);
  }

  void compare_searches() {
    const auto owner = static_cast<organizer_id>(below(4));
    notification_search wanted{.before = below(2) == 0 ? 0 : some_position(),
                               .limit = below(6),
                               .max_bytes = 1 + below(400),
                               .max_scan = 1 + below(20),
                               .max_read = 1 + least_read * below(10)};
    if (below(2) == 0)
      wanted.types = {{1, 3}};
    if (below(3) == 0)
      wanted.event = static_cast<event_id>(below(3));
    if (below(2) == 0)
      wanted.since = published_at(some_position());
    if (below(2) == 0)
      wanted.until = published_at(some_position());
    if (below(2) == 0)
      wanted.takes = [](const notification& n) { return n.id % 2 == 0; };
    const auto a = a_.journal().search(owner, wanted);
    const auto b = b_.journal().search(owner, wanted);
    ASSERT_TRUE(a && b);
    ASSERT_TRUE(is_same(a->found, b->found));
    ASSERT_EQ(a->next, b->next);
    ASSERT_EQ(a->looked_back_to, b->looked_back_to);
    call_search calls{.before = below(a_.statistics().last_call + 3),
                      .limit = below(6),
                      .max_scan = 1 + below(20)};
    if (below(2) == 0)
      calls.hooks = {1, 3};
    const auto ca = a_.call_log().search(owner, calls);
    const auto cb = b_.call_log().search(owner, calls);
    ASSERT_TRUE(ca && cb);
    ASSERT_EQ(ca->found, cb->found);
    ASSERT_EQ(ca->next, cb->next);
    ASSERT_EQ(ca->looked_back_to, cb->looked_back_to);
    ASSERT_EQ(ca->scanned, cb->scanned);
  }

  /// By 5 minutes or by the hour: of a webhook, or of all of an organizer.
  void compare_statistics(timestamp now) {
    const bool fine = below(2) == 0;
    const auto kept = fine ? tally_times::fine_kept : tally_times::coarse_kept;
    tally_query which{.owner = static_cast<organizer_id>(1 + below(3)),
                      .hook = below(5),
                      .step = fine ? tally_times::fine : tally_times::coarse};
    const timestamp begin = std::chrono::floor<std::chrono::hours>(now) - kept;
    which.since = std::max<timestamp>(begin + std::chrono::hours{1}, {});
    which.steps = static_cast<std::size_t>((now - which.since) / which.step)
                + 2;
    const auto a = a_.call_log().count(which);
    const auto b = b_.call_log().count(which);
    ASSERT_TRUE(a && b);
    ASSERT_TRUE(*a == *b) << "webhook " << which.hook << " organizer "
                          << which.owner;
  }

  void compare_standing(const webhook_record& hook) {
    ASSERT_TRUE(is_same(a_.deliveries().retries(hook.id),
                        b_.deliveries().retries(hook.id)));
    const action_choice which{.type = static_cast<action_type_id>(below(5)),
                              .action = below(2) == 0 ? "" : "a.b"};
    ASSERT_TRUE(is_same(a_.deliveries().retries(hook.id, which),
                        b_.deliveries().retries(hook.id, which)));
    for (int i = 0; i < 3; ++i) {
      const auto at = some_position();
      const auto a = a_.deliveries().find_standing(hook.id, at).value();
      const auto b = b_.deliveries().find_standing(hook.id, at).value();
      ASSERT_EQ(a.settled, b.settled);
      ASSERT_EQ(a.waiting, b.waiting);
    }
    ASSERT_TRUE(is_same(load(a_, hook.id), load(b_, hook.id)));
  }

  static boxed_result<webhook_state> load(store& from, webhook_id hook) {
    barrier look;
    look.load = hook;
    std::vector<operation> batch{std::move(look)};
    EXPECT_TRUE(from.commit(batch));
    return std::get<barrier>(std::move(batch.front())).done;
  }

  void compare_replay(const webhook_record& hook) {
    ASSERT_TRUE(is_same(a_.deliveries().find_replay(hook.id),
                        b_.deliveries().find_replay(hook.id)));
    replay wanted;
    wanted.asked.only_failed = below(2) == 0;
    wanted.asked.until = timestamp::max();
    if (below(2) == 0) {
      wanted.asked.since = published_at(some_position());
      wanted.asked.until = published_at(some_position());
    }
    wanted.cursor = below(2) == 0 ? 0 : some_position();
    wanted.upto = some_position();
    wanted.selecting = hook.current();
    const auto a = a_.deliveries().select(hook, wanted).value();
    const auto b = b_.deliveries().select(hook, wanted).value();
    ASSERT_EQ(a.count, b.count);
    ASSERT_EQ(a.skipped, b.skipped);
    for (position p = 1; p <= a_.journal().tail(); ++p)
      ASSERT_EQ(a.chosen.contains(p), b.chosen.contains(p)) << p;
  }

  timestamp published_at(position at) {
    const auto n = a_.journal().find(at);
    return n ? (*n)->published : timestamp{};
  }

  static constexpr std::size_t everything = 1'000'000;

  store& a_;
  store& b_;
  std::mt19937_64& random_;
};

} // namespace fanfare::test
