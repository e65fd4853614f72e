// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/admission.hpp"

#include "tests/actors/probe_webhook.hpp"
#include "tests/actors/support/test_system.hpp"

#include <gmock/gmock.h>

#include <optional>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;

class AdmissionTest : public ::testing::Test {
protected:
  struct waiter {
    webhook_actor handle;
    std::shared_ptr<probe_record> record = std::make_shared<probe_record>();
  };

  ~AdmissionTest() override {
    gate_->close();
    for (auto& w : waiters_)
      caf::anon_send_exit(w.handle, caf::exit_reason::user_shutdown);
    sys_.sched.run();
    waiters_.clear();
  }

  void make(admission_limits limits) {
    gate_ = admission::make(io_, limits);
  }

  /// A webhook that notes its name in `turns_` when it is its turn.
  webhook_actor who(std::string name) {
    waiter w;
    w.record->on_turn = [this, name] { turns_.push_back(name); };
    w.handle = sys_.system.spawn<probe_webhook>(w.record);
    waiters_.push_back(w);
    return w.handle;
  }

  std::shared_ptr<admission::ticket>&
  ticket_of(const std::string& to, const webhook_actor& w, organizer_id owner) {
    auto& ticket = tickets_[{to, w.address()}];
    if (!ticket)
      ticket = gate_->enter(owner, to, w.address());
    return ticket;
  }

  admission::permit ask(const std::string& to, const webhook_actor& w,
                        bool its_turn = false, std::size_t in_flight = 0,
                        organizer_id owner = 1) {
    auto p = gate_->acquire(ticket_of(to, w, owner), in_flight, its_turn);
    sys_.sched.run();
    return p;
  }

  void release(admission::permit& p) {
    p.release();
    sys_.sched.run();
  }

  /// Lets the gate look for attempts that hang, once.
  void look_for_hanging() {
    ASSERT_EQ(io_.run_one_for(10s), 1U);
    sys_.sched.run();
  }

  boost::asio::io_context io_;
  test_system sys_;
  std::shared_ptr<admission> gate_ = admission::make(io_, {});
  std::vector<waiter> waiters_;
  std::map<std::pair<std::string, caf::actor_addr>,
           std::shared_ptr<admission::ticket>>
    tickets_;
  std::vector<std::string> turns_;
};

TEST_F(AdmissionTest, GrantsUpToItsTotal) {
  make({.total = 2});
  const std::string a = "http://a:80";
  const std::string b = "http://b:80";
  auto x = who("x");
  auto first = ask(a, x);
  auto second = ask(b, x);
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(ask(b, x));
  EXPECT_EQ(gate_->active(), 2U);
  release(first);
  EXPECT_THAT(turns_, ElementsAre("x"));
  EXPECT_TRUE(ask(b, x, true));
}

TEST_F(AdmissionTest, GrantsUpToItsLimitPerDestination) {
  make({.total = 10, .per_destination = 1});
  const std::string a = "http://a:80";
  const std::string b = "http://b:80";
  auto x = who("x");
  auto y = who("y");
  auto first = ask(a, x);
  EXPECT_TRUE(first);
  EXPECT_FALSE(ask(a, y));
  auto other = ask(b, y);
  EXPECT_TRUE(other);
  release(other);
  EXPECT_THAT(turns_, ElementsAre()) << "a place elsewhere is of no use";
  release(first);
  EXPECT_THAT(turns_, ElementsAre("y"));
}

TEST_F(AdmissionTest, DestinationsTakeTurnsAndWebhooksComeInOrder) {
  make({.total = 1});
  const std::string a = "http://a:80";
  const std::string b = "http://b:80";
  auto running = ask(a, who("0"));
  std::map<std::string, std::pair<std::string, webhook_actor>> all;
  for (auto name : {"a1", "a2", "a3", "b1", "b2"}) {
    auto to = name[0] == 'a' ? a : b;
    all[name] = {to, who(name)};
    EXPECT_FALSE(ask(to, all[name].second));
  }
  for (int i = 0; i < 5; ++i) {
    release(running);
    auto& [to, handle] = all.at(turns_.back());
    running = ask(to, handle, true);
    ASSERT_TRUE(running);
  }
  EXPECT_THAT(turns_, ElementsAre("a1", "b1", "a2", "b2", "a3"));
}

TEST_F(AdmissionTest, NewcomersQueueBehindThoseWhoWait) {
  make({.total = 2, .per_destination = 1});
  const std::string a = "http://a:80";
  auto first = ask(a, who("0"));
  EXPECT_FALSE(ask(a, who("1")));
  EXPECT_FALSE(ask(a, who("2")));
  first.release(); // the turn of 1 is on its way
  EXPECT_FALSE(ask(a, who("3")));
  EXPECT_THAT(turns_, ElementsAre("1"));
}

TEST_F(AdmissionTest, WhoeverDoesNotNeedItsTurnPassesItOn) {
  make({.total = 1});
  const std::string a = "http://a:80";
  auto first = ask(a, who("0"));
  EXPECT_FALSE(ask(a, who("1")));
  EXPECT_FALSE(ask(a, who("2")));
  release(first);
  EXPECT_THAT(turns_, ElementsAre("1"));
  gate_->pass(ticket_of(a, waiters_[1].handle, 1));
  sys_.sched.run();
  EXPECT_THAT(turns_, ElementsAre("1", "2"));
}

TEST_F(AdmissionTest, AnAttemptThatHangsStopsCounting) {
  make({.total = 1, .quick = 30ms});
  const std::string a = "http://a:80";
  auto hangs = ask(a, who("0"));
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(ask(a, who("1")));
  while (turns_.empty() && std::chrono::steady_clock::now() - begun < 10s) {
    io_.run_one_for(1s);
    sys_.sched.run();
  }
  EXPECT_THAT(turns_, ElementsAre("1"));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 30ms);
  EXPECT_EQ(gate_->active(), 1U);
  auto second = ask(a, waiters_[1].handle, true);
  EXPECT_TRUE(second);
  EXPECT_EQ(gate_->active(), 2U);
  release(hangs);
  EXPECT_EQ(gate_->active(), 1U);
}

TEST_F(AdmissionTest, HangingAttemptsHaveALimitOfTheirOwn) {
  make({.total = 1, .hard_total = 1, .quick = 1ms});
  const std::string a = "http://a:80";
  auto hangs = ask(a, who("0"));
  EXPECT_FALSE(ask(a, who("1")));
  look_for_hanging();
  EXPECT_THAT(turns_, ElementsAre());
  release(hangs);
  EXPECT_THAT(turns_, ElementsAre("1"));
}

TEST_F(AdmissionTest, BeyondHalfOfThePlacesEveryWebhookGetsOneBeforeASecond) {
  make({.total = 4, .hard_total = 4});
  const std::string hangs = "http://hangs:80";
  const std::string works = "http://works:80";
  auto greedy = who("greedy");
  auto first = ask(hangs, greedy);
  auto second = ask(hangs, greedy, false, 1);
  EXPECT_TRUE(second);
  EXPECT_FALSE(ask(hangs, greedy, false, 2));
  auto healthy = ask(works, who("healthy"));
  EXPECT_TRUE(healthy);
  release(healthy);
  EXPECT_THAT(turns_, ElementsAre()) << "half of the places are taken";
  release(second);
  EXPECT_THAT(turns_, ElementsAre("greedy"));
}

TEST_F(AdmissionTest, ATurnOfAWebhookThatEndedIsGivenToTheNext) {
  make({.total = 1});
  const std::string a = "http://a:80";
  auto first = ask(a, who("0"));
  EXPECT_FALSE(ask(a, who("1")));
  EXPECT_FALSE(ask(a, who("2")));
  caf::anon_send_exit(waiters_[1].handle, caf::exit_reason::kill);
  sys_.sched.run();
  release(first);
  EXPECT_THAT(turns_, ElementsAre());
  const auto begun = std::chrono::steady_clock::now();
  while (turns_.empty() && std::chrono::steady_clock::now() - begun < 10s) {
    io_.run_one_for(1s);
    sys_.sched.run();
  }
  EXPECT_THAT(turns_, ElementsAre("2"));
}

TEST_F(AdmissionTest, OneThatWaitsAloneForPlacesThatHangGetsThem) {
  make({.total = 2, .quick = 1ms});
  const std::string a = "http://a:80";
  auto x = who("x");
  auto first = ask(a, x);
  auto second = ask(a, x, false, 1);
  EXPECT_FALSE(ask(a, x, false, 2));
  // More places become free at once than anybody waits for.
  look_for_hanging();
  EXPECT_THAT(turns_, ElementsAre("x"));
  EXPECT_TRUE(ask(a, x, true, 2));
}

TEST_F(AdmissionTest, OrganizersTakeTurnsWhateverTheyHave) {
  make({.total = 1});
  auto running = ask("http://0:80", who("0"));
  std::map<std::string, webhook_actor> all;
  const auto owner_of = [](const std::string& name) {
    return name[0] == 'a' ? organizer_id{1} : organizer_id{2};
  };
  for (const std::string name : {"a1", "a2", "a3", "b1"}) {
    all[name] = who(name);
    EXPECT_FALSE(
      ask("http://" + name + ":80", all[name], false, 0, owner_of(name)));
  }
  for (int i = 0; i < 4; ++i) {
    release(running);
    const auto next = turns_.back();
    running = ask("http://" + next + ":80", all[next], true, 0, owner_of(next));
    EXPECT_TRUE(running);
  }
  EXPECT_THAT(turns_, ElementsAre("a1", "b1", "a2", "a3"));
}

TEST_F(AdmissionTest, APlaceIsKeptForWhoseTurnItIs) {
  make({.total = 1});
  auto x = who("x");
  auto y = who("y");
  auto running = ask("http://x:80", x, false, 0, 1);
  EXPECT_FALSE(ask("http://y:80", y, false, 0, 2));
  release(running);
  EXPECT_THAT(turns_, ElementsAre("y"));
  EXPECT_FALSE(ask("http://x:80", x, false, 0, 1)) << "it is not x's turn";
  EXPECT_TRUE(ask("http://y:80", y, true, 0, 2));
}

TEST_F(AdmissionTest, AnOrganizerHasACapOfItsOwn) {
  make({.total = 10, .per_organizer = 1});
  auto first = ask("http://a:80", who("a"), false, 0, 1);
  EXPECT_TRUE(first);
  EXPECT_FALSE(ask("http://b:80", who("b"), false, 0, 1));
  EXPECT_TRUE(ask("http://c:80", who("c"), false, 0, 2));
  release(first);
  EXPECT_THAT(turns_, ElementsAre("b"));
}

TEST_F(AdmissionTest, AnOrganizerWhoseReceiversHangLeavesAQuarter) {
  make({.total = 100, .hard_total = 8, .quick = 1ms});
  std::vector<admission::permit> hanging;
  for (int i = 0; i < 8; ++i) {
    const auto name = std::to_string(i);
    if (auto p = ask("http://" + name + ":80", who(name), false, 0, 1))
      hanging.push_back(std::move(p));
  }
  EXPECT_EQ(hanging.size(), 6U);
  look_for_hanging();
  EXPECT_THAT(turns_, ElementsAre()) << "also once they count as hanging";
  EXPECT_TRUE(ask("http://other:80", who("other"), false, 0, 2));
}

TEST_F(AdmissionTest, APermitGivesItsPlaceBackOnce) {
  make({.total = 1});
  const std::string a = "http://a:80";
  auto x = who("x");
  {
    auto first = ask(a, x);
    admission::permit moved{std::move(first)};
    EXPECT_FALSE(first);
    EXPECT_TRUE(moved);
    admission::permit assigned;
    assigned = std::move(moved);
    EXPECT_EQ(gate_->active(), 1U);
  }
  EXPECT_EQ(gate_->active(), 0U);
  EXPECT_TRUE(ask(a, x));
}

TEST_F(AdmissionTest, GrantsNothingOnceClosed) {
  make({.total = 1});
  const std::string a = "http://a:80";
  auto first = ask(a, who("0"));
  EXPECT_FALSE(ask(a, who("1")));
  gate_->close();
  release(first);
  EXPECT_THAT(turns_, ElementsAre());
  EXPECT_FALSE(ask(a, who("2")));
  EXPECT_FALSE(ask("http://b:80", who("3")));
}

} // namespace

} // namespace fanfare::test
