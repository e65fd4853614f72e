// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/committer.hpp"

#include "tests/actors/actor_test.hpp"
#include "tests/actors/probe_webhook.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

namespace fanfare::test {

namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class CommitterTest : public NodeTest {
protected:
  CommitterTest() {
    // Nobody is told: what is tested here is the writing.
    hook_ = node_->add_webhook();
    node_->edit(hook_, [](webhook_record& w) { w.current().types = {9}; });
  }

  /// A publish whose outcome is noted in `published_`.
  publish_request publication(std::size_t bytes = 100) {
    storage::append_notifications append;
    append.drafts.push_back({.owner = 1,
                             .event = 0,
                             .new_event = {},
                             .type = 1,
                             .action = "a.b.c",
                             .rest = "}"});
    return {.append = std::move(append),
            .done =
              [this](storage::operation&, const error* failure) {
                published_.push_back(failure != nullptr ? failure->code
                                                        : ec::ok);
              },
            .bytes = bytes};
  }

  bool publish(std::size_t bytes = 100, patience how = patience::none) {
    auto request = publication(bytes);
    return node_->queue.try_push(request, how);
  }

  /// The same by a thread that would wait for it. False: it has to.
  bool publish_alone() {
    auto request = publication();
    const bool written = node_->writer->write_alone(node_->queue, request);
    EXPECT_EQ(!request.done, written) << "else it is untouched";
    EXPECT_EQ(request.append.drafts.empty(), written);
    return written;
  }

  void log(position subject) {
    call c;
    c.hook = hook_;
    c.subject = subject;
    node_->queue.push(
      {.what = storage::append_call{c}, .done = {}, .lasting = true});
  }

  std::vector<position> logged() {
    std::vector<position> all;
    for (const auto& c : node_->calls(hook_))
      all.push_back(c.subject);
    return all;
  }

  webhook_id hook_ = 0;
  std::vector<ec> published_;
  error full_{ec::store_full, "the disk is full"};
};

TEST_F(CommitterTest, ManyShareOneCommit) {
  const auto before = node_->store.commits;
  for (int i = 0; i < 500; ++i) {
    publish();
    log(1);
  }
  EXPECT_THAT(published_, SizeIs(0));
  node_->run();
  EXPECT_EQ(node_->store.commits, before + 1);
  EXPECT_EQ(node_->store.largest_commit, 1'000U);
  EXPECT_THAT(published_, SizeIs(500));
  EXPECT_THAT(published_, Each(ec::ok));
}

TEST_F(CommitterTest, RefusesPublishesAndKeepsCallsWhileTheDiskIsFull) {
  int tries = 0;
  node_->store.on_commit = [&]() -> result<void> {
    switch (++tries) {
      case 1: EXPECT_FALSE(node_->queue.failing()); return full_;
      case 2:
        EXPECT_TRUE(node_->queue.failing());
        EXPECT_TRUE(node_->queue.congested());
        EXPECT_THAT(published_, ElementsAre(ec::store_full));
        publish();
        log(2);
        return full_;
      case 3: return full_;
      case 4:
        EXPECT_THAT(published_, ElementsAre(ec::store_full, ec::store_full));
        log(3);
        return full_;
      default: return {};
    }
  };
  publish();
  log(1);
  node_->run();
  EXPECT_GE(tries, 5);
  EXPECT_THAT(logged(), ElementsAre(1, 2, 3));
  EXPECT_FALSE(node_->queue.failing());
  EXPECT_EQ(node_->store.journal().tail(), 0U);
  publish();
  node_->run();
  EXPECT_EQ(published_.back(), ec::ok);
  EXPECT_EQ(node_->store.journal().tail(), 1U);
}

TEST_F(CommitterTest, IsNotFailingWhenOnlyPublishesWereRefused) {
  node_->store.on_commit = [this]() -> result<void> { return full_; };
  publish();
  node_->run();
  EXPECT_THAT(published_, ElementsAre(ec::store_full));
  EXPECT_FALSE(node_->queue.congested());
  node_->store.on_commit = nullptr;
  publish();
  node_->run();
  EXPECT_THAT(published_, ElementsAre(ec::store_full, ec::ok));
}

TEST_F(CommitterTest, TellsThoseWhoWaitOnceTheDiskWorksAgain) {
  auto record = std::make_shared<probe_record>();
  auto probe = node_->sys.system.spawn<probe_webhook>(record);
  int tries = 0;
  node_->store.on_commit = [&]() -> result<void> {
    if (++tries == 2) {
      node_->queue.notify_when_writable(probe);
      node_->queue.notify_when_writable(probe);
    }
    EXPECT_EQ(record->writables, 0U);
    return tries < 4 ? result<void>{full_} : result<void>{};
  };
  log(1);
  node_->run();
  EXPECT_EQ(record->writables, 2U);
  node_->queue.notify_when_writable(probe);
  node_->run();
  EXPECT_EQ(record->writables, 3U) << "at once";
  caf::anon_send_exit(probe, caf::exit_reason::user_shutdown);
  node_->run();
}

TEST_F(CommitterTest, IsCongestedWhileTooMuchWaits) {
  auto record = std::make_shared<probe_record>();
  auto probe = node_->sys.system.spawn<probe_webhook>(record);
  for (std::size_t i = 0; i <= commit_queue::congestion_limit; ++i)
    log(1);
  EXPECT_TRUE(node_->queue.congested());
  EXPECT_FALSE(node_->queue.failing());
  node_->queue.notify_when_writable(probe);
  EXPECT_EQ(record->writables, 0U);
  node_->run();
  EXPECT_FALSE(node_->queue.congested());
  EXPECT_EQ(record->writables, 1U);
  caf::anon_send_exit(probe, caf::exit_reason::user_shutdown);
  node_->run();
}

TEST_F(CommitterTest, PublishesThatWaitHoldNoCalls) {
  for (std::size_t i = 0; i < 5 * commit_queue::congestion_limit; ++i)
    ASSERT_TRUE(publish(100));
  EXPECT_FALSE(node_->queue.congested());
  log(1);
  EXPECT_FALSE(node_->queue.congested());
}

TEST_F(CommitterTest, TellsThoseWhoWaitAlthoughAsMuchComesAfterIt) {
  auto record = std::make_shared<probe_record>();
  auto probe = node_->sys.system.spawn<probe_webhook>(record);
  const auto fill = [this] {
    for (std::size_t i = 0; i <= commit_queue::congestion_limit; ++i)
      log(1);
  };
  fill();
  node_->queue.push({.what = storage::barrier{},
                     .done = [&](storage::operation&, const error*) { fill(); },
                     .lasting = true});
  node_->queue.notify_when_writable(probe);
  std::vector<std::size_t> told;
  node_->store.on_commit = [&]() -> result<void> {
    node_->sys.sched.run(); // others do not wait for the commit
    told.push_back(record->writables);
    return {};
  };
  node_->run();
  EXPECT_THAT(told, ElementsAre(1, 1));
  caf::anon_send_exit(probe, caf::exit_reason::user_shutdown);
  node_->run();
}

TEST_F(CommitterTest, TakesNoMorePublishesThanFitIntoMemory) {
  EXPECT_TRUE(publish(commit_queue::publish_bytes_limit));
  EXPECT_FALSE(publish(1));
  node_->run();
  EXPECT_THAT(published_, ElementsAre(ec::ok));
  EXPECT_TRUE(publish(1));
  node_->run();
  EXPECT_THAT(published_, ElementsAre(ec::ok, ec::ok));
}

TEST_F(CommitterTest, LeavesNobodyWaitingIfItEndsByAnException) {
  node_->store.on_commit = []() -> result<void> {
    throw std::runtime_error{"out of something"};
  };
  publish();
  log(1);
  publish();
  node_->run();
  EXPECT_THAT(published_, ElementsAre(ec::internal, ec::internal));
}

TEST_F(CommitterTest, LetsWhoeverCanWaitDoSoBeforeItRefusesOthers) {
  constexpr auto some = commit_queue::patient_bytes_limit;
  constexpr auto all = commit_queue::publish_bytes_limit;
  EXPECT_TRUE(publish(some - 1, patience::for_room));
  EXPECT_TRUE(publish(2 * some, patience::for_room))
    << "large ones get their turn";
  EXPECT_FALSE(publish(1, patience::for_room));
  EXPECT_TRUE(publish(1));
  EXPECT_TRUE(publish(all - 3 * some));
  EXPECT_FALSE(publish(1));
  node_->run();
  EXPECT_TRUE(publish(1, patience::for_room));
  EXPECT_FALSE(publish(all, patience::for_room)) << "all together have a limit";
  node_->run();
  EXPECT_TRUE(publish(all, patience::for_room));
  node_->run();
  EXPECT_THAT(published_, SizeIs(6));
  EXPECT_THAT(published_, Each(ec::ok));
}

TEST_F(CommitterTest, WhoWaitsWritesIfNobodyElseDoes) {
  const auto before = node_->store.commits;
  EXPECT_TRUE(publish_alone());
  EXPECT_THAT(published_, ElementsAre(ec::ok));
  EXPECT_EQ(node_->store.commits, before + 1) << "no actor has run";
  EXPECT_EQ(node_->store.journal().tail(), 1U);
  node_->run();
  EXPECT_EQ(node_->routed_upto, 1U) << "the router was told";
  EXPECT_TRUE(publish_alone()) << "again";
  EXPECT_THAT(published_, ElementsAre(ec::ok, ec::ok));
}

TEST_F(CommitterTest, WhoWaitsDoesNotWriteWhatOthersHaveToSay) {
  publish();
  EXPECT_FALSE(publish_alone()) << "the committer has been woken";
  EXPECT_THAT(published_, SizeIs(0));
  node_->run();
  EXPECT_THAT(published_, ElementsAre(ec::ok));
  EXPECT_TRUE(publish_alone()) << "its turn has ended";
}

TEST_F(CommitterTest, TheCommitterWritesWhatCameWhileAnotherWrote) {
  bool first = true;
  node_->store.on_commit = [&]() -> result<void> {
    if (std::exchange(first, false)) {
      EXPECT_FALSE(publish_alone()) << "one at a time";
      publish();
      log(1);
      node_->run();
      EXPECT_THAT(published_, SizeIs(0)) << "not before the turn has ended";
    }
    return {};
  };
  EXPECT_TRUE(publish_alone());
  EXPECT_THAT(published_, ElementsAre(ec::ok));
  node_->run();
  EXPECT_THAT(published_, ElementsAre(ec::ok, ec::ok));
  EXPECT_THAT(logged(), ElementsAre(1));
  EXPECT_TRUE(publish_alone());
}

TEST_F(CommitterTest, WhatOneAloneCannotWriteIsLeftToTheCommitter) {
  int tries = 0;
  node_->store.on_commit = [&]() -> result<void> {
    if (++tries == 1)
      log(1);
    return tries < 4 ? result<void>{full_} : result<void>{};
  };
  EXPECT_TRUE(publish_alone());
  EXPECT_THAT(published_, SizeIs(0)) << "it waits, as it would have anyway";
  node_->run();
  EXPECT_THAT(published_, ElementsAre(ec::store_full));
  EXPECT_THAT(logged(), ElementsAre(1));
  EXPECT_EQ(node_->store.journal().tail(), 0U);
  EXPECT_TRUE(publish_alone());
  EXPECT_EQ(published_.back(), ec::ok);
}

TEST_F(CommitterTest, WhatOneAloneCannotWriteIsRefusedOnceItIsClosed) {
  node_->store.on_commit = [&]() -> result<void> {
    node_->queue.close();
    return full_;
  };
  EXPECT_TRUE(publish_alone());
  EXPECT_THAT(published_, ElementsAre(ec::stopping));
  EXPECT_FALSE(publish_alone());
  node_->queue.wait_for_others();
}

TEST_F(CommitterTest, EndsIfAnotherHasThrownWhileItWrote) {
  node_->store.on_commit = [this]() -> result<void> {
    publish();
    throw std::runtime_error{"out of something"};
  };
  EXPECT_TRUE(publish_alone());
  EXPECT_THAT(published_, ElementsAre(ec::internal));
  node_->queue.wait_for_others();
  node_->store.on_commit = nullptr;
  node_->run(); // the supervisor closes the queue
  EXPECT_FALSE(publish_alone()) << "nothing is written any more";
  EXPECT_EQ(node_->store.journal().tail(), 0U);
  EXPECT_THAT(published_, ElementsAre(ec::internal, ec::stopping));
}

TEST_F(CommitterTest, EndsWhenItIsClosedAlthoughTheDiskIsFull) {
  ec refused = ec::ok;
  bool first = true;
  node_->store.on_commit = [&]() -> result<void> {
    if (std::exchange(first, false))
      node_->queue.close();
    return full_;
  };
  node_->queue.push(
    {.what = storage::append_call{{{.hook = hook_}}},
     .done = [&](storage::operation&, const error* e) { refused = e->code; },
     .lasting = true});
  node_->run();
  EXPECT_EQ(refused, ec::store_full);
}

} // namespace

} // namespace fanfare::test
