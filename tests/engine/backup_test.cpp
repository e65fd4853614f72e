// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Backups of an embedded engine.

#include "fanfare/engine.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;

class EngineBackupTest : public ::testing::Test {
protected:
  EngineBackupTest() {
    engine_ = engine::start({.data = dir_ / "data"}).value();
    engine_->ensure_action_type("shop.order.placed").value();
    shop_ = engine_->ensure_organizer("shop").value().id;
    last_ = engine_->publish(shop_, {.action = "shop.order.placed"}).value();
  }

  temp_dir dir_;
  std::unique_ptr<engine> engine_;
  organizer_id shop_ = 0;
  position last_ = 0;
};

TEST_F(EngineBackupTest, IsRestoredIntoAnEngine) {
  const auto made = engine_->back_up(dir_ / "a.backup");
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(engine_->back_up(dir_ / "a.backup").error().code,
            ec::already_exists);
  EXPECT_EQ(check_data(dir_ / "data").error().code, ec::store_locked);
  EXPECT_TRUE(check_data(dir_ / "a.backup").value().faults.empty());
  engine_.reset();
  ASSERT_TRUE(
    restore_backup(dir_ / "a.backup", dir_ / "again", {.skipped_ids = 10}));
  auto again = engine::start({.data = dir_ / "again"}).value();
  const auto shop = again->find_organizer("shop");
  ASSERT_TRUE(shop);
  EXPECT_TRUE(again->find_notification(shop->id, last_));
  EXPECT_EQ(again->publish(shop->id, {.action = "shop.order.placed"}).value(),
            last_ + 11);
}

TEST_F(EngineBackupTest, IsMadeOneAtATime) {
  ec other = ec::ok;
  const auto made = engine_->back_up(
    dir_ / "a.backup", {.progress = [&](std::uint64_t, std::uint64_t) {
      if (other == ec::ok)
        other = engine_->back_up(dir_ / "b.backup").error().code;
      return true;
    }});
  EXPECT_TRUE(made);
  EXPECT_EQ(other, ec::conflict);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "b.backup"));
}

TEST_F(EngineBackupTest, EndsWithTheEngine) {
  const auto made = engine_->back_up(
    dir_ / "a.backup", {.progress = [&](std::uint64_t, std::uint64_t) {
      engine_->stop(0ms);
      return true;
    }});
  EXPECT_EQ(made.error().code, ec::stopping);
  EXPECT_EQ(engine_->back_up(dir_ / "a.backup").error().code, ec::stopping);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "a.backup"));
}

} // namespace

} // namespace fanfare::test
