// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/every_store.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

namespace fanfare::test {

using call_ids = std::vector<call_id>;

class CallLogTest : public every_store_test {
protected:
  /// Calls of all webhooks in turn, in batches.
  void append_in_turn(webhook_id hooks, call_id calls) {
    std::vector<operation> batch;
    for (call_id i = 0; i < calls; ++i) {
      batch.emplace_back(
        append_call{call_of(1 + i % hooks, 1 + i, outcome::delivered, 1 + i)});
      if (batch.size() == 100 || i + 1 == calls) {
        ASSERT_TRUE(store_->commit(batch));
        batch.clear();
      }
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, CallLogTest, every_store(), name_of_store);

TEST_P(CallLogTest, GivesBackWhatWasAppended) {
  auto c = call_of(1, 2, outcome::retried, 1);
  c.reason = "connection refused";
  c.response_body = std::string(16'384, '\0');
  auto op = run(append_call{c});
  EXPECT_EQ(op.entry.id, 1U);
  EXPECT_EQ(op.entry.previous, 0U);
  reopen();
  EXPECT_EQ(store_->call_log().find(1, 1).value(), op.entry);
  EXPECT_EQ(store_->call_log().newest(1, 0, 10).value(),
            std::vector<call>{op.entry});
}

TEST_P(CallLogTest, IsReadNewestFirstPerWebhook) {
  append_in_turn(3, 9);
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 0, 10).value()),
            (call_ids{7, 4, 1}));
  EXPECT_EQ(ids_of(store_->call_log().newest(3, 0, 2).value()),
            (call_ids{9, 6}));
  EXPECT_EQ(ids_of(store_->call_log().newest(4, 0, 2).value()), call_ids{});
}

TEST_P(CallLogTest, IsTheSameBeforeAndAfterCheckpointsAndRestarts) {
  append_in_turn(3, 9);
  checkpoint(0);
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 0, 10).value()),
            (call_ids{7, 4, 1}));
  append_in_turn(3, 3);
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 0, 10).value()),
            (call_ids{10, 7, 4, 1}));
  reopen();
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 0, 10).value()),
            (call_ids{10, 7, 4, 1}));
}

TEST_P(CallLogTest, PagesGoOnWhereTheyEndedWhileCallsAreAppended) {
  append_in_turn(2, 10);
  auto page = store_->call_log().newest(1, 0, 2).value();
  EXPECT_EQ(ids_of(page), (call_ids{9, 7}));
  append_in_turn(2, 4);
  page = store_->call_log().newest(1, page.back().id, 2).value();
  EXPECT_EQ(ids_of(page), (call_ids{5, 3}));
  page = store_->call_log().newest(1, page.back().id, 2).value();
  EXPECT_EQ(ids_of(page), call_ids{1});
  EXPECT_TRUE(store_->call_log().newest(1, 1, 2).value().empty());
}

TEST_P(CallLogTest, IsSearchedByOrganizer) {
  for (const organizer_id owner : {1U, 2U, 1U})
    add_hook(owner, {1});
  append_in_turn(3, 9);
  const auto find = [&](organizer_id owner, const call_search& wanted) {
    return store_->call_log().search(owner, wanted).value();
  };
  EXPECT_EQ(ids_of(find(1, {}).found), (call_ids{9, 7, 6, 4, 3, 1}));
  EXPECT_EQ(ids_of(find(2, {}).found), (call_ids{8, 5, 2}));
  EXPECT_TRUE(find(3, {}).found.empty());
  EXPECT_EQ(ids_of(find(1, {.hooks = {2, 3}}).found), (call_ids{9, 6, 3}))
    << "those of others stay others'";
  const auto page = find(1, {.limit = 2});
  EXPECT_EQ(ids_of(page.found), (call_ids{9, 7}));
  EXPECT_EQ(page.next, 7U);
  EXPECT_EQ(ids_of(find(1, {.before = page.next, .limit = 2}).found),
            (call_ids{6, 4}));
  const auto last = find(1, {.before = 2});
  EXPECT_EQ(ids_of(last.found), call_ids{1});
  EXPECT_EQ(last.next, 0U);
  EXPECT_FALSE(last.looked_back_to);
  const auto short_of_it = find(2, {.before = 8, .max_scan = 2});
  EXPECT_TRUE(short_of_it.found.empty());
  EXPECT_EQ(short_of_it.next, 6U);
  EXPECT_EQ(short_of_it.scanned, 2U);
  EXPECT_TRUE(short_of_it.looked_back_to);
}

TEST_P(CallLogTest, IsFollowedByOrganizer) {
  for (const organizer_id owner : {1U, 2U, 1U})
    add_hook(owner, {1});
  EXPECT_EQ(store_->call_log().last(), 0U);
  append_in_turn(3, 9);
  EXPECT_EQ(store_->call_log().last(), 9U);
  const auto after = [&](organizer_id owner, call_id place,
                         const feed_limits& within = {}) {
    return store_->call_log().newer(owner, place, within).value();
  };
  EXPECT_EQ(ids_of(after(1, 0).found), (call_ids{1, 3, 4, 6, 7, 9}));
  EXPECT_EQ(after(1, 0).upto, 9U);
  EXPECT_FALSE(after(1, 0).more);
  EXPECT_FALSE(after(1, 0).lost);
  EXPECT_EQ(ids_of(after(2, 5).found), call_ids{8});
  EXPECT_TRUE(after(2, 9).found.empty());
  EXPECT_TRUE(after(3, 0).found.empty());
  EXPECT_EQ(after(3, 0).upto, 9U);
  const auto page = after(1, 0, {.most = 2});
  EXPECT_EQ(ids_of(page.found), (call_ids{1, 3}));
  EXPECT_EQ(page.upto, 3U);
  EXPECT_TRUE(page.more);
  const auto small = after(1, 3, {.max_bytes = 1});
  EXPECT_EQ(ids_of(small.found), call_ids{4});
  EXPECT_TRUE(small.more);
  const auto scanned = after(2, 2, {.max_scan = 2});
  EXPECT_TRUE(scanned.found.empty());
  EXPECT_EQ(scanned.upto, 4U);
  EXPECT_TRUE(scanned.more);
  reopen();
  EXPECT_EQ(ids_of(after(2, 2).found), (call_ids{5, 8}));
  checkpoint(0); // recovery needs no calls
  run(expire{.notifications = {}, .calls_upto = 4, .max_calls = 100});
  EXPECT_TRUE(after(2, 3).lost);
  EXPECT_FALSE(after(2, 4).lost);
  EXPECT_EQ(ids_of(after(2, 3).found), (call_ids{5, 8}));
  run(expire{.notifications = {}, .calls_upto = 9, .max_calls = 100});
  EXPECT_TRUE(after(2, 8).lost);
  EXPECT_FALSE(after(2, 9).lost);
  EXPECT_EQ(after(2, 8).upto, 9U);
}

TEST_P(CallLogTest, KnowsWhichCallsCameBefore) {
  const auto before = [&](std::int64_t ms) {
    return store_->call_log().last_before(at_ms(ms)).value();
  };
  EXPECT_EQ(before(0), 0U);
  for (int i = 1; i <= 5; ++i) {
    auto c = call_of(1, static_cast<position>(i), outcome::delivered, 1);
    c.time = at_ms(i * 10);
    append(c);
  }
  EXPECT_EQ(before(0), 0U);
  EXPECT_EQ(before(10), 0U);
  EXPECT_EQ(before(11), 1U);
  EXPECT_EQ(before(30), 2U);
  EXPECT_EQ(before(50), 4U);
  EXPECT_EQ(before(51), 5U);
}

TEST_P(CallLogTest, ABoundaryMayBeAnyNumber) {
  append_in_turn(2, 10);
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 8, 2).value()),
            (call_ids{7, 5}));
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 1000, 2).value()),
            (call_ids{9, 7}));
}

TEST_P(CallLogTest, ACallIsFoundForItsWebhookOnly) {
  append_in_turn(2, 2);
  EXPECT_EQ(store_->call_log().find(2, 2).value().hook, 2U);
  EXPECT_EQ(code_of(store_->call_log().find(1, 2)), ec::not_found);
  EXPECT_EQ(code_of(store_->call_log().find(1, 99)), ec::not_found);
}

TEST_P(CallLogTest, EndsWhereOlderCallsHaveExpired) {
  append_in_turn(2, 10);
  checkpoint(0);
  run(expire{.notifications = {}, .calls_upto = 4});
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 0, 10).value()),
            (call_ids{9, 7, 5}));
}

TEST_P(CallLogTest, IdsGoOnGrowingWhenAllCallsHaveExpired) {
  append_in_turn(2, 10);
  checkpoint(0);
  run(expire{.notifications = {}, .calls_upto = 10});
  reopen();
  EXPECT_EQ(append(call_of(1, 1, outcome::delivered, 1)), 11U);
}

TEST_P(CallLogTest, MayBeReadByOtherThreadsWhileItGrows) {
  constexpr std::size_t enough = 80;
  constexpr std::size_t at_least = 5; // on a machine that is slow
  add_hook(1, {1});
  append_in_turn(1, 10);
  append(call_of(1, 11, outcome::retried, 11));
  std::atomic<bool> stop = false;
  struct reader {
    std::atomic<std::size_t> states = 0; ///< that it has seen
    std::atomic<const char*> fault = nullptr;
    std::thread thread;
  };
  std::array<reader, 3> readers;
  for (auto& r : readers)
    r.thread = std::thread{[&] {
      call_id newest = 0;
      position waiting = 0;
      while (!stop && r.fault == nullptr) {
        const auto page = store_->call_log().newest(1, 0, 3);
        const auto set = store_->deliveries().retries(1);
        if (!page || page->size() != 3 || (*page)[1].id + 1 != page->front().id)
          r.fault = "a gap in the log";
        else if (page->front().id < newest)
          r.fault = "the log has become shorter";
        else if (!set || set->size() != 1)
          r.fault = "a retry set that never was";
        else if (set->front().subject < waiting)
          r.fault = "an older retry set";
        else if (page->front().id > newest) {
          newest = page->front().id;
          waiting = set->front().subject;
          ++r.states;
        }
      }
    }};
  // In each state one retry waits: it is on disk, or known from calls only.
  const auto deadline = std::chrono::steady_clock::now()
                      + std::chrono::seconds{20};
  const auto has_seen_enough = [](const reader& r) {
    return r.states >= enough || r.fault != nullptr;
  };
  for (position p = 11; !std::ranges::all_of(readers, has_seen_enough)
                        && std::chrono::steady_clock::now() < deadline;
       p += 2) {
    run_together(append_call{call_of(1, p, outcome::delivered, p)},
                 append_call{call_of(1, p + 1, outcome::retried, p + 1)});
    run_together(append_call{call_of(1, p + 1, outcome::delivered, p + 1)},
                 enqueue{.hook = 1, .entries = {{.subject = p + 2}}});
    if (p % 5 == 0)
      checkpoint(0);
  }
  stop = true;
  for (auto& r : readers) {
    r.thread.join();
    EXPECT_STREQ(r.fault, nullptr);
    EXPECT_GE(r.states, at_least);
  }
}

} // namespace fanfare::test
