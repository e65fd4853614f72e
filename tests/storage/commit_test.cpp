// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What holds for a commit as a whole: its operations are carried out in order,
/// and all of them or none.

#include "tests/storage/every_store.hpp"

#include <gmock/gmock.h>

#include <stdexcept>
#include <thread>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CommitTest : public every_store_test {};

INSTANTIATE_TEST_SUITE_P(Stores, CommitTest, every_store(), name_of_store);

// -- order --------------------------------------------------------------------

TEST_P(CommitTest, EachOperationSeesThoseBeforeIt) {
  barrier look;
  look.load = 1;
  auto batch = run_together(
    add_organizer{.slug = "a", .name = ""}, publish_of({draft_of(1)}),
    add_webhook{.value = hook_of(1, {1})}, publish_of({draft_of(1)}),
    change_of(1, [](webhook_record& w) { w.current().types = {2}; }),
    publish_of({draft_of(2)}), append_call{call_of(1, 2, outcome::retried, 2)},
    look, append_call{call_of(1, 2, outcome::delivered, 2)}, look,
    save_checkpoint{.routed_upto = 3}, look);
  EXPECT_EQ(std::get<add_organizer>(batch[0]).done->id, 1U);
  const auto& added = *std::get<add_webhook>(batch[2]).done;
  EXPECT_EQ(added.versions.front().from, 2U) << "one was published before it";
  const auto& changed = *std::get<change_webhook>(batch[4]).done;
  ASSERT_EQ(changed.versions.size(), 2U);
  EXPECT_EQ(changed.versions.back().from, 3U);
  const auto seen = [&](std::size_t i) {
    return *std::get<barrier>(batch[i]).done;
  };
  EXPECT_THAT(subjects_of(seen(7).retries), ElementsAre(2));
  EXPECT_THAT(subjects_of(seen(9).retries), IsEmpty());
  EXPECT_EQ(seen(9).upto.cursor, 2U);
  EXPECT_EQ(seen(11).upto.cursor, 3U) << "it was not behind";
  EXPECT_THAT(backlog_of(1), ElementsAre(2, 3));
}

TEST_P(CommitTest, NumbersFollowEachOther) {
  auto batch = run_together(publish_of({draft_of(1), draft_of(1)}),
                            append_call{call_of(1, 1, outcome::delivered, 1)},
                            publish_of({draft_of(1)}),
                            append_call{call_of(2, 1, outcome::delivered, 1)},
                            append_call{call_of(1, 2, outcome::delivered, 2)});
  EXPECT_THAT(ids_of(*std::get<append_notifications>(batch[0]).done),
              ElementsAre(1, 2));
  EXPECT_THAT(ids_of(*std::get<append_notifications>(batch[2]).done),
              ElementsAre(3));
  EXPECT_EQ(std::get<append_call>(batch[1]).entry.id, 1U);
  EXPECT_EQ(std::get<append_call>(batch[3]).entry.id, 2U);
  EXPECT_EQ(std::get<append_call>(batch[3]).entry.previous, 0U);
  EXPECT_EQ(std::get<append_call>(batch[4]).entry.id, 3U);
  EXPECT_EQ(std::get<append_call>(batch[4]).entry.previous, 1U);
}

TEST_P(CommitTest, WhatDoneTellsIsAlsoRead) {
  auto batch = run_together(publish_of({draft_of(1, 1, "ü")}, at_ms(5)),
                            append_call{call_of(1, 1, outcome::retried, 1)});
  EXPECT_EQ(*store_->journal().find(1).value(),
            *std::get<append_notifications>(batch[0]).done->front());
  EXPECT_EQ(store_->call_log().find(1, 1).value(),
            std::get<append_call>(batch[1]).entry);
  EXPECT_EQ(store_->journal().tail(), 1U);
  EXPECT_EQ(store_->statistics().tail, 1U);
  EXPECT_EQ(store_->statistics().first, 1U);
  EXPECT_EQ(store_->statistics().last_call, 1U);
}

// -- how it is told -----------------------------------------------------------

class told final : public commit_listener {
public:
  void committed(result<void> outcome) override {
    outcomes.push_back(std::move(outcome));
    by = std::this_thread::get_id();
  }

  std::vector<result<void>> outcomes;
  std::thread::id by;
};

TEST_P(CommitTest, OneAtATimeIsToldBeforeTheCallReturns) {
  if (store_->commits_ahead() > 1)
    GTEST_SKIP() << "it takes several at once";
  std::vector<operation> batch;
  batch.emplace_back(publish_of({draft_of(1)}));
  batch.emplace_back(add_organizer{.slug = "a", .name = ""});
  told listener;
  store_->commit(batch, listener, commit_place::first);
  ASSERT_THAT(listener.outcomes, ElementsAre(result<void>{}));
  EXPECT_EQ(listener.by, std::this_thread::get_id());
  EXPECT_EQ(ids_of(*std::get<append_notifications>(batch[0]).done),
            std::vector<position>{1});
  EXPECT_EQ(std::get<add_organizer>(batch[1]).done->id, 1U);
  EXPECT_EQ(store_->journal().tail(), 1U);
}

// -- all or nothing -----------------------------------------------------------

TEST_P(CommitTest, OneThatIsRefusedDoesNotKeepTheOthersFromBeingCarriedOut) {
  auto bad = draft_of(1);
  bad.new_event = std::string(1'000, 'x');
  auto batch = run_together(
    publish_of({draft_of(1)}), publish_of({draft_of(1), bad}),
    revoke_token{.owner = 1, .id = 7}, change_of(9, [](webhook_record&) {}),
    start_replay{.owner = 1, .hook = 9, .value = {}}, drop_retries{9},
    enqueue{.hook = 9}, publish_of({draft_of(1)}));
  EXPECT_EQ(code_of(std::get<append_notifications>(batch[1]).done),
            ec::too_large);
  EXPECT_EQ(code_of(std::get<revoke_token>(batch[2]).done), ec::not_found);
  EXPECT_EQ(code_of(std::get<change_webhook>(batch[3]).done), ec::not_found);
  EXPECT_EQ(code_of(std::get<start_replay>(batch[4]).done), ec::not_found);
  EXPECT_THAT(ids_of(*std::get<append_notifications>(batch[7]).done),
              ElementsAre(2));
  reopen();
  EXPECT_EQ(store_->journal().tail(), 2U);
}

TEST_P(CommitTest, AnEditThatThrowsUndoesTheWholeCommit) {
  const auto hook = add_hook(1, {1});
  publish(draft_of(1));
  std::vector<operation> batch;
  batch.emplace_back(publish_of({draft_of(1)}));
  batch.emplace_back(append_call{call_of(hook.id, 1, outcome::retried, 1)});
  batch.emplace_back(add_organizer{.slug = "a", .name = ""});
  batch.emplace_back(change_of(hook.id, [](webhook_record&) {
    throw std::runtime_error{"out of something"};
  }));
  EXPECT_THROW((void)store_->commit(batch), std::runtime_error);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(store_->journal().tail(), 1U);
    EXPECT_EQ(store_->statistics().last_call, 0U);
    EXPECT_THAT(*store_->registry().organizers(), IsEmpty());
    EXPECT_THAT(*store_->deliveries().retries(hook.id), IsEmpty());
    EXPECT_EQ(load(hook.id).upto.cursor, 0U);
    reopen();
  }
  EXPECT_EQ(publish(draft_of(1))->id, 2U);
  EXPECT_EQ(append(call_of(hook.id, 1, outcome::delivered, 1)), 1U);
}

TEST_P(CommitTest, AnEmptyOneAndOneOfBarriersChangeNothing) {
  add_hook(1, {1});
  std::vector<operation> batch;
  EXPECT_TRUE(store_->commit(batch));
  run_together(barrier{}, barrier{});
  EXPECT_EQ(store_->statistics().last_call, 0U);
  EXPECT_EQ(store_->journal().tail(), 0U);
}

} // namespace

} // namespace fanfare::test
