// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What several threads share of the actors' side, without an actor system: the
/// thread sanitizer does not know CAF's own synchronization. Here the test is
/// the committer.

#include "actors/batch_writer.hpp"
#include "actors/commit_queue.hpp"
#include "tests/support/memory_store/store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t publishers = 4;
constexpr std::size_t each = 500;

class CommitQueueThreadsTest : public ::testing::Test {
protected:
  CommitQueueThreadsTest()
    : writer_({.store = &store_,
               .observe = [this](const auto&) { ++observed_; },
               .publish = [this](const auto&) { ++announced_; },
               .routed_upto = &routed_upto_}) {}

  publish_request request(std::size_t bytes = 100) {
    publish_request out;
    out.append.drafts.push_back({.owner = 1,
                                 .event = 0,
                                 .new_event = {},
                                 .type = 1,
                                 .action = "a.b.c",
                                 .rest = "}"});
    out.bytes = bytes;
    out.done = [this](storage::operation&, const error* failure) {
      ++(failure == nullptr ? completed_ : failed_);
    };
    return out;
  }

  /// Writes all that waits; with the turn to write, or alone.
  void write_waiting() {
    commit_queue::batch batch;
    while (queue_.take(batch, 0us)) {
      ASSERT_TRUE(writer_.write(batch));
      writer_.tell(batch);
      batch.truncate(0);
    }
  }

  template <class Step>
  static void run_publishers(Step step) {
    std::vector<std::thread> threads;
    threads.reserve(publishers);
    for (std::size_t t = 0; t < publishers; ++t)
      threads.emplace_back([&step] {
        for (std::size_t i = 0; i < each; ++i)
          step();
      });
    for (auto& thread : threads)
      thread.join();
  }

  memory_store store_;
  std::atomic<position> routed_upto_{0};
  commit_queue queue_;
  /// No atomics: only whoever has the turn to write touches them.
  std::size_t observed_ = 0;
  std::size_t announced_ = 0;
  std::atomic<std::size_t> completed_{0};
  std::atomic<std::size_t> failed_{0};
  batch_writer writer_;
};

TEST_F(CommitQueueThreadsTest, OneWritesWhatManyPublish) {
  std::atomic<bool> all_pushed{false};
  std::thread committer{[&] {
    while (!all_pushed) {
      write_waiting();
      queue_.wait_for_more(1ms);
    }
    write_waiting();
  }};
  // Large ones, so that publishers have to wait for room now and then.
  run_publishers([this] {
    auto one = request(commit_queue::patient_bytes_limit / 16);
    while (!queue_.try_push(one, patience::for_room))
      queue_.wait_for_room(std::chrono::steady_clock::now() + 10s);
  });
  all_pushed = true;
  committer.join();
  EXPECT_EQ(completed_, publishers * each);
  EXPECT_EQ(failed_, 0U);
  EXPECT_EQ(observed_, publishers * each);
  EXPECT_EQ(store_.contents().tail(), publishers * each);
}

TEST_F(CommitQueueThreadsTest, OneAtATimeHasTheTurnToWrite) {
  std::atomic<std::size_t> alone{0};
  run_publishers([&] {
    auto one = request();
    if (writer_.write_alone(queue_, one))
      ++alone;
    else if (!queue_.try_push(one, patience::none))
      ADD_FAILURE() << "there is room";
  });
  write_waiting();
  EXPECT_GT(alone, 0U);
  EXPECT_EQ(completed_, publishers * each);
  EXPECT_EQ(observed_, publishers * each);
  EXPECT_EQ(store_.contents().tail(), publishers * each);
}

TEST_F(CommitQueueThreadsTest, WhatComesAfterItIsClosedIsRefused) {
  std::thread closing{[this] {
    queue_.wait_for_more(1ms);
    queue_.close();
  }};
  run_publishers([this] {
    auto one = request();
    if (!writer_.write_alone(queue_, one)) {
      ASSERT_TRUE(queue_.try_push(one, patience::none));
    }
  });
  closing.join();
  queue_.wait_for_others();
  EXPECT_EQ(completed_ + failed_, publishers * each);
  EXPECT_EQ(store_.contents().tail(), completed_);
}

} // namespace

} // namespace fanfare::test
