// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/every_store.hpp"

namespace fanfare::test {

class CheckpointTest : public every_store_test {
protected:
  CheckpointTest() {
    hook_ = add_hook(1, {1}).id;
    run(publish_of(std::vector<draft>(10, draft_of(1))));
  }

  /// Closes, opens and gives what there is to do for the webhook.
  std::optional<recovery::unsettled> recover() {
    reopen();
    for (const auto& found : store_->recovered().webhooks)
      if (found.hook == hook_)
        return found;
    return std::nullopt;
  }

  webhook_id hook_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Stores, CheckpointTest, every_store(), name_of_store);

TEST_P(CheckpointTest, CallsAreReplayedAfterACrash) {
  append(call_of(hook_, 1, outcome::delivered, 1));
  append(call_of(hook_, 3, outcome::retried, 1));
  auto before = load(hook_);
  EXPECT_FALSE(recover()->behind);
  EXPECT_EQ(store_->recovered().calls_replayed, 2U);
  auto after = load(hook_);
  EXPECT_EQ(after.upto, before.upto);
  EXPECT_EQ(after.upto.ahead, std::vector<position>{3});
  EXPECT_EQ(after.retries, before.retries);
  EXPECT_EQ(subjects_of(after.retries), std::vector<position>{3});
}

TEST_P(CheckpointTest, OnlyTheCallsAfterItAreReplayed) {
  append(call_of(hook_, 1, outcome::delivered, 1));
  checkpoint(5, {{.hook = hook_, .cursor = 1}});
  append(call_of(hook_, 2, outcome::delivered, 2));
  auto found = recover();
  EXPECT_EQ(store_->recovered().calls_replayed, 1U);
  EXPECT_EQ(store_->recovered().routed_upto, 5U);
  EXPECT_TRUE(found->behind);
  EXPECT_EQ(found->cursor, 2U);
}

TEST_P(CheckpointTest, CallsBehindItInTheSameBatchAreNotReflectedInIt) {
  run_together(append_call{call_of(hook_, 1, outcome::delivered, 1)},
               save_checkpoint{.routed_upto = 1},
               append_call{call_of(hook_, 2, outcome::retried, 2)});
  recover();
  EXPECT_EQ(store_->recovered().calls_replayed, 1U);
  EXPECT_EQ(
    load(hook_).upto,
    (progress{.cursor = 2, .ahead = {}, .last_call = 2, .failures = 1}));
  EXPECT_EQ(subjects_of(load(hook_).retries), std::vector<position>{2});
}

TEST_P(CheckpointTest, WhoIsNotNamedHasSettledEverythingRouted) {
  checkpoint(7);
  EXPECT_EQ(load(hook_).upto.cursor, 7U);
  EXPECT_FALSE(recover());
  EXPECT_EQ(load(hook_).upto.cursor, 7U);
}

TEST_P(CheckpointTest, WhoIsNamedKeepsItsCursorUntilItIsNotNamedAnyMore) {
  checkpoint(7, {{.hook = hook_, .cursor = 2}});
  EXPECT_EQ(load(hook_).upto.cursor, 2U);
  EXPECT_EQ(recover()->cursor, 2U);
  checkpoint(9, {{.hook = hook_, .cursor = 5}});
  EXPECT_EQ(recover()->cursor, 5U);
  checkpoint(9);
  EXPECT_FALSE(recover());
  EXPECT_EQ(load(hook_).upto.cursor, 9U);
}

TEST_P(CheckpointTest, ACursorNeverMovesBack) {
  append(call_of(hook_, 4, outcome::delivered, 4));
  checkpoint(7, {{.hook = hook_, .cursor = 2}});
  EXPECT_EQ(load(hook_).upto.cursor, 4U);
  checkpoint(7);
  checkpoint(8, {{.hook = hook_, .cursor = 1}});
  EXPECT_EQ(load(hook_).upto.cursor, 7U);
}

TEST_P(CheckpointTest, OneThatLiesBeforeTheLastIsIgnored) {
  checkpoint(7);
  append(call_of(hook_, 8, outcome::delivered, 8));
  checkpoint(3, {{.hook = hook_, .cursor = 0}});
  EXPECT_FALSE(recover());
  EXPECT_EQ(store_->recovered().routed_upto, 7U);
  EXPECT_EQ(store_->recovered().calls_replayed, 1U);
}

// -- retries ------------------------------------------------------------------

TEST_P(CheckpointTest, RetriesSurviveItAndEndWithTheirSuccess) {
  for (position p = 1; p <= 3; ++p)
    append(call_of(hook_, p, outcome::retried, p));
  checkpoint(3);
  append(call_of(hook_, 2, outcome::delivered, 3));
  EXPECT_EQ(subjects_of(load(hook_).retries), (std::vector<position>{1, 3}));
  EXPECT_TRUE(recover()->has_retries);
  EXPECT_EQ(subjects_of(load(hook_).retries), (std::vector<position>{1, 3}));
  checkpoint(3);
  append(call_of(hook_, 1, outcome::given_up, 3));
  append(call_of(hook_, 3, outcome::delivered, 3));
  EXPECT_FALSE(recover());
}

TEST_P(CheckpointTest, ARetryThatFailsAgainIsReplaced) {
  append(call_of(hook_, 1, outcome::retried, 1));
  checkpoint(1);
  auto again = call_of(hook_, 1, outcome::retried, 1);
  again.attempt = 2;
  again.retry_due = at_ms(90'000);
  append(again);
  recover();
  EXPECT_EQ(
    store_->deliveries().retries(hook_).value(),
    std::vector{(retry{.subject = 1, .due = at_ms(90'000), .attempt = 3})});
}

TEST_P(CheckpointTest, RetriesAreListedByTheirDueTime) {
  for (position p = 1; p <= 3; ++p) {
    auto c = call_of(hook_, p, outcome::retried, p);
    c.retry_due = at_ms(static_cast<std::int64_t>(100 - p));
    append(c);
  }
  EXPECT_EQ(subjects_of(store_->deliveries().retries(hook_).value()),
            (std::vector<position>{3, 2, 1}));
}

// -- disabling ----------------------------------------------------------------

TEST_P(CheckpointTest, DisablingEndsRetriesAndBacklogForGood) {
  append(call_of(hook_, 1, outcome::retried, 1));
  checkpoint(5, {{.hook = hook_, .cursor = 1}});
  append(call_of(hook_, 2, outcome::retried, 2));
  set_enabled(hook_, false);
  EXPECT_FALSE(recover());
  EXPECT_TRUE(load(hook_).retries.empty());
  set_enabled(hook_, true);
  EXPECT_FALSE(recover());
  EXPECT_TRUE(load(hook_).retries.empty());
  EXPECT_EQ(load(hook_).upto.cursor, 10U);
  EXPECT_EQ(ids_of(store_->call_log().newest(hook_, 0, 9).value()),
            (std::vector<call_id>{2, 1}));
}

TEST_P(CheckpointTest, CallsBeforeTheDisablingAreNotReplayedAfterIt) {
  run_together(
    append_call{call_of(hook_, 1, outcome::retried, 1)},
    append_call{call_of(hook_, 2, outcome::gone, 2)},
    change_of(hook_, [](webhook_record& h) { h.current().enabled = false; }),
    change_of(hook_, [](webhook_record& h) { h.current().enabled = true; }),
    append_call{call_of(hook_, 3, outcome::retried, 3)});
  auto before = load(hook_);
  EXPECT_EQ(subjects_of(before.retries), std::vector<position>{3});
  recover();
  EXPECT_EQ(load(hook_).upto, before.upto);
  EXPECT_EQ(load(hook_).retries, before.retries);
}

TEST_P(CheckpointTest, ALateFailureOfADisabledWebhookIsNoRetry) {
  set_enabled(hook_, false);
  append(call_of(hook_, 4, outcome::retried, 4));
  EXPECT_TRUE(load(hook_).retries.empty());
  EXPECT_TRUE(store_->deliveries().retries(hook_).value().empty());
  EXPECT_FALSE(recover());
  run(drop_retries{hook_});
  set_enabled(hook_, true);
  EXPECT_TRUE(load(hook_).retries.empty());
}

TEST_P(CheckpointTest, DroppedRetriesStayDropped) {
  append(call_of(hook_, 1, outcome::retried, 1));
  checkpoint(1);
  append(call_of(hook_, 2, outcome::retried, 2));
  run(drop_retries{hook_});
  EXPECT_TRUE(load(hook_).retries.empty());
  EXPECT_FALSE(recover());
  EXPECT_TRUE(load(hook_).retries.empty());
}

TEST_P(CheckpointTest, RetriesAreFoundByWhatHappened) {
  auto named = draft_of(2);
  named.action = "a.c";
  auto traced = named;
  traced.trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  run(publish_of({named, draft_of(2), traced})); // 11 to 13
  const auto found = [this](action_choice which) {
    return subjects_of(store_->deliveries().retries(hook_, which).value());
  };
  append(call_of(hook_, 1, outcome::retried, 0));
  append(call_of(hook_, 11, outcome::retried, 0));
  checkpoint(13, {{.hook = hook_, .cursor = 0}});
  append(call_of(hook_, 12, outcome::retried, 0));
  append(call_of(hook_, 13, outcome::retried, 0));
  using list = std::vector<position>;
  EXPECT_EQ(found({.type = 1}), (list{1}));
  EXPECT_EQ(found({.type = 2}), (list{11, 12, 13}));
  EXPECT_EQ(found({.action = "a.c"}), (list{11, 13}));
  EXPECT_EQ(found({.type = 2, .action = "a.b"}), (list{12}));
  EXPECT_EQ(found({.type = 1, .action = "a.c"}), list{});
  EXPECT_EQ(found({.type = 3}), list{});
  EXPECT_EQ(found({}), (list{1, 11, 12, 13}));
  append(call_of(hook_, 11, outcome::given_up, 0));
  auto sooner = call_of(hook_, 12, outcome::retried, 0);
  sooner.retry_due = at_ms(1000);
  append(sooner);
  EXPECT_EQ(found({.type = 2}), (list{12, 13}));
  append(call_of(hook_, 12, outcome::retried, 0));
  reopen();
  EXPECT_EQ(found({.action = "a.c"}), (list{13}));
  set_enabled(hook_, false);
  EXPECT_EQ(found({.type = 2}), list{});
  EXPECT_EQ(code_of(store_->deliveries().retries(99, {.type = 1})),
            ec::not_found);
}

TEST_P(CheckpointTest, LoadingSeesTheOperationsBeforeItInItsBatch) {
  barrier op;
  op.load = hook_;
  auto batch = run_together(
    append_call{call_of(hook_, 1, outcome::retried, 1)}, op,
    append_call{call_of(hook_, 1, outcome::delivered, 1)}, op);
  EXPECT_EQ(std::get<barrier>(batch[1]).done.value().retries.size(), 1U);
  EXPECT_EQ(std::get<barrier>(batch[3]).done.value().retries.size(), 0U);
  op.load = 99;
  EXPECT_EQ(code_of(run(op).done), ec::not_found);
}

} // namespace fanfare::test
