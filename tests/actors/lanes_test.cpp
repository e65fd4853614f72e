// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The scheduler with real threads.

#include "actors/lanes/lanes.hpp"

#include "actors/interfaces.hpp"
#include "actors/lanes/lane_actor.hpp"

#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <limits>
#include <thread>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;

/// Passes a number on until it is zero.
using runner_actor = caf::typed_actor<caf::reacts_to<int>,
                                      caf::reacts_to<notification_ptr>>;

struct tally {
  std::atomic<std::size_t> handled{0};
  std::atomic<std::size_t> elsewhere{0}; ///< not on the actor's lane
  std::atomic<std::size_t> kept{0};
  std::atomic<std::size_t> awaited{0};
  std::promise<void> done;
  std::vector<runner_actor> ring;
};

class runner final : public lane_actor<runner_actor> {
public:
  runner(caf::actor_config& cfg, tally* into, std::size_t place, lane* home)
    : lane_actor(cfg),
      into_(into),
      place_(place),
      home_(home) {}

  behavior_type make_behavior() override {
    look();
    return {
      [this](int left) {
        look();
        const auto next = (place_ + 7) % into_->ring.size();
        if (left > 0)
          this->send(into_->ring[next], left - 1);
        if (++into_->handled == into_->awaited)
          into_->done.set_value();
      },
      [this](const notification_ptr&) {
        look();
        if (++into_->handled == into_->awaited)
          into_->done.set_value();
      },
    };
  }

private:
  void look() {
    if (!home_->is_current())
      ++into_->elsewhere;
  }

  tally* into_;
  std::size_t place_;
  lane* home_;
};

struct lane_config : caf::actor_system_config {
  explicit lane_config(std::size_t lanes) {
    set("scheduler.max-threads", lanes);
    load<lane_coordinator>();
  }
};

class LanesTest : public ::testing::Test {
protected:
  LanesTest() {
    system_->await_actors_before_shutdown(false);
  }

  ~LanesTest() override {
    tally_.ring.clear();
  }

  void make_ring(std::size_t actors) {
    auto& lanes = lane_coordinator::of(*system_).lanes();
    for (std::size_t i = 0; i < actors; ++i) {
      auto* home = lanes[i % lanes.size()].get();
      tally_.ring.push_back(spawn_on<runner>(*home, &tally_, i, home));
    }
  }

  void end_ring() {
    for (auto& r : tally_.ring)
      caf::anon_send_exit(r, caf::exit_reason::user_shutdown);
  }

  [[nodiscard]] bool wait() {
    return tally_.done.get_future().wait_for(20s) == std::future_status::ready;
  }

  lane_config config_{3};
  tally tally_;
  std::unique_ptr<caf::actor_system>
    system_ = std::make_unique<caf::actor_system>(config_);
};

TEST_F(LanesTest, AnActorStaysOnItsLaneWhoeverSpeaksToIt) {
  tally_.awaited = 50 * 1'001;
  make_ring(30);
  for (std::size_t i = 0; i < 50; ++i)
    caf::anon_send(tally_.ring[i % 30], 1'000);
  ASSERT_TRUE(wait());
  EXPECT_EQ(tally_.handled, tally_.awaited);
  EXPECT_EQ(tally_.elsewhere, 0U);
  end_ring();
}

TEST_F(LanesTest, ManyThreadsMaySpeakToManyActors) {
  constexpr std::size_t threads = 6;
  constexpr int each = 20'000;
  tally_.awaited = threads * each;
  make_ring(100);
  auto n = std::make_shared<const notification>();
  std::vector<std::thread> senders;
  for (std::size_t t = 0; t < threads; ++t)
    senders.emplace_back([this, t, n] {
      for (std::size_t i = 0; i < each; ++i)
        caf::anon_send(tally_.ring[(i * 31 + t) % 100], n);
    });
  for (auto& s : senders)
    s.join();
  ASSERT_TRUE(wait());
  EXPECT_EQ(tally_.elsewhere, 0U);
  end_ring();
}

TEST_F(LanesTest, LanesShareTheWorkWithTheirSockets) {
  // Actors that keep each other busy for ever leave room for what is posted.
  make_ring(30);
  for (auto& r : tally_.ring)
    caf::anon_send(r, std::numeric_limits<int>::max());
  auto& home = *lane_coordinator::of(*system_).lanes()[0];
  while (tally_.handled < 10'000)
    std::this_thread::yield();
  std::promise<bool> posted;
  boost::asio::post(home.io(), [&] { posted.set_value(home.is_current()); });
  auto ran = posted.get_future();
  ASSERT_EQ(ran.wait_for(20s), std::future_status::ready);
  EXPECT_TRUE(ran.get());
  lane_coordinator::of(*system_).halt();
}

TEST_F(LanesTest, HaltReleasesWhatIsStillQueued) {
  make_ring(60);
  auto n = std::make_shared<const notification>();
  auto& lanes = lane_coordinator::of(*system_).lanes();
  // All lanes are busy while the work comes in.
  std::promise<void> go;
  auto released = go.get_future().share();
  std::atomic<std::size_t> waiting{0};
  for (auto& l : lanes)
    boost::asio::post(l->io(), [released, &waiting] {
      ++waiting;
      released.wait();
    });
  while (waiting != lanes.size())
    std::this_thread::yield();
  for (int round = 0; round < 10; ++round)
    for (auto& r : tally_.ring)
      caf::anon_send(r, notification_ptr{n});
  EXPECT_GT(n.use_count(), 500);
  std::thread halting([this] { lane_coordinator::of(*system_).halt(); });
  while (!lanes[0]->io().stopped())
    std::this_thread::yield();
  go.set_value();
  halting.join();
  lane_coordinator::of(*system_).halt(); // once more does no harm
  // What is said to them afterwards is released as well.
  for (auto& r : tally_.ring)
    caf::anon_send(r, notification_ptr{n});
  tally_.ring.clear();
  system_.reset();
  EXPECT_EQ(n.use_count(), 1);
}

TEST_F(LanesTest, TheSystemEndsWithActorsThatWaitForMessages) {
  make_ring(5);
  tally_.awaited = 5;
  for (auto& r : tally_.ring)
    caf::anon_send(r, 0);
  ASSERT_TRUE(wait());
  end_ring();
  tally_.ring.clear();
  system_.reset();
}

/// Answers nothing; ends when nobody spoke to it for a while.
caf::behavior silent(caf::event_based_actor* self,
                     std::chrono::milliseconds patience) {
  return {
    [=](int) -> caf::delegated<void> { return {}; },
    caf::after(patience) >> [self] { self->quit(); },
  };
}

TEST_F(LanesTest, TimeoutsComeAlthoughActorsWithoutOnesEndUnnoticed) {
  const auto mute = system_->spawn(silent, 20ms);
  caf::scoped_actor self{*system_};
  caf::error told;
  bool ended = false;
  // Others that end meanwhile must not take these timeouts with them.
  for (int i = 0; i < 1'000; ++i)
    system_->spawn([](caf::event_based_actor*, int) {}, i);
  self->request(mute, 10ms, 1)
    .receive([] {}, [&told](caf::error& e) { told = std::move(e); });
  EXPECT_EQ(told, caf::sec::request_timeout);
  self->monitor(mute);
  self->receive([&ended](const caf::down_msg&) { ended = true; },
                caf::after(20s) >> [] {});
  EXPECT_TRUE(ended) << "its own timeout did not come";
}

TEST_F(LanesTest, AnActorThatEndedIsNotRememberedForItsTimeouts) {
  // The clock would otherwise keep one entry per actor for ever.
  auto& clock = dynamic_cast<lane_clock&>(
    lane_coordinator::of(*system_).clock());
  EXPECT_FALSE(clock.knows_any());
  const auto one = system_->spawn(silent, std::chrono::milliseconds{1h});
  while (!clock.knows_any())
    std::this_thread::yield();
  caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  while (clock.knows_any()) // else the test's time limit ends it
    std::this_thread::yield();
}

} // namespace

} // namespace fanfare::test
