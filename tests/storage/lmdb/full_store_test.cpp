// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/lmdb/store_test.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>

// Three ways of running out of room: the store's own maximum, a limit of the
// process and a full file system.

namespace fanfare::test {

namespace {

constexpr std::size_t small = std::size_t{16} << 20;
constexpr int skipped = 77;

/// Runs a test's body where it can lower limits and mount without others
/// noticing. Gives the exit code: 0, `skipped`, or 1 after a failure.
int in_child(const std::function<void()>& body) {
  std::fflush(nullptr);
  auto child = ::fork();
  if (child == 0) {
    body();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

class FullStoreTest : public store_test {
protected:
  /// Whether they were accepted; not accepting means store_full in either form.
  bool try_publish(std::size_t size, std::size_t count = 1) {
    std::vector<operation> batch;
    batch.emplace_back(publish_of(
      std::vector<draft>(count, draft_of(1, 1, std::string(size, 'x')))));
    auto done = store_->commit(batch);
    const auto& op = std::get<append_notifications>(batch.front());
    if (done && op.done)
      return true;
    EXPECT_EQ(done ? op.done.error().code : done.error().code, ec::store_full)
      << (done ? op.done.error().detail : done.error().detail);
    return false;
  }

  /// Returns how many were accepted until not even one was.
  std::size_t publish_until_full(std::size_t size) {
    std::size_t accepted = 0;
    for (std::size_t count = 64; count > 0;)
      if (try_publish(size, count))
        accepted += count;
      else
        count /= 2;
    return accepted;
  }

  bool try_call(std::size_t size, std::size_t count = 1) {
    auto c = call_of(1, 1, outcome::delivered, 0);
    c.response_body = std::string(size, 'y');
    std::vector<operation> batch(count, append_call{c});
    auto done = store_->commit(batch);
    EXPECT_TRUE(done || done.error().code == ec::store_full)
      << done.error().detail;
    return done.has_value();
  }

  /// Returns how many were appended until not even one could be.
  std::size_t call_until_full(std::size_t size) {
    std::size_t appended = 0;
    for (std::size_t count = 64; count > 0;)
      if (try_call(size, count))
        appended += count;
      else
        count /= 2;
    return appended;
  }

  void expire_all() {
    checkpoint(store_->journal().tail());
    for (;;) {
      auto plan = store_->plan_expiry(at_ms(1), 200, {}).value();
      if (plan.notifications.empty() && plan.calls_upto == 0)
        break;
      run(expire{.notifications = plan.notifications,
                 .calls_upto = plan.calls_upto});
      if (!plan.more)
        break;
    }
  }
};

TEST_F(FullStoreTest, RefusesPublishesButNotCallsCheckpointsAndEdits) {
  reopen({.max_size = small});
  auto hook = add_hook(1, {1});
  EXPECT_GT(publish_until_full(20'000), 200U);
  EXPECT_FALSE(try_publish(20'000));
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(try_call(1000, 10));
  checkpoint(0);
  set_enabled(hook.id, false);
}

TEST_F(FullStoreTest, StillAnswersWhatIsKeptUnderAnIdempotencyKey) {
  store_options small{.max_size = std::size_t{8} << 20};
  reopen(small);
  run(once('k', at_ms(1)));
  auto full = ec::ok;
  for (int i = 0; i < 1'000 && full == ec::ok; ++i)
    full = code_of(
      run(publish_of({draft_of(1, 1, std::string(50'000, 'x'))})).done);
  ASSERT_EQ(full, ec::store_full);
  EXPECT_TRUE(run(once('k', at_ms(1))).earlier);
  remember_answer big;
  big.key = key_of('l');
  big.now = at_ms(1);
  big.answer = answer_of(std::string(50'000, 'x'));
  EXPECT_EQ(code_of(run(big).done), ec::store_full);
}

TEST_F(FullStoreTest, ARefusedPublishDoesNotStopTheRestOfItsBatch) {
  reopen({.max_size = small});
  publish_until_full(20'000);
  auto tail = store_->journal().tail();
  auto batch = run_together(
    publish_of({draft_of(1, 1, std::string(20'000, 'x'))}),
    append_call{call_of(1, 1, outcome::delivered, 0)});
  EXPECT_EQ(code_of(std::get<append_notifications>(batch[0]).done),
            ec::store_full);
  EXPECT_EQ(store_->journal().tail(), tail);
  EXPECT_EQ(store_->call_log().newest(1, 0, 10).value().size(), 1U);
}

TEST_F(FullStoreTest, ABatchTooBigForTheRoomLeftIsRefusedAsAWhole) {
  reopen({.max_size = small});
  std::vector<draft> drafts(40, draft_of(1, 1, std::string(500'000, 'x')));
  EXPECT_EQ(code_of(run(publish_of(drafts)).done), ec::store_full);
  EXPECT_EQ(store_->journal().tail(), 0U);
  EXPECT_TRUE(try_publish(500'000));
}

TEST_F(FullStoreTest, PublishesGoOnOnceExpiryHasMadeRoom) {
  reopen({.max_size = small});
  for (int round = 0; round < 3; ++round) {
    EXPECT_GT(publish_until_full(20'000), 200U) << round;
    expire_all();
  }
  reopen({.max_size = small});
  EXPECT_TRUE(try_publish(20'000));
}

TEST_F(FullStoreTest, CallsEndBeforeThereIsNoRoomToMakeRoom) {
  reopen({.max_size = small});
  add_hook(1, {1});
  publish_until_full(10'000);
  auto calls = call_until_full(16'000);
  EXPECT_GT(calls, 50U);
  EXPECT_EQ(store_->statistics().last_call, calls);
  expire_all();
  EXPECT_TRUE(try_call(16'000));
  EXPECT_TRUE(try_publish(1000));
  EXPECT_EQ(store_->call_log().newest(1, 0, 10).value().front().id, calls + 1);
}

TEST_F(FullStoreTest, ManyCallsOfOneBatchLeaveNothingBehindWhenThereIsNoRoom) {
  reopen({.max_size = small});
  auto hook = add_hook(1, {1});
  run(publish_of(std::vector<draft>(10, draft_of(1))));
  append(call_of(hook.id, 1, outcome::delivered, 1));
  auto before = load(hook.id);
  std::vector<operation> batch;
  for (int i = 0; i < 2000; ++i) {
    auto c = call_of(hook.id, 5, outcome::retried, 4);
    c.response_body = std::string(16'000, 'y');
    batch.emplace_back(append_call{std::move(c)});
  }
  batch.emplace_back(add_webhook{.value = hook_of(1, {1})});
  EXPECT_EQ(code_of(store_->commit(batch)), ec::store_full);
  EXPECT_EQ(load(hook.id).upto, before.upto);
  EXPECT_TRUE(load(hook.id).retries.empty());
  EXPECT_TRUE(store_->deliveries().retries(hook.id).value().empty());
  EXPECT_EQ(store_->statistics().last_call, 1U);
  EXPECT_EQ(store_->changed_webhooks(), 1U);
  EXPECT_EQ(append(call_of(hook.id, 2, outcome::delivered, 2)), 2U);
  reopen({.max_size = small});
  EXPECT_EQ(load(hook.id).upto.cursor, 2U);
  EXPECT_EQ(store_->registry().count_webhooks(1, {}).value(), 1U);
}

TEST_F(FullStoreTest, AStoreBeyondALoweredMaximumCanMakeRoom) {
  run(publish_of(
    std::vector<draft>(60, draft_of(1, 1, std::string(500'000, 'x')))));
  reopen({.max_size = small});
  EXPECT_FALSE(try_publish(1000));
  expire_all();
  EXPECT_TRUE(try_publish(1000));
}

TEST_F(FullStoreTest, StatisticsTellWhatIsInUse) {
  reopen({.max_size = small});
  auto empty = store_->statistics();
  EXPECT_EQ(empty.bytes_max, small);
  for (int i = 0; i < 10; ++i)
    publish(draft_of(1, 1, std::string(500'000, 'x')));
  auto filled = store_->statistics();
  EXPECT_GT(filled.bytes_used, empty.bytes_used + 5'000'000);
  EXPECT_EQ(filled.first, 1U);
  EXPECT_EQ(filled.tail, 10U);
  expire_all();
  EXPECT_LT(store_->statistics().bytes_used,
            empty.bytes_used + 500'000 + small / 4)
    << "the log keeps its segments";
}

TEST_F(FullStoreTest, AFileSizeLimitRefusesAndLosesNothing) {
  store_.reset();
  auto code = in_child([this] {
    open();
    auto hook = add_hook(1, {1});
    rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    std::signal(SIGXFSZ, SIG_IGN);
    auto limited = old;
    limited.rlim_cur = 3 << 20;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limited), 0);
    auto accepted = publish_until_full(20'000);
    EXPECT_GT(accepted, 50U);
    auto calls = call_until_full(16'000);
    EXPECT_EQ(store_->journal().tail(), accepted);
    EXPECT_EQ(load(hook.id).upto.last_call, calls);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
    EXPECT_TRUE(try_publish(20'000));
    EXPECT_TRUE(try_call(16'000));
    EXPECT_EQ(store_->journal().tail(), accepted + 1);
    reopen();
    EXPECT_EQ(store_->journal().tail(), accepted + 1);
    EXPECT_EQ(store_->journal().read(0, accepted + 1, 100'000).value().size(),
              accepted + 1);
    EXPECT_EQ(store_->call_log().newest(1, 0, 100'000).value().size(),
              calls + 1);
    store_.reset();
  });
  EXPECT_EQ(code, 0);
}

TEST_F(FullStoreTest, WhatTheDiskRefusedCanBeTriedAgainAsItIs) {
  store_.reset();
  auto code = in_child([this] {
    open();
    rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    std::signal(SIGXFSZ, SIG_IGN);
    auto limited = old;
    limited.rlim_cur = 1 << 20;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limited), 0);
    auto first = draft_of(1, 1, "first");
    first.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const auto large = draft_of(2, 1, std::string(2 << 20, 'x'));
    std::vector<operation> batch;
    batch.emplace_back(publish_of({first, large}));
    auto& op = std::get<append_notifications>(batch.front());
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(store_->commit(batch)) << "of what it could do";
      EXPECT_EQ(code_of(op.done), ec::store_full);
      EXPECT_EQ(op.drafts[0].action, first.action);
      EXPECT_EQ(op.drafts[0].rest, first.rest);
      EXPECT_EQ(op.drafts[0].trace, first.trace);
      EXPECT_EQ(op.drafts[1].rest, large.rest);
    }
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
    EXPECT_TRUE(store_->commit(batch));
    ASSERT_TRUE(op.done);
    const auto stored = store_->journal().read(0, 10, 10).value();
    ASSERT_EQ(stored.size(), 2U);
    EXPECT_EQ(*stored[0], *op.done->at(0));
    EXPECT_EQ(stored[0]->action, first.action);
    EXPECT_EQ(stored[0]->trace, first.trace);
    EXPECT_EQ(stored[0]->body, R"({"notification_id": 1)" + first.rest);
    EXPECT_EQ(stored[1]->body, R"({"notification_id": 2)" + large.rest);
    store_.reset();
  });
  EXPECT_EQ(code, 0);
}

TEST_F(FullStoreTest, AFullDiskRefusesAndLosesNothing) {
  store_.reset();
  auto code = in_child([this] {
    std::filesystem::create_directory(dir_ / "data");
    // Of its own namespace: nobody else sees the mount, and it ends with us.
    if (::unshare(CLONE_NEWNS) != 0
        || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0
        || ::mount("tmpfs", (dir_ / "data").c_str(), "tmpfs", 0, "size=4m")
             != 0)
      ::_exit(skipped);
    open();
    add_hook(1, {1});
    auto accepted = publish_until_full(20'000);
    EXPECT_GT(accepted, 50U);
    auto calls = call_until_full(1000);
    EXPECT_EQ(store_->journal().tail(), accepted);
    ASSERT_EQ(::mount("tmpfs", (dir_ / "data").c_str(), "tmpfs", MS_REMOUNT,
                      "size=16m"),
              0);
    EXPECT_TRUE(try_publish(20'000));
    EXPECT_TRUE(try_call(1000));
    reopen();
    EXPECT_EQ(store_->journal().read(0, 100'000, 100'000).value().size(),
              accepted + 1);
    EXPECT_EQ(store_->call_log().newest(1, 0, 100'000).value().size(),
              calls + 1);
    store_.reset();
  });
  if (code == skipped)
    GTEST_SKIP() << "Mounting is not permitted here.";
  EXPECT_EQ(code, 0);
}

} // namespace fanfare::test
