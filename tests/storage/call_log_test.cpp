// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/store_test.hpp"

#include <thread>

namespace fanfare::test {

using call_ids = std::vector<call_id>;

class CallLog : public store_test {
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

TEST_F(CallLog, GivesBackWhatWasAppended) {
  auto c = call_of(1, 2, outcome::retried, 1);
  c.reason = "connection refused";
  c.response_body = std::string(16'384, '\0');
  auto op = run(append_call{c});
  EXPECT_EQ(op.entry.id, 1U);
  EXPECT_EQ(op.entry.previous, 0U);
  reopen();
  EXPECT_EQ(store_->call_log().find(1, 1).value(), op.entry);
  EXPECT_EQ(store_->call_log().newest(1, 0, 10).value(), std::vector{op.entry});
}

TEST_F(CallLog, IsReadNewestFirstPerWebhook) {
  append_in_turn(3, 9);
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 0, 10).value()),
            (call_ids{7, 4, 1}));
  EXPECT_EQ(ids_of(store_->call_log().newest(3, 0, 2).value()),
            (call_ids{9, 6}));
  EXPECT_EQ(ids_of(store_->call_log().newest(4, 0, 2).value()), call_ids{});
}

TEST_F(CallLog, IsTheSameBeforeAndAfterCheckpointsAndRestarts) {
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

TEST_F(CallLog, PagesGoOnWhereTheyEndedWhileCallsAreAppended) {
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

TEST_F(CallLog, ABoundaryMayBeAnyNumber) {
  append_in_turn(2, 10);
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 8, 2).value()),
            (call_ids{7, 5}));
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 1000, 2).value()),
            (call_ids{9, 7}));
}

TEST_F(CallLog, OtherWebhooksCallsAreNotLookedAt) {
  append_in_turn(500, 5000);
  for (auto with_checkpoint : {false, true}) {
    if (with_checkpoint)
      checkpoint(0);
    auto before = store_->records_visited();
    EXPECT_EQ(store_->call_log().newest(250, 0, 10).value().size(), 10U);
    EXPECT_LE(store_->records_visited() - before, 12U);
    before = store_->records_visited();
    EXPECT_EQ(store_->call_log().newest(250, 2250, 2).value().size(), 2U);
    EXPECT_LE(store_->records_visited() - before, 5U);
  }
}

TEST_F(CallLog, ACallIsFoundForItsWebhookOnly) {
  append_in_turn(2, 2);
  EXPECT_EQ(store_->call_log().find(2, 2).value().hook, 2U);
  EXPECT_EQ(code_of(store_->call_log().find(1, 2)), ec::not_found);
  EXPECT_EQ(code_of(store_->call_log().find(1, 99)), ec::not_found);
}

TEST_F(CallLog, EndsWhereOlderCallsHaveExpired) {
  append_in_turn(2, 10);
  checkpoint(0);
  run(expire{.notifications = {}, .calls_upto = 4});
  EXPECT_EQ(ids_of(store_->call_log().newest(1, 0, 10).value()),
            (call_ids{9, 7, 5}));
}

TEST_F(CallLog, IdsGoOnGrowingWhenAllCallsHaveExpired) {
  append_in_turn(2, 10);
  checkpoint(0);
  run(expire{.notifications = {}, .calls_upto = 10});
  reopen();
  EXPECT_EQ(append(call_of(1, 1, outcome::delivered, 1)), 11U);
}

TEST_F(CallLog, ACallOfAWebhookWithoutRetriesLeavesNothingElseToWrite) {
  append_in_turn(1, 100);
  checkpoint(100);
  auto before = store_->statistics().bytes_used;
  append_in_turn(1, 1);
  // The table of calls and what LMDB itself keeps, no progress record.
  EXPECT_EQ(store_->recovered().calls_replayed, 0U);
  EXPECT_LE(store_->statistics().bytes_used, before + 2 * 4096);
  reopen();
  EXPECT_EQ(store_->recovered().calls_replayed, 1U);
}

TEST_F(CallLog, MayBeReadByOtherThreadsWhileItGrows) {
  add_hook(1, {1});
  append_in_turn(1, 10);
  std::atomic<bool> stop = false;
  std::atomic<bool> fine = true;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      call_id newest = 10;
      while (!stop) {
        auto page = store_->call_log().newest(1, 0, 3);
        auto set = store_->deliveries().retries(1);
        // Never back, no gap, and the retry set is that of one state.
        if (!page || page->size() != 3 || page->front().id < newest
            || (*page)[1].id != page->front().id - 1 || !set || set->size() > 1)
          fine = false;
        newest = page->front().id;
      }
    });
  for (position p = 11; p < 400; p += 2) {
    append(call_of(1, p, outcome::retried, p));
    append(call_of(1, p, outcome::delivered, p));
    if (p % 15 == 0)
      checkpoint(0);
  }
  stop = true;
  for (auto& reader : readers)
    reader.join();
  EXPECT_TRUE(fine);
}

} // namespace fanfare::test
