// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What is the LMDB store's own: what its operations cost and leave in the
/// file, and which names its keys can be.

#include "tests/storage/lmdb/store_test.hpp"

namespace fanfare::test {

namespace {

class LmdbStoreTest : public store_test {
protected:
  /// The webhook's record in the table of progress. Closes the store and opens
  /// it again.
  std::string progress_record(webhook_id hook) {
    store_.reset();
    std::string found;
    {
      auto env = lmdb::environment::open(
        {.file = dir_ / "data/fanfare.mdb", .map_size = std::size_t{1} << 30});
      EXPECT_TRUE(env) << env.error().detail;
      lmdb::write_transaction txn{**env};
      EXPECT_TRUE(txn.has(lmdb::table::progress));
      if (const auto record = txn.get(lmdb::table::progress,
                                      lmdb::as_key(hook)))
        found = *record;
    }
    open();
    return found;
  }
};

// -- what it costs ------------------------------------------------------------

TEST_F(LmdbStoreTest, ABatchOfReadsDoesNotTouchTheDisk) {
  auto hook = add_hook(1, {1});
  store_->settle();
  auto before = std::filesystem::last_write_time(dir_ / "data/fanfare.mdb");
  auto visited = store_->statistics().bytes_used;
  std::filesystem::last_write_time(dir_ / "data/fanfare.mdb",
                                   before - std::chrono::hours{1});
  load(hook.id);
  EXPECT_EQ(std::filesystem::last_write_time(dir_ / "data/fanfare.mdb"),
            before - std::chrono::hours{1});
  EXPECT_EQ(store_->statistics().bytes_used, visited);
}

TEST_F(LmdbStoreTest, ABacklogDoesNotTouchOtherOrganizersNotifications) {
  auto hook = add_hook(1, {1});
  std::vector<draft> others(1000, draft_of(1, 2));
  others.push_back(draft_of(1, 1));
  run(publish_of(others));
  store_->settle();
  auto before = store_->records_visited();
  EXPECT_EQ(store_->journal()
              .read_backlog(hook, 0, 5000, 10, 10)
              .value()
              .matches.size(),
            1U);
  EXPECT_LE(store_->records_visited() - before, 4U);
}

TEST_F(LmdbStoreTest, OtherWebhooksCallsAreNotLookedAt) {
  std::vector<operation> batch;
  for (call_id i = 0; i < 5000; ++i)
    batch.emplace_back(
      append_call{call_of(1 + i % 500, 1 + i, outcome::delivered, 1 + i)});
  ASSERT_TRUE(store_->commit(batch));
  for (auto with_checkpoint : {false, true}) {
    if (with_checkpoint)
      checkpoint(0);
    store_->settle();
    auto before = store_->records_visited();
    EXPECT_EQ(store_->call_log().newest(250, 0, 10).value().size(), 10U);
    EXPECT_LE(store_->records_visited() - before, 12U);
    before = store_->records_visited();
    EXPECT_EQ(store_->call_log().newest(250, 2250, 2).value().size(), 2U);
    EXPECT_LE(store_->records_visited() - before, 5U);
  }
}

TEST_F(LmdbStoreTest, ACallLeavesTheProgressOfItsWebhookToTheCheckpoint) {
  const auto hook = add_hook(1, {1}).id;
  append(call_of(hook, 1, outcome::delivered, 1));
  EXPECT_EQ(progress_record(hook), "");
  checkpoint(0);
  const auto before = progress_record(hook);
  EXPECT_NE(before, "");
  append(call_of(hook, 2, outcome::delivered, 2));
  append(call_of(hook, 3, outcome::retried, 3));
  EXPECT_EQ(progress_record(hook), before);
  checkpoint(0);
  EXPECT_NE(progress_record(hook), before);
}

TEST_F(LmdbStoreTest, ACheckpointForgetsTheChangesItHasWritten) {
  const auto hook = add_hook(1, {1}).id;
  publish(draft_of(1));
  append(call_of(hook, 1, outcome::retried, 1));
  EXPECT_EQ(store_->changed_webhooks(), 1U);
  checkpoint(1);
  EXPECT_EQ(store_->changed_webhooks(), 0U);
  EXPECT_EQ(subjects_of(store_->deliveries().retries(hook).value()),
            std::vector<position>{1});
}

TEST_F(LmdbStoreTest, ACheckpointOfAnIdleEngineDoesNotTouchTheDisk) {
  const auto hook = add_hook(1, {1}).id;
  run(publish_of(std::vector<draft>(10, draft_of(1))));
  checkpoint(10, {{.hook = hook, .cursor = 3}});
  store_->settle();
  auto file = dir_ / "data/fanfare.mdb";
  std::filesystem::last_write_time(file, std::filesystem::last_write_time(file)
                                           - std::chrono::hours{1});
  auto before = std::filesystem::last_write_time(file);
  checkpoint(10, {{.hook = hook, .cursor = 3}});
  EXPECT_EQ(std::filesystem::last_write_time(file), before);
}

TEST_F(LmdbStoreTest, RetentionMakesRoomThatIsUsedAgain) {
  std::size_t most = 0;
  position next = 1;
  for (int round = 0; round < 30; ++round) {
    run(publish_of(
      std::vector<draft>(100, draft_of(1, 1, std::string(2000, 'x')))));
    checkpoint(store_->journal().tail());
    if (round >= 5) {
      expire op;
      for (; next + 500 <= store_->journal().tail(); ++next)
        op.notifications.push_back(next);
      run(op);
    }
    store_->settle(); // what is free is used again by the next round
    if (round == 10)
      most = std::filesystem::file_size(dir_ / "data/fanfare.mdb");
  }
  EXPECT_LE(std::filesystem::file_size(dir_ / "data/fanfare.mdb"),
            most + most / 10);
}

// -- names as keys ------------------------------------------------------------

TEST_F(LmdbStoreTest, ANameIsAtMostAsLongAsAKey) {
  const auto add = [this](std::size_t size) {
    return code_of(
      run(add_organizer{.slug = std::string(size, 'a'), .name = ""}).done);
  };
  EXPECT_EQ(add(512), ec::too_large);
  EXPECT_EQ(add(511), ec::ok);
  const auto add_to_owner = [this](std::size_t size) {
    return code_of(
      run(add_event{.owner = 1, .slug = std::string(size, 'a'), .name = ""})
        .done);
  };
  EXPECT_EQ(add_to_owner(508), ec::too_large) << "its owner is in the key";
  EXPECT_EQ(add_to_owner(507), ec::ok);
}

} // namespace

} // namespace fanfare::test
