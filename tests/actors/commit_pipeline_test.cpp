// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Writing on a store that has several commits in flight and tells of them
/// later, from a thread of its own; also under the thread sanitizer.

#include "actors/commit_pipeline.hpp"

#include "tests/support/memory_store/late_store.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CommitPipelineThreadsTest : public ::testing::Test {
protected:
  CommitPipelineThreadsTest()
    : writer_({.store = &store_,
               .observe =
                 [this](const auto&) {
                   if (throws_)
                     throw std::runtime_error{"out of something"};
                 },
               .publish = [](const auto&) {},
               .routed_upto = &routed_upto_}),
      pipeline_({.writer = &writer_,
                 .queue = &queue_,
                 .log = [](log_level, const std::string&) {},
                 .linger = 0us,
                 .retry_pause = 0ms}) {}

  ~CommitPipelineThreadsTest() override {
    store_.let_all_go();
    if (thread_.joinable())
      thread_.join();
  }

  /// A publish; `told_` gets how it ended.
  commit_queue::item publication() {
    storage::append_notifications append;
    append.drafts.push_back({.owner = 1,
                             .event = 0,
                             .new_event = {},
                             .type = 1,
                             .action = "a.b.c",
                             .rest = "}"});
    return {.what = std::move(append),
            .done =
              [this](storage::operation& op, const error* failure) {
                auto text = failure ? std::string{to_string(failure->code)}
                                    : std::string{};
                if (!failure)
                  for (const auto& n :
                       *std::get<storage::append_notifications>(op).done)
                    text += std::to_string(n->id);
                told_.push_back(std::move(text));
              },
            .lasting = false};
  }

  /// A call, which is not to be forgotten.
  commit_queue::item call_about(position subject, webhook_id hook = 1) {
    call c;
    c.hook = hook;
    c.subject = subject;
    return {
      .what = storage::append_call{c},
      .done =
        [this](storage::operation& op, const error* failure) {
          ASSERT_FALSE(failure);
          told_.push_back(
            "call "
            + std::to_string(std::get<storage::append_call>(op).entry.subject));
        },
      .lasting = true};
  }

  [[nodiscard]] std::vector<position> logged(webhook_id hook = 1) const {
    std::vector<position> all;
    for (const auto& c : store_.call_log().newest(hook, 0, 1'000'000).value())
      all.insert(all.begin(), c.subject);
    return all;
  }

  /// Writes what waits until nothing does, on a thread of its own.
  void run() {
    thread_ = std::thread{[this] {
      pipeline_.run();
      ended_ = true;
    }};
  }

  /// One group after the other in flight.
  template <class... Items>
  void give(std::size_t number, Items... items) {
    queue_.push(std::move(items)...);
    if (number == 1)
      run();
    ASSERT_TRUE(store_.wait_for_given(number));
  }

  late_store store_{3};
  std::atomic<position> routed_upto_{0};
  bool throws_ = false;
  commit_queue queue_;
  batch_writer writer_;
  commit_pipeline pipeline_;
  /// Only whoever writes touches it; the test when nobody does.
  std::vector<std::string> told_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

TEST_F(CommitPipelineThreadsTest, GivesTheNextGroupWhileOthersAreInFlight) {
  store_.hold();
  give(1, publication());
  give(2, publication(), publication());
  give(3, publication());
  queue_.push(publication()); // one too many, until the first has ended
  store_.let_go();
  ASSERT_TRUE(store_.wait_for_given(4));
  store_.let_all_go();
  thread_.join();
  EXPECT_THAT(told_, ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_EQ(store_.most_in_flight(), 3U);
}

TEST_F(CommitPipelineThreadsTest, AFailureInTheMiddleKeepsTheOrder) {
  store_.judge = [](std::size_t number) -> result<void> {
    // The third is behind it, and is not even tried.
    if (number == 2)
      return error{ec::store_full, "the disk is full"};
    return {};
  };
  store_.hold();
  give(1, publication());
  give(2, call_about(1), publication());
  give(3, call_about(2), publication());
  store_.let_all_go();
  thread_.join();
  EXPECT_THAT(told_,
              ElementsAre("1", "store_full", "store_full", "call 1", "call 2"));
  EXPECT_THAT(logged(), ElementsAre(1, 2));
  EXPECT_EQ(store_.journal().tail(), 1U);
  EXPECT_FALSE(queue_.failing());
}

TEST_F(CommitPipelineThreadsTest, TriesAgainWhatAllInFlightHaveToKeep) {
  store_.judge = [this](std::size_t number) -> result<void> {
    EXPECT_EQ(queue_.failing(), number > 3);
    if (number == 5)
      queue_.push(call_about(4)); // while the disk refuses
    if (number < 6)
      return error{ec::io_error, "the disk is broken"};
    return {};
  };
  store_.hold();
  give(1, call_about(1));
  give(2, call_about(2));
  give(3, call_about(3), publication());
  store_.let_all_go();
  thread_.join();
  EXPECT_THAT(told_,
              ElementsAre("io_error", "call 1", "call 2", "call 3", "call 4"));
  EXPECT_THAT(logged(), ElementsAre(1, 2, 3, 4));
  EXPECT_FALSE(queue_.failing());
}

TEST_F(CommitPipelineThreadsTest, AnEditThatThrowsOnTheStoresThreadIsRefused) {
  std::vector<storage::operation> owner;
  owner.emplace_back(storage::add_organizer{.slug = "a", .name = ""});
  ASSERT_TRUE(store_.below().commit(owner));
  storage::change_organizer edit;
  edit.id = 1;
  edit.edit = [](organizer&) -> result<void> {
    throw std::runtime_error{"out of something"};
  };
  store_.hold();
  give(1, call_about(1),
       commit_queue::item{.what = std::move(edit),
                          .done =
                            [this](storage::operation&, const error* failure) {
                              ASSERT_TRUE(failure);
                              told_.emplace_back(to_string(failure->code));
                            },
                          .lasting = false});
  store_.let_all_go();
  thread_.join();
  EXPECT_THAT(told_, ElementsAre("internal", "call 1"));
}

TEST_F(CommitPipelineThreadsTest, AStopWaitsForAllInFlight) {
  store_.hold();
  give(1, publication());
  give(2, call_about(1), publication());
  queue_.close();
  queue_.push(publication());
  EXPECT_THAT(told_, ElementsAre("stopping")) << "by the one who came late";
  EXPECT_FALSE(ended_);
  store_.let_all_go();
  thread_.join();
  EXPECT_THAT(told_, ElementsAre("stopping", "1", "call 1", "2"));
}

TEST_F(CommitPipelineThreadsTest, LeavesNobodyWaitingIfItEndsByAnException) {
  throws_ = true;
  store_.hold();
  queue_.push(publication());
  thread_ = std::thread{[this] {
    EXPECT_THROW(pipeline_.run(), std::runtime_error);
    pipeline_.give_up(writing_has_thrown());
  }};
  ASSERT_TRUE(store_.wait_for_given(1));
  give(2, publication());
  give(3, publication());
  store_.let_go();
  store_.let_all_go();
  thread_.join();
  EXPECT_THAT(told_, ElementsAre("internal", "internal", "internal"));
}

TEST_F(CommitPipelineThreadsTest, LosesAndRepeatsNothingWhateverFails) {
  constexpr std::size_t publishers = 3;
  constexpr position each = 200;
  store_.judge = [](std::size_t number) -> result<void> {
    if (number % 5 == 0 || number % 7 == 0)
      return error{ec::store_full, "the disk is full"};
    return {};
  };
  std::atomic<bool> all_pushed{false};
  std::thread committer{[&] {
    while (!all_pushed) {
      pipeline_.run();
      queue_.wait_for_more(1ms);
    }
    pipeline_.run();
  }};
  std::vector<std::thread> threads;
  for (webhook_id hook = 1; hook <= publishers; ++hook)
    threads.emplace_back([this, hook] {
      for (position p = 1; p <= each; ++p) {
        // Each waits for its own, so that there are many commits.
        auto waits = publication();
        std::promise<void> told;
        auto answered = told.get_future();
        waits.done = [told = std::move(told), done = std::move(waits.done)](
                       storage::operation& op, const error* failure) mutable {
          done(op, failure);
          told.set_value();
        };
        queue_.push(call_about(p, hook), std::move(waits));
        answered.wait();
      }
    });
  for (auto& t : threads)
    t.join();
  all_pushed = true;
  committer.join();
  // Whatever was told.
  std::size_t refused = 0;
  position last = 0;
  bool in_order = true;
  for (const auto& text : told_) {
    if (text == "store_full")
      ++refused;
    else if (!text.starts_with("call"))
      in_order = in_order && std::stoull(text) == ++last;
  }
  EXPECT_TRUE(in_order);
  EXPECT_EQ(told_.size(), 2 * publishers * each);
  EXPECT_EQ(last + refused, publishers * each);
  EXPECT_EQ(store_.journal().tail(), last);
  std::vector<position> all;
  for (position p = 1; p <= each; ++p)
    all.push_back(p);
  for (webhook_id hook = 1; hook <= publishers; ++hook)
    EXPECT_EQ(logged(hook), all);
  EXPECT_GT(refused, 0U);
}

} // namespace

} // namespace fanfare::test
