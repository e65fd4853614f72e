// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/supervisor.hpp"

#include "tests/actors/probe_webhook.hpp"
#include "tests/actors/support/test_system.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class probe_janitor final : public janitor_actor::base {
public:
  using janitor_actor::base::base;

  behavior_type make_behavior() override {
    return {
      [](atom::tick) {},
      [](atom::planned, const expiry_plan_ptr&) {},
      [](atom::expired, bool) {},
    };
  }
};

class SupervisorTest : public ::testing::Test {
protected:
  SupervisorTest() {
    config_.log = [this](log_level, const std::string& t) {
      log_.push_back(t);
    };
    config_.escalate = [this](const std::string& t) {
      escalated_.push_back(t);
    };
    config_.revive = [this](webhook_id id) { revived_.push_back(id); };
    config_.abandon = [this](webhook_id id) { abandoned_.push_back(id); };
    config_.first_pause = 4ms;
  }

  ~SupervisorTest() override {
    caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
    sys_.sched.run();
  }

  void start() {
    supervisor_ = sys_.system.spawn<supervisor>(config_, std::ref(io_));
    sys_.sched.run();
  }

  webhook_actor watch(webhook_id id) {
    auto made = sys_.system.spawn<probe_webhook>(
      std::make_shared<probe_record>());
    caf::anon_send(supervisor_, atom::watch_v, id,
                   caf::actor_cast<caf::strong_actor_ptr>(made));
    sys_.sched.run();
    return made;
  }

  template <class Handle>
  void end(const Handle& who, caf::exit_reason why) {
    caf::anon_send_exit(who, why);
    sys_.sched.run();
  }

  /// Lets time pass until it holds.
  bool wait_for(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!holds() && std::chrono::steady_clock::now() < until) {
      io_.restart();
      io_.run_one_for(100ms);
      sys_.sched.run();
    }
    return holds();
  }

  boost::asio::io_context io_;
  test_system sys_;
  supervisor_config config_;
  supervisor_actor supervisor_;
  std::vector<std::string> log_;
  std::vector<std::string> escalated_;
  std::vector<webhook_id> revived_;
  std::vector<webhook_id> abandoned_;
};

TEST_F(SupervisorTest, StartsACrashedWebhookAgainAfterAPauseThatDoubles) {
  start();
  auto pause = 4ms;
  for (std::size_t crash = 1; crash <= 4; ++crash) {
    const auto begun = std::chrono::steady_clock::now();
    end(watch(7), caf::exit_reason::kill);
    EXPECT_THAT(revived_, SizeIs(crash - 1)) << "not before the pause";
    ASSERT_TRUE(wait_for([&] { return revived_.size() == crash; }));
    EXPECT_GE(std::chrono::steady_clock::now() - begun, pause);
    pause *= 2;
  }
  EXPECT_THAT(revived_, ElementsAre(7, 7, 7, 7));
  EXPECT_THAT(log_, SizeIs(4));
  EXPECT_THAT(log_[0], HasSubstr("webhook 7 crashed"));
}

TEST_F(SupervisorTest, DoesNotMindAWebhookThatEndsByItself) {
  start();
  caf::anon_send(watch(7), atom::retire_v);
  end(watch(8), caf::exit_reason::user_shutdown);
  io_.run_for(20ms);
  sys_.sched.run();
  EXPECT_THAT(revived_, IsEmpty());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(SupervisorTest, HearsOfAWebhookThatCrashedBeforeItWasWatched) {
  start();
  auto made = sys_.system.spawn<probe_webhook>(
    std::make_shared<probe_record>());
  end(made, caf::exit_reason::kill);
  caf::anon_send(supervisor_, atom::watch_v, webhook_id{7},
                 caf::actor_cast<caf::strong_actor_ptr>(made));
  EXPECT_TRUE(wait_for([&] { return revived_.size() == 1; }));
}

TEST_F(SupervisorTest, LeavesAloneWhatCrashesAgainAndAgain) {
  config_.max_crashes = 3;
  config_.first_pause = 1ms;
  start();
  for (std::size_t crash = 1; crash <= 3; ++crash) {
    end(watch(7), caf::exit_reason::kill);
    ASSERT_TRUE(wait_for([&] { return revived_.size() == crash; }));
  }
  EXPECT_THAT(abandoned_, IsEmpty());
  end(watch(7), caf::exit_reason::kill);
  EXPECT_THAT(abandoned_, ElementsAre(7));
  // Others are none the worse for it.
  end(watch(8), caf::exit_reason::kill);
  ASSERT_TRUE(wait_for([&] { return revived_.size() == 4; }));
  EXPECT_EQ(revived_.back(), 8U);
}

TEST_F(SupervisorTest, EscalatesWhenTheRouterOrTheCommitterDies) {
  auto a = sys_.system.spawn<probe_webhook>(std::make_shared<probe_record>());
  auto b = sys_.system.spawn<probe_webhook>(std::make_shared<probe_record>());
  config_.vital = {{"committer", caf::actor_cast<caf::strong_actor_ptr>(a)},
                   {"router", caf::actor_cast<caf::strong_actor_ptr>(b)}};
  start();
  end(a, caf::exit_reason::kill);
  ASSERT_THAT(escalated_, SizeIs(1));
  EXPECT_THAT(escalated_[0], HasSubstr("the committer died"));
  end(b, caf::exit_reason::user_shutdown);
  EXPECT_THAT(escalated_, SizeIs(1)) << "that is no crash";
}

TEST_F(SupervisorTest, StartsTheJanitorAgainAndEndsItWithItself) {
  std::vector<janitor_actor> janitors;
  config_.start_janitor = [&] {
    janitors.push_back(sys_.system.spawn<probe_janitor>());
    return janitors.back();
  };
  config_.first_pause = 1ms;
  start();
  ASSERT_THAT(janitors, SizeIs(1));
  for (std::size_t crash = 1; crash <= 3; ++crash) {
    end(janitors.back(), caf::exit_reason::kill);
    ASSERT_TRUE(wait_for([&] { return janitors.size() == crash + 1; }));
  }
  EXPECT_THAT(escalated_, IsEmpty());
  end(supervisor_, caf::exit_reason::user_shutdown);
  auto* last = caf::actor_cast<caf::abstract_actor*>(janitors.back());
  EXPECT_TRUE(static_cast<caf::monitorable_actor*>(last)->getf(
    caf::abstract_actor::is_terminated_flag));
}

} // namespace

} // namespace fanfare::test
