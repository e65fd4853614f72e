// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Why a webhook starts nothing: its pace, its place on the lane, its owner.

#include "actors/webhook/throttle.hpp"

#include "protocol/target/target.hpp"
#include "tests/actors/probe_webhook.hpp"
#include "tests/actors/support/fake_clock.hpp"
#include "tests/actors/support/test_system.hpp"

#include <gtest/gtest.h>

namespace fanfare::test {

namespace {

constexpr timestamp now{std::chrono::days{20'000}};

class ThrottleTest : public ::testing::Test {
protected:
  ThrottleTest() {
    plan_.to = *protocol::target::parse("http://a.example/");
    plan_.pace.breaker_failures = 1;
    configure();
    throttle_.enter(*gate_, 1, plan_.to->destination(), {});
  }

  ~ThrottleTest() override {
    gate_->close();
  }

  void configure() {
    throttle_.pace().configure(plan_.pace);
  }

  bool allow(admission::permit& permit) {
    return throttle_.allow(1, *gate_, permit, plan_, now, now, false);
  }

  [[nodiscard]] delivery_state state() const {
    delivery_state s;
    throttle_.describe(s, now);
    return s;
  }

  boost::asio::io_context io_;
  std::shared_ptr<admission> gate_ = admission::make(io_, {.total = 1});
  delivery_plan plan_;
  throttle throttle_;
};

TEST_F(ThrottleTest, WithRoomARequestHasAPlaceAndNothingHoldsIt) {
  admission::permit permit;
  EXPECT_TRUE(allow(permit));
  EXPECT_TRUE(permit);
  throttle_.started(now, false, false);
  EXPECT_EQ(state().in_flight, 1U);
  EXPECT_EQ(state().held_by, hold_reason::none);
  throttle_.ended();
  EXPECT_EQ(state().in_flight, 0U);
}

TEST_F(ThrottleTest, ThePaceSaysWhyAndUntilWhen) {
  plan_.pace.rate = {.count = 1, .period = 1'000ms};
  configure();
  throttle_.started(now, false, false);
  admission::permit permit;
  EXPECT_FALSE(allow(permit));
  EXPECT_FALSE(permit);
  EXPECT_EQ(state().held_by, hold_reason::rate);
  EXPECT_EQ(state().held_until, now + 1s);
  EXPECT_TRUE(throttle_.waits_for_nothing()) << "the lane has a place for it";
  throttle_.look_again(false, nullptr);
  EXPECT_EQ(throttle_.held_by(), hold_reason::none);
  EXPECT_FALSE(throttle_.held_until());
}

TEST_F(ThrottleTest, WithoutAPlaceOnTheLaneItWaitsForItsTurn) {
  throttle other;
  other.enter(*gate_, 1, plan_.to->destination(), {});
  admission::permit taken;
  ASSERT_TRUE(other.admit(*gate_, taken, plan_, false));
  admission::permit permit;
  EXPECT_FALSE(allow(permit));
  EXPECT_FALSE(throttle_.waits_for_nothing());
  EXPECT_EQ(state().held_by, hold_reason::concurrency);
  throttle_.turn_came();
  EXPECT_TRUE(throttle_.waits_for_nothing());
}

TEST_F(ThrottleTest, OnceItsLastRequestHasEndedItWaitsForNoFurtherPlace) {
  admission::permit first;
  ASSERT_TRUE(allow(first));
  throttle_.started(now, false, false);
  admission::permit second;
  ASSERT_FALSE(allow(second));
  ASSERT_FALSE(throttle_.waits_for_nothing());
  throttle_.ended();
  EXPECT_TRUE(throttle_.waits_for_nothing());
}

TEST_F(ThrottleTest, AHandshakeSaysNothingAboutWhatTheReceiverCanTake) {
  plan_.pace.cap = 8;
  configure();
  auto at = now;
  const auto exchange = [&](call_timings timings) {
    throttle_.started(at, false, false);
    const auto began = at;
    at += 2s;
    throttle_.learn(1, {.status = 200, .reason = {}, .timings = timings}, began,
                    at, false, nullptr);
    throttle_.ended();
  };
  for (int i = 0; i < 8; ++i)
    exchange({.first_byte = 190ms, .total = 200ms});
  for (int i = 0; i < 80; ++i)
    exchange({.dns = 100ms,
              .connect = 300ms,
              .tls = 1'200ms,
              .first_byte = 190ms,
              .total = 1'800ms});
  EXPECT_EQ(state().concurrency, 8U);
  for (int i = 0; i < 8; ++i)
    exchange({.first_byte = 190ms, .total = 1'800ms});
  EXPECT_EQ(state().concurrency, 7U) << "the end of an answer counts, too";
}

TEST_F(ThrottleTest, OneThatEndsGivesBackThePlaceThatIsKeptForIt) {
  test_system sys;
  std::vector<std::shared_ptr<probe_record>> records;
  std::vector<webhook_actor> actors;
  std::vector<throttle> waiting(3);
  admission::permit taken;
  ASSERT_TRUE(allow(taken));
  for (auto& one : waiting) {
    records.push_back(std::make_shared<probe_record>());
    actors.push_back(sys.system.spawn<probe_webhook>(records.back()));
    one.enter(*gate_, 1, plan_.to->destination(), actors.back().address());
    admission::permit none;
    ASSERT_FALSE(one.admit(*gate_, none, plan_, false));
  }
  taken.release();
  sys.sched.run();
  ASSERT_EQ(records[0]->turns, 1U);
  // It ends before it can use its turn, and the next one while it waits.
  waiting[1].close(*gate_);
  waiting[0].close(*gate_);
  sys.sched.run();
  EXPECT_EQ(records[1]->turns, 0U);
  EXPECT_EQ(records[2]->turns, 1U);
  for (const auto& one : actors)
    caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  sys.sched.run();
}

TEST_F(ThrottleTest, WithoutATargetItNeedsNoPlace) {
  throttle other;
  other.enter(*gate_, 1, plan_.to->destination(), {});
  admission::permit taken;
  ASSERT_TRUE(other.admit(*gate_, taken, plan_, false));
  plan_.to = nullptr; // the call will say why
  admission::permit permit;
  EXPECT_TRUE(allow(permit));
  EXPECT_FALSE(permit);
}

TEST_F(ThrottleTest, ShowsWhatWillHoldTheNextOne) {
  throttle_.pace().failed(now, {.status = 500, .started = now});
  EXPECT_EQ(state().breaker, delivery_state::breaker_state::open);
  EXPECT_EQ(state().held_by, hold_reason::breaker);
  EXPECT_EQ(state().held_until, state().breaker_until);
  plan_.pace.breaker_failures = 0;
  configure();
  throttle_.pace().reset();
  throttle_.pace().failed(
    now, {.status = 503, .started = now, .retry_after = now + 30s});
  EXPECT_EQ(state().held_by, hold_reason::retry_after);
  EXPECT_EQ(state().held_until, now + 30s);
  throttle_.look_again(true, nullptr);
  EXPECT_EQ(state().held_by, hold_reason::pause) << "its owner comes first";
}

TEST_F(ThrottleTest, ShowsThatItsRateWillHoldTheNextOne) {
  plan_.pace.rate = {.count = 2, .period = 20s};
  configure();
  throttle_.started(now, false, false);
  EXPECT_EQ(state().held_by, hold_reason::none) << "one may go yet";
  throttle_.started(now, false, true);
  for (int i = 0; i < 2; ++i) { // to look changes nothing
    EXPECT_EQ(state().held_by, hold_reason::rate);
    EXPECT_EQ(state().held_until, now + 10s);
  }
  delivery_state later;
  throttle_.describe(later, now + 10s);
  EXPECT_EQ(later.held_by, hold_reason::none);
  throttle_.pace().failed(
    now, {.status = 503, .started = now, .retry_after = now + 30s});
  EXPECT_EQ(state().held_by, hold_reason::breaker) << "it holds for longer";
}

TEST_F(ThrottleTest, ALackOfNetworkIsTheReceiversOnceOthersAreReached) {
  fake_clock clock;
  clock.set(now);
  local_outage outage{clock, {}, [] {}};
  const auto fault_at = [&](timestamp at) {
    protocol::exchange_result r;
    r.whose = protocol::fault::network;
    throttle_.find_fault(r, "a.example", at, false, &outage);
    return r.whose;
  };
  outage.note_reached(now - 1s);
  EXPECT_EQ(fault_at(now), protocol::fault::here) << "it may have begun";
  EXPECT_EQ(fault_at(now + 5s), protocol::fault::here) << "nobody was reached";
  outage.note_reached(now + 6s);
  EXPECT_EQ(fault_at(now + 10s), protocol::fault::receiver);
  EXPECT_EQ(fault_at(now + 15s), protocol::fault::here) << "another one";
  outage.note_reached(now + 16s);
  protocol::exchange_result answered;
  answered.status = 200;
  throttle_.learn(1, answered, now + 17s, now + 17s, false, &outage);
  EXPECT_EQ(fault_at(now + 20s), protocol::fault::here);
}

TEST_F(ThrottleTest, WhatTheEngineLacksHoldsItAlsoAfterAnOutage) {
  fake_clock clock;
  clock.set(now);
  local_outage outage{clock, {}, [] {}};
  outage.note_fault("dns: no name server answers");
  outage.note_reached(now + 10s);
  ASSERT_EQ(outage.ended(), 1U);
  protocol::exchange_result r;
  r.whose = protocol::fault::engine;
  throttle_.learn(1, r, now, now, false, &outage);
  throttle_.look_again(false, &outage);
  EXPECT_GT(throttle_.pace().stalled_until(), now);
}

TEST_F(ThrottleTest, ATestLeavesNoTraceInTheJudgementOfTheNetwork) {
  fake_clock clock;
  clock.set(now);
  local_outage outage{clock, {}, [] {}};
  const auto fault_at = [&](timestamp at, bool test) {
    protocol::exchange_result r;
    r.whose = protocol::fault::network;
    throttle_.find_fault(r, "a.example", at, test, &outage);
    return r.whose;
  };
  EXPECT_EQ(fault_at(now, true), protocol::fault::here);
  outage.note_reached(now + 1s);
  EXPECT_EQ(fault_at(now + 2s, false), protocol::fault::here)
    << "the first one that counts is excused";
  const auto of_name = [&](const std::string& host, bool test) {
    protocol::exchange_result r;
    r.whose = protocol::fault::domain;
    throttle_.find_fault(r, host, now + 3s, test, &outage);
    return r.whose;
  };
  (void)of_name("a.example", true);
  EXPECT_EQ(of_name("b.example", false), protocol::fault::receiver)
    << "as if it were the only one";
}

TEST_F(ThrottleTest, NameServersThatFailForOneNameOnlyAreTheReceivers) {
  fake_clock clock;
  clock.set(now);
  local_outage outage{clock, {}, [] {}};
  const auto fault_of = [&](const std::string& host, timestamp at) {
    protocol::exchange_result r;
    r.whose = protocol::fault::domain;
    throttle one;
    one.find_fault(r, host, at, false, &outage);
    return r.whose;
  };
  using protocol::fault;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(fault_of("a.example", now + i * 5s), fault::receiver)
      << "also if it is the only one";
  EXPECT_EQ(fault_of("b.example", now + 11s), fault::here)
    << "they fail for everybody";
  EXPECT_EQ(fault_of("a.example", now + 12s), fault::here);
  EXPECT_EQ(fault_of("a.example", now + 72s), fault::receiver)
    << "alone for a minute";
  EXPECT_EQ(fault_of("b.example", now + 73s), fault::here);
  outage.note_reached(now + 74s);
  EXPECT_EQ(fault_of("a.example", now + 75s), fault::receiver);
  EXPECT_EQ(fault_of("b.example", now + 200s), fault::receiver);
}

TEST_F(ThrottleTest, ALackOfDescriptorsIsAlwaysOurs) {
  fake_clock clock;
  local_outage outage{clock, {}, [] {}};
  for (int i = 0; i < 3; ++i) {
    protocol::exchange_result r;
    r.whose = protocol::fault::here;
    throttle_.find_fault(r, "a.example", now + i * 5s, false, &outage);
    EXPECT_EQ(r.whose, protocol::fault::here);
    outage.note_reached(now + i * 5s + 1s);
  }
}

} // namespace

} // namespace fanfare::test
