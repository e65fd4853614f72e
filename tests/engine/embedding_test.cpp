// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// An engine within a program: what it lends to it, and how it behaves beside
// others. With real receivers.

#include "engine/rest_service.hpp"
#include "fanfare/engine.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_sink.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::http_sink;
using test::response_plan;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr auto patience = 30s;

/// The calls that an observer was told, in order.
class observed {
public:
  [[nodiscard]] std::function<void(const call&)> observer() {
    return [this](const call& made) {
      const std::lock_guard guard{mutex_};
      calls_.push_back(made);
      more_.notify_all();
    };
  }

  /// The first so many; fewer if they do not come in time.
  std::vector<call> wait_for(std::size_t count) {
    std::unique_lock guard{mutex_};
    more_.wait_for(guard, patience, [&] { return calls_.size() >= count; });
    return calls_;
  }

private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<call> calls_;
};

/// A clock that a test moves.
class set_clock final : public wall_clock {
public:
  [[nodiscard]] timestamp now() const override {
    return timestamp{std::chrono::milliseconds{now_.load()}};
  }
  void advance(std::chrono::milliseconds by) {
    now_ += by.count();
  }

private:
  std::atomic<std::int64_t> now_{1'800'000'000'000};
};

class EmbeddingTest : public testing::Test {
protected:
  /// With an organizer, a type, and a webhook per URL.
  std::unique_ptr<engine> start(engine_options options,
                                const std::vector<std::string>& urls,
                                const std::string& folder = "data") {
    options.data = folder_.path() / folder;
    options.threads = 1;
    options.network.allow = {"127.0.0.0/8"};
    auto made = engine::start(std::move(options)).value();
    owner_ = made->ensure_organizer("shop").value().id;
    made->ensure_action_type("shop.order.*").value();
    for (const auto& url : urls)
      made
        ->add_webhook(owner_,
                      {.target_url = url, .action_types = {"shop.order.*"}})
        .value();
    return made;
  }

  [[nodiscard]] static publication order() {
    return {.action = "shop.order.placed", .payload = R"({"code": "A1"})"};
  }

  test::temp_dir folder_;
  organizer_id owner_ = 0;
};

TEST_F(EmbeddingTest, ObserversSeeEachCallOnceInTheOrderOfTheLog) {
  http_sink sink;
  observed calls;
  auto engine = start({.call_observers = {calls.observer()}}, {sink.url()});
  constexpr std::size_t count = 200;
  engine->publish(owner_, std::vector<publication>(count, order())).value();
  const auto seen = calls.wait_for(count);
  ASSERT_EQ(seen.size(), count);
  const auto log = engine->calls(owner_, 1, {.limit = 2 * count}).value();
  ASSERT_EQ(log.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(seen[i].id, log[count - 1 - i].id);
    EXPECT_EQ(seen[i].subject, log[count - 1 - i].subject);
    EXPECT_EQ(seen[i].result, outcome::delivered);
    EXPECT_EQ(seen[i].status, 200);
  }
  engine->stop(5s);
}

TEST_F(EmbeddingTest, ARetryIsMadeWhenTheLentClockSaysSo) {
  http_sink sink{[](const test::request_record& r) {
    return response_plan::answer(r.number == 0 ? 500 : 200);
  }};
  observed calls;
  auto clock = std::make_shared<set_clock>();
  auto engine = start({.retries = {.schedule = {1h, 1h}},
                       .call_observers = {calls.observer()},
                       .clock = clock},
                      {sink.url()});
  const auto begun = clock->now();
  engine->publish(owner_, order()).value();
  ASSERT_EQ(calls.wait_for(1).size(), 1U);
  EXPECT_EQ(engine->find_notification(owner_, 1).value()->published, begun);
  const auto waiting = engine->retries(owner_, 1).value();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_GE(waiting[0].due, begun + 1h);

  clock->advance(59min);
  engine->wake();
  EXPECT_EQ(engine->inspect(owner_, 1).value().in_flight, 0U)
    << "it was not due";
  EXPECT_EQ(sink.size(), 1U);
  clock->advance(8min); // up to a tenth is added at random
  engine->wake();
  const auto seen = calls.wait_for(2);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].attempt, 2);
  EXPECT_EQ(seen[1].result, outcome::delivered);
  EXPECT_EQ(seen[1].time, clock->now());
  engine->stop(5s);
}

TEST_F(EmbeddingTest, TheRegistryHasTheFiguresWhileTheEngineRuns) {
  struct registry final : metrics_registry {
    void add(const void* who, collector figures) override {
      added = who;
      collect = std::move(figures);
    }
    void remove(const void* who) noexcept override {
      removed = who;
      collect = nullptr;
    }
    const void* added = nullptr;
    const void* removed = nullptr;
    collector collect;
  };
  auto figures = std::make_shared<registry>();
  auto engine = start({.metrics = figures}, {});
  ASSERT_TRUE(figures->collect);
  EXPECT_EQ(figures->added, engine.get());
  engine->publish(owner_, order()).value();
  EXPECT_THAT(prometheus_text(figures->collect()),
              HasSubstr("\nfanfare_notifications_total 1\n"));
  EXPECT_EQ(figures->removed, nullptr);
  engine->stop(1s);
  EXPECT_EQ(figures->removed, engine.get());
  EXPECT_FALSE(figures->collect);
}

TEST_F(EmbeddingTest, SeveralEnginesLiveBesideEachOther) {
  http_sink sink;
  observed first_calls, second_calls;
  auto first = start({.call_observers = {first_calls.observer()}},
                     {sink.url("/first")}, "first");
  auto second = start({.call_observers = {second_calls.observer()}},
                      {sink.url("/second")}, "second");
  first->publish(owner_, order()).value();
  second->publish(owner_, std::vector{order(), order()}).value();
  EXPECT_EQ(first_calls.wait_for(1).size(), 1U);
  EXPECT_EQ(second_calls.wait_for(2).size(), 2U);
  first.reset();
  second->publish(owner_, order()).value();
  EXPECT_EQ(second_calls.wait_for(3).size(), 3U);
  const auto taken = engine::start({.data = folder_.path() / "second"});
  EXPECT_EQ(taken.error().code, ec::store_locked);
  second.reset();
  EXPECT_EQ(sink.size(), 4U);
}

TEST_F(EmbeddingTest, EndsWhilePublishesAreOnTheirWay) {
  for (int round = 0; round < 5; ++round) {
    auto engine = start({}, {}, "data-" + std::to_string(round));
    std::atomic<std::size_t> told{0}, durable{0}, published{0};
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        while (!over) {
          const auto taken = engine->try_publish(
            owner_, order(), [&](const result<position>& id) {
              ++told;
              durable += id ? 1 : 0;
            });
          published += taken ? 1 : 0;
        }
      });
    EXPECT_TRUE(eventually(patience, [&] { return durable > 100; }));
    const auto begun = std::chrono::steady_clock::now();
    engine->stop(0ms);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
    over = true;
    for (auto& t : threads)
      t.join();
    EXPECT_EQ(told, published) << "each callback is called exactly once";
    EXPECT_GE(engine->statistics().tail, durable);
    engine.reset();
    EXPECT_EQ(told, published);
  }
}

// A thread that waits for its publish may be the one that writes it.
TEST_F(EmbeddingTest, EndsWhileThreadsWaitForTheirPublishes) {
  for (const int publishers : {1, 4}) {
    for (int round = 0; round < 3; ++round) {
      const auto directory = "data-" + std::to_string(publishers) + "-"
                           + std::to_string(round);
      auto engine = start({}, {}, directory);
      std::atomic<std::size_t> durable{0};
      std::vector<std::thread> threads;
      for (int i = 0; i < publishers; ++i)
        threads.emplace_back([&] {
          for (;;) {
            const auto id = engine->publish(owner_, order());
            if (!id) {
              EXPECT_EQ(id.error().code, ec::stopping);
              return;
            }
            ++durable;
          }
        });
      EXPECT_TRUE(eventually(patience, [&] { return durable > 10; }));
      const auto begun = std::chrono::steady_clock::now();
      engine->stop(0ms);
      EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
      for (auto& t : threads)
        t.join();
      EXPECT_EQ(engine->statistics().tail, durable)
        << "what was answered is there, and nothing else";
      engine.reset();
      engine = start({}, {}, directory);
      EXPECT_EQ(engine->publish(owner_, order()).value(), durable + 1);
    }
  }
}

TEST_F(EmbeddingTest, AnyThreadMayEndIt) {
  const auto in_time = [](const std::function<void()>& body) {
    std::promise<void> over;
    std::thread other{[&] {
      body();
      over.set_value();
    }};
    EXPECT_EQ(over.get_future().wait_for(10s), std::future_status::ready);
    other.join();
  };
  auto first = start({}, {}, "first");
  auto second = start({}, {}, "second");
  first->publish(owner_, order()).value();
  in_time([&] { first->stop(1s); });
  in_time([&] { first.reset(); });
  in_time([&] { second.reset(); });
  in_time([&] { first = start({}, {}, "first"); });
  EXPECT_EQ(first->publish(owner_, order()).value(), 2U);
  first.reset(); // by another thread than has started it, which is no more
}

TEST_F(EmbeddingTest, WhatCallbacksThrowEndsNothing) {
  http_sink sink;
  const auto fail = [](const auto&...) { throw std::runtime_error{"mine"}; };
  std::atomic<int> lines{0};
  testing::internal::CaptureStderr();
  {
    auto engine = start({.log =
                           [&](log_level, const std::string& line) {
                             lines += line.find("mine") != line.npos ? 1 : 0;
                             throw std::runtime_error{"the log's"};
                           },
                         .call_observers = {fail}},
                        {sink.url()});
    EXPECT_TRUE(engine->try_publish(owner_, order(), fail));
    const auto rest = make_rest_service(*engine);
    rest->publish_keyed(owner_, {order()}, {.key = {'1'}}, fail);
    rest->publish_keyed(owner_, {order()}, {.key = {'2'}}, {});
    rest->publish_keyed(owner_, {}, {.key = {'3'}}, fail);
    rest->remember_answer({'4'}, {.status = 200}, fail);
    rest->remember_answer({'5'}, {.status = 200}, {});
    engine->test_webhook(owner_, 1, fail);
    engine->test_webhook(owner_, 1, {});
    engine->test_webhook(owner_, 99, fail);
    EXPECT_TRUE(sink.wait_for(5, patience)) << "three and two tests";
    EXPECT_EQ(engine->publish(owner_, order()).value(), 6U);
    EXPECT_TRUE(engine->ready());
    EXPECT_TRUE(eventually(patience, [&] { return lines >= 6 + 5; }))
      << lines << ": six callbacks and five calls seen";
    engine->stop(5s);
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), IsEmpty());
}

TEST_F(EmbeddingTest, ARegistryThatThrowsIsARefusedOption) {
  class broken final : public metrics_registry {
  public:
    void add(const void*, collector) override {
      throw std::runtime_error{"full"};
    }
    void remove(const void*) noexcept override {}
  };
  const auto started = engine::start(
    {.data = folder_.path() / "data", .metrics = std::make_shared<broken>()});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().field, "metrics");
  EXPECT_THAT(started.error().detail, HasSubstr("full"));
}

TEST_F(EmbeddingTest, ATestNamesTheOrganizerThatIsStored) {
  http_sink sink;
  auto engine = start({}, {sink.url()});
  std::promise<result<test_call>> told;
  engine->test_webhook(owner_, 1, [&](result<test_call> made) {
    told.set_value(std::move(made));
  });
  EXPECT_THAT(told.get_future().get().value().what->body,
              HasSubstr(R"("organizer": "shop")"));
}

TEST_F(EmbeddingTest, EndsInTimeAlthoughAReceiverHangs) {
  http_sink sink{
    [](const test::request_record&) { return response_plan::hanging(); }};
  auto engine = start({}, {sink.url()});
  engine->publish(owner_, order()).value();
  ASSERT_TRUE(sink.wait_for(1, patience));
  const auto begun = std::chrono::steady_clock::now();
  engine.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
  sink.set_handler({});
  observed calls;
  engine = start({.call_observers = {calls.observer()}}, {});
  const auto seen = calls.wait_for(1);
  ASSERT_EQ(seen.size(), 1U) << "it is made again";
  EXPECT_EQ(seen[0].result, outcome::delivered);
  EXPECT_EQ(seen[0].subject, 1U);
  engine->stop(5s);
}

TEST_F(EmbeddingTest, E3AnAttemptThatAStopCutsShortUsesUpNothing) {
  http_sink sink{[](const test::request_record& r) {
    return r.number == 0 ? response_plan::hanging()
                         : response_plan::answer(r.number == 1 ? 500 : 200);
  }};
  auto engine = start({.retries = {.schedule = {1s}}}, {sink.url()});
  engine->publish(owner_, order()).value();
  ASSERT_TRUE(sink.wait_for(1, patience));
  engine.reset();
  observed calls;
  engine = start(
    {.retries = {.schedule = {1s}}, .call_observers = {calls.observer()}}, {});
  const auto seen = calls.wait_for(2);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].attempt, 1);
  EXPECT_EQ(seen[0].result, outcome::retried);
  EXPECT_EQ(seen[1].attempt, 2);
  EXPECT_EQ(seen[1].result, outcome::delivered);
  const auto log = engine->calls(owner_, 1).value();
  ASSERT_EQ(log.size(), 3U);
  EXPECT_EQ(log.back().attempt, 1);
  EXPECT_THAT(log.back().reason, HasSubstr("cancelled"));
  engine->stop(5s);
}

TEST_F(EmbeddingTest, ASecondStopWithAnEarlierEndHoldsForTheFirst) {
  http_sink sink{
    [](const test::request_record&) { return response_plan::hanging(); }};
  auto engine = start({}, {sink.url()});
  engine->publish(owner_, order()).value();
  ASSERT_TRUE(sink.wait_for(1, patience));
  std::thread first{[&] { engine->stop(1h); }};
  EXPECT_TRUE(eventually(patience, [&] { return !engine->ready(); }));
  const auto begun = std::chrono::steady_clock::now();
  engine->stop(0ms);
  first.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
}

TEST_F(EmbeddingTest, ACallbackThatWouldWaitForItselfIsToldSo) {
  auto engine = start({}, {});
  std::promise<std::vector<ec>> told;
  const auto look = [&](const result<position>& id) {
    const auto code = [](const auto& got) {
      return got ? ec::ok : got.error().code;
    };
    told.set_value({code(id), code(engine->publish(owner_, order())),
                    code(engine->publish_once(owner_, "key", order())),
                    code(engine->add_organizer("other", "Other"))});
  };
  EXPECT_TRUE(engine->try_publish(owner_, order(), look));
  auto seen = told.get_future();
  ASSERT_EQ(seen.wait_for(patience), std::future_status::ready);
  EXPECT_EQ(seen.get(),
            (std::vector{ec::ok, ec::conflict, ec::conflict, ec::conflict}));
  EXPECT_EQ(engine->publish(owner_, order()).value(), 2U) << "nothing is held";
}

TEST_F(EmbeddingTest, ACallbackThatPublishesDoesNotWaitForRoom) {
  // More than may wait, so that waiting for room would be for an hour.
  constexpr std::size_t publishes = 200;
  auto engine = start({.publish_patience = 1h}, {});
  publication large{.action = "shop.order.placed"};
  large.rest = R"(, "x": ")" + std::string(100'000, 'x') + "\"}";
  std::mutex mutex; // the test's and the committer's
  std::vector<std::future<result<position>>> followed;
  std::atomic<std::size_t> done{0};
  for (std::size_t i = 0; i < publishes; ++i)
    EXPECT_TRUE(engine->try_publish(
      owner_, publication{large}, [&](const result<position>& first) {
        EXPECT_TRUE(first);
        const std::lock_guard guard{mutex};
        followed.push_back(engine->publish_later(owner_, large));
        ++done;
      }));
  EXPECT_TRUE(eventually(patience, [&] { return done == publishes; }));
  const std::lock_guard guard{mutex};
  for (auto& id : followed) {
    ASSERT_EQ(id.wait_for(patience), std::future_status::ready);
    EXPECT_TRUE(id.get());
  }
}

// In a process of its own, by a user who runs nothing else: what `start` says
// under this limit, or how it ends.
std::string outcome_under(int resource, rlim_t limit,
                          const std::filesystem::path& data) {
  const auto nobody_else = static_cast<uid_t>(1'000'000 + ::getpid());
  int said[2];
  if (::pipe(said) != 0)
    return "no pipe";
  const auto child = ::fork();
  if (child == 0) {
    ::alarm(60);
    // What is open must have the lowest numbers, for a limit to say how many
    // there may be.
    ::dup2(said[1], 3);
    for (int file = 4; file < 1'024; ++file)
      ::close(file);
    std::string text = "cannot become that user";
    const rlimit all{.rlim_cur = limit, .rlim_max = limit};
    if (::setgid(nobody_else) == 0 && ::setuid(nobody_else) == 0
        && ::getuid() == nobody_else
        && ::setrlimit(static_cast<__rlimit_resource>(resource), &all) == 0) {
      text = "it threw";
      try {
        const auto started = engine::start({.data = data, .threads = 2});
        text = started ? "ok" : started.error().detail;
      } catch (...) {}
    }
    (void)!::write(3, text.data(), text.size());
    ::_exit(0);
  }
  ::close(said[1]);
  std::string text(1'000, ' ');
  const auto size = ::read(said[0], text.data(), text.size());
  ::close(said[0]);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : text;
}

TEST_F(EmbeddingTest, DropsTheRetriesOfOneActionType) {
  http_sink sink{
    [](const test::request_record&) { return response_plan::answer(500); }};
  auto engine = start({.retries = {.schedule = {1h}}}, {sink.url()});
  const auto publish = [&](const char* action) {
    engine->publish(owner_, publication{.action = action}).value();
  };
  publish("shop.order.paid");
  publish("shop.order.placed");
  // A type of its own from now on; what was published stays the wildcard's.
  engine->ensure_action_type("shop.order.paid").value();
  engine
    ->change_webhook(owner_, 1,
                     [](webhook& w) -> result<void> {
                       w.action_types.emplace_back("shop.order.paid");
                       return {};
                     })
    .value();
  publish("shop.order.paid");
  publish("shop.order.placed");
  publish("shop.order.line.added");
  publish("shop.order.paid");
  const auto waiting = [&] {
    std::vector<position> subjects;
    for (const auto& r : engine->retries(owner_, 1).value())
      subjects.push_back(r.subject);
    return subjects;
  };
  ASSERT_TRUE(eventually(patience, [&] { return waiting().size() == 6; }));

  for (const auto* unknown : {"shop.cart.left", "", "shop.order", "pretix.*",
                              "shop.order*", "Shop.order.paid"}) {
    const auto refused = engine->drop_retries(owner_, 1, unknown);
    ASSERT_FALSE(refused) << unknown;
    EXPECT_EQ(refused.error(),
              (error{ec::invalid_argument,
                     "Unknown action type \"" + std::string{unknown} + "\".",
                     "action_type"}));
  }
  EXPECT_EQ(engine->drop_retries(owner_, 9, "nonsense").error().code,
            ec::not_found);
  EXPECT_EQ(engine->drop_retries(owner_ + 1, 1, "shop.order.*").error().code,
            ec::not_found);
  EXPECT_EQ(engine->drop_retries(owner_, 1, "shop.order.changed").value(), 0U);
  EXPECT_EQ(waiting().size(), 6U);

  EXPECT_EQ(engine->drop_retries(owner_, 1, "shop.cart.*").value(), 0U);
  EXPECT_EQ(engine->drop_retries(owner_, 1, "shop.order.line.*").value(), 1U);
  EXPECT_THAT(waiting(), UnorderedElementsAre(1, 2, 3, 4, 6));
  EXPECT_EQ(engine->drop_retries(owner_, 1, "shop.order.paid").value(), 3U);
  EXPECT_THAT(waiting(), UnorderedElementsAre(2, 4));
  publish("shop.order.paid");
  // What webhooks that subscribe to it get, whatever its type.
  ASSERT_TRUE(eventually(patience, [&] { return waiting().size() == 3; }));
  EXPECT_EQ(engine->drop_retries(owner_, 1, "shop.order.*").value(), 3U);
  EXPECT_THAT(waiting(), ::testing::IsEmpty());
  publish("shop.order.placed");
  ASSERT_TRUE(eventually(patience, [&] { return waiting().size() == 1; }));
  std::vector<position> ended;
  for (const auto& c : engine->calls(owner_, 1).value())
    if (c.result == outcome::given_up) {
      EXPECT_EQ(c.reason, "given up: its retries were dropped");
      ended.push_back(c.subject);
    }
  EXPECT_THAT(ended, UnorderedElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(engine->drop_retries(owner_, 1).value(), 1U);
  engine->stop(5s);
  EXPECT_EQ(engine->drop_retries(owner_, 1, "shop.order.paid").error().code,
            ec::stopping);
}

TEST_F(EmbeddingTest, WakesNoActorToDropRetriesOfAnUnknownActionType) {
  const http_sink sink;
  auto engine = start({}, {sink.url()});
  ASSERT_EQ(engine->statistics().active_webhooks, 0U);
  EXPECT_EQ(engine->drop_retries(owner_, 1, "shop.cart.left").error().code,
            ec::invalid_argument);
  EXPECT_EQ(engine->drop_retries(owner_ + 1, 1, "shop.order.*").error().code,
            ec::not_found);
  EXPECT_EQ(engine->statistics().active_webhooks, 0U);
  EXPECT_EQ(engine->drop_retries(owner_, 1, "shop.order.*").value(), 0U);
  engine->stop(5s);
}

TEST_F(EmbeddingTest, DropsWhatHasJustFailed) {
  http_sink sink{
    [](const test::request_record&) { return response_plan::answer(500); }};
  auto engine = start({.retries = {.schedule = {1h}}}, {sink.url()});
  for (std::uint32_t i = 1; i <= 20; ++i) {
    engine->publish(owner_, order()).value();
    // Its actor knows of it before the disk does.
    ASSERT_TRUE(eventually(
      patience, [&] { return engine->inspect(owner_, 1)->failures == i; }));
    EXPECT_EQ(engine->drop_retries(owner_, 1, "shop.order.*").value(), 1U) << i;
  }
  engine->stop(5s);
}

TEST_F(EmbeddingTest, DropsWhatHasThisActionWhicheverTypeItWasOf) {
  http_sink sink{
    [](const test::request_record&) { return response_plan::answer(500); }};
  auto engine = start({.retries = {.schedule = {1h}}}, {sink.url()});
  engine->publish(owner_, order()).value();
  engine->ensure_action_type("shop.order.placed").value();
  ASSERT_TRUE(eventually(
    patience, [&] { return engine->retries(owner_, 1)->size() == 1; }));
  EXPECT_EQ(engine->drop_retries(owner_, 1, "shop.order.placed").value(), 1U);
  engine->stop(5s);
}

TEST_F(EmbeddingTest, SaysThatItMayNotHaveThreadsOrFiles) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  const auto data = folder_.path() / "data";
  if (const auto said = outcome_under(RLIMIT_CORE, 0, data); said != "ok")
    GTEST_SKIP() << "only root can become a user who runs nothing else: "
                 << said;
  for (rlim_t threads = 1; threads <= 10; ++threads)
    EXPECT_THAT(outcome_under(RLIMIT_NPROC, threads, data),
                HasSubstr("threads: Resource temporarily unavailable. Raise"))
      << threads;
  EXPECT_EQ(outcome_under(RLIMIT_NPROC, 20, data), "ok");
#ifndef __SANITIZE_ADDRESS__ // with which an object is looked at through a pipe
  EXPECT_THAT(outcome_under(RLIMIT_NOFILE, 4, data),
              HasSubstr("Too many open files"));
  for (rlim_t files = 5; files < 24; ++files)
    EXPECT_THAT(outcome_under(RLIMIT_NOFILE, files, data),
                AnyOf(HasSubstr("Too many open files"), "ok"))
      << files;
#endif
  EXPECT_EQ(outcome_under(RLIMIT_NOFILE, 200, data), "ok");
}

TEST_F(EmbeddingTest, APublishThatFindsNoRoomLeavesTheCallerWhatItHad) {
  // An observer that does not return keeps the committer from taking more.
  http_sink sink;
  std::mutex gate;
  std::unique_lock closed{gate};
  std::atomic<bool> held{false};
  auto engine = start(
    {.publish_patience = 50ms, .call_observers = {[&](const call&) {
                                 held = true;
                                 const std::lock_guard wait{gate};
                               }}},
    {sink.url()});
  engine->publish(owner_, order()).value();
  ASSERT_TRUE(eventually(patience, [&] { return held.load(); }));
  const auto large = [&] {
    std::vector<publication> items(
      50, {.action = "shop.order.placed",
           .payload = R"({"a": ")" + std::string(900'000, 'x') + "\"}"});
    return items; // 45 MB
  };
  std::atomic<int> told{0};
  auto count = [&](const auto& got) {
    EXPECT_TRUE(got);
    ++told;
  };
  EXPECT_TRUE(engine->try_publish(owner_, large(), count));
  auto items = large();
  std::function<void(result<std::vector<position>>)> done = count;
  const auto refused = engine->try_publish(owner_, std::move(items),
                                           std::move(done));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::overloaded);
  EXPECT_TRUE(done);
  EXPECT_EQ(items.size(), 50U);
  EXPECT_EQ(items[7].payload, large()[7].payload);
  EXPECT_EQ(items[7].action, "shop.order.placed");
  EXPECT_EQ(items[7].rest, "");
  EXPECT_EQ(engine->publish(owner_, large()).error().code, ec::overloaded)
    << "after it has waited";
  const auto before = std::chrono::system_clock::now();
  auto late = engine->publish_later(owner_, order()); // has room for this one
  EXPECT_THAT(prometheus_text(engine->metrics()),
              HasSubstr("fanfare_publishes_refused_total"));

  closed.unlock();
  EXPECT_TRUE(eventually(patience, [&] { return told == 1; }));
  EXPECT_TRUE(engine->try_publish(owner_, std::move(items), std::move(done)));
  EXPECT_TRUE(eventually(patience, [&] { return told == 2; }));
  EXPECT_GE(
    engine->find_notification(owner_, late.get().value()).value()->published,
    std::chrono::floor<std::chrono::milliseconds>(before) + 50ms)
    << "when it was taken: ids and times rise together";
  engine->stop(10s);
}

TEST_F(EmbeddingTest, SaysNothingOnStandardOutputOrError) {
  http_sink sink{
    [](const test::request_record&) { return response_plan::answer(500); }};
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  {
    observed calls;
    auto engine = start({.call_observers = {calls.observer()}}, {sink.url()});
    engine->publish(owner_, order()).value();
    EXPECT_EQ(calls.wait_for(1).size(), 1U);
    (void)engine->publish(owner_, {.action = "unknown"});
    (void)fanfare::engine::start({.data = folder_.path() / "data"});
  }
  EXPECT_THAT(testing::internal::GetCapturedStdout(), IsEmpty());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), IsEmpty());
}

TEST_F(EmbeddingTest, AnObserverMayPublishAndLookAtFigures) {
  http_sink sink;
  engine* running = nullptr;
  std::atomic<int> told{0}, refused{0};
  observed calls;
  const auto again = [&](const call& made) {
    if (made.subject > 3)
      return;
    (void)running->metrics();
    running->wake();
    if (!running->try_publish(owner_, order(), [&](const auto&) { ++told; }))
      ++refused;
  };
  auto engine = start({.call_observers = {again, calls.observer()}},
                      {sink.url()});
  running = engine.get();
  engine->publish(owner_, order()).value();
  EXPECT_EQ(calls.wait_for(4).size(), 4U);
  EXPECT_TRUE(eventually(patience, [&] { return told == 3; }));
  EXPECT_EQ(refused, 0);
  engine->stop(5s);
}

TEST_F(EmbeddingTest, HasTheThreadsThatItsPageNames) {
  const auto threads = [] {
    const std::filesystem::directory_iterator all{"/proc/self/task"};
    return std::distance(begin(all), end(all));
  };
  const auto before = threads();
  auto engine = start({}, {}); // with one for delivery
  EXPECT_TRUE(eventually(patience, [&] { return threads() - before >= 8; }));
  EXPECT_EQ(threads() - before, 1 + 7);
  engine.reset();
  EXPECT_TRUE(eventually(patience, [&] { return threads() == before; }));
}

TEST_F(EmbeddingTest, TheDirectoryIsFreeOnceTheEngineIsDestroyed) {
  auto engine = start({}, {});
  engine->stop(1s);
  const auto data = folder_.path() / "data";
  EXPECT_EQ(engine::start({.data = data}).error().code, ec::store_locked)
    << "a stopped one still answers queries";
  engine.reset();
  EXPECT_TRUE(engine::start({.data = data}));
}

} // namespace
} // namespace fanfare
