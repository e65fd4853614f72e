// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What a webhook's own settings, and its receiver's wishes, make of its calls,
// under a clock that the test moves.

#include "model/payload_filter.hpp"
#include "protocol/security/signature.hpp"
#include "tests/actors/actor_test.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Lt;
using ::testing::Not;
using ::testing::SizeIs;

class SettingsTest : public NodeTest {
protected:
  using configure = std::function<void(webhook_record&)>;

  webhook_id add(const configure& settings) {
    webhook_record w;
    w.owner = 1;
    w.target_url = "https://a.example/x";
    w.versions.push_back({.from = 0, .value = {.types = {1}}});
    w.delivery.signing = signing_algorithm::none;
    settings(w);
    return node_->add_webhook(std::move(w));
  }

  void answer_all(std::uint16_t code) {
    for (auto i : std::vector<std::size_t>{node_->wire.open.begin(),
                                           node_->wire.open.end()})
      node_->wire.answer(i, status(code));
    node_->run();
  }

  static filter_ref filter(std::string_view text) {
    return {*payload_filter::parse(text)};
  }
};

// -- what is sent -------------------------------------------------------------

TEST_F(SettingsTest, MethodHeadersAndUserAgentAreItsOwn) {
  add([](webhook_record& w) {
    w.delivery.put = true;
    w.delivery.user_agent_suffix = "shop/1";
    w.delivery.headers = {{"X-Key", "k 1"}};
  });
  node_->publish();
  ASSERT_THAT(sent(), SizeIs(1));
  EXPECT_THAT(sent()[0].head,
              AllOf(HasSubstr("PUT /x HTTP/1.1\r\n"),
                    HasSubstr("X-Key: k 1\r\n"), HasSubstr(" shop/1\r\n"),
                    Not(HasSubstr("webhook-signature"))));
}

TEST_F(SettingsTest, CallsAreSignedWithAllSecretsThatHold) {
  const auto older = protocol::signing_key::make(
    signing_algorithm::hmac_sha256);
  const auto newer = protocol::signing_key::make(
    signing_algorithm::hmac_sha256);
  const protocol::vault vault;
  add([&](webhook_record& w) {
    w.delivery.signing = signing_algorithm::hmac_sha256;
    w.secrets = {{.sealed = vault.seal(newer.text(), "secret"),
                  .created = clock_.now(),
                  .expires = {}},
                 {.sealed = vault.seal(older.text(), "secret"),
                  .created = clock_.now(),
                  .expires = clock_.now() + 1h}};
  });
  const auto signature_of = [this](std::size_t i) {
    const auto& head = sent().at(i).head;
    const auto field = [&head](std::string name) {
      name = "\r\n" + name + ": ";
      const auto at = head.find(name) + name.size();
      return head.substr(at, head.find("\r\n", at) - at);
    };
    return std::array{field("webhook-id"), field("webhook-timestamp"),
                      field("webhook-signature")};
  };
  const auto verifies = [&](std::size_t i, const protocol::signing_key& key) {
    const auto [id, time, signature] = signature_of(i);
    return protocol::verify_signature(
      key.text(), {id, time, sent()[i].what->body}, signature);
  };
  code_ = 500;
  node_->publish();
  EXPECT_TRUE(verifies(0, newer));
  EXPECT_TRUE(verifies(0, older));
  code_ = 200;
  node_->advance(6s);
  ASSERT_THAT(sent(), SizeIs(2));
  EXPECT_EQ(signature_of(0)[0], signature_of(1)[0]) << "the id stays";
  EXPECT_NE(signature_of(0)[1], signature_of(1)[1])
    << "the time is the attempt's";
  EXPECT_TRUE(verifies(1, newer));
  node_->advance(1h);
  node_->publish();
  ASSERT_THAT(sent(), SizeIs(3));
  EXPECT_TRUE(verifies(2, newer));
  EXPECT_FALSE(verifies(2, older)) << "its overlap is over";
  EXPECT_NE(signature_of(2)[0], signature_of(0)[0]);
}

TEST_F(SettingsTest, ASecretThatCannotBeOpenedSendsNothingUnsigned) {
  const auto hook = add([](webhook_record& w) {
    w.delivery.signing = signing_algorithm::hmac_sha256;
    w.secrets = {{.sealed = "\x02 not what this vault has sealed",
                  .created = {},
                  .expires = {}}};
  });
  node_->publish();
  EXPECT_THAT(sent(), IsEmpty());
  const auto calls = node_->calls(hook);
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_THAT(calls[0].reason, HasSubstr("secret: "));
  EXPECT_EQ(calls[0].result, outcome::retried);
}

TEST_F(SettingsTest, WhatCannotBeSentForWantOfAKeyIsNotTheReceiversFailure) {
  const protocol::vault vault;
  const auto key = protocol::signing_key::make(signing_algorithm::hmac_sha256);
  const auto hook = add([](webhook_record& w) {
    w.delivery.signing = signing_algorithm::hmac_sha256;
    w.secrets = {{.sealed = "\x02 sealed with a key that was lost",
                  .created = {},
                  .expires = {}}};
  });
  node_->publish(20);
  node_->advance(24h);
  EXPECT_THAT(sent(), IsEmpty());
  const auto calls = node_->calls(hook);
  EXPECT_THAT(calls, SizeIs(AllOf(Ge(20), Le(1'000))))
    << "the pauses grow to a quarter of an hour";
  EXPECT_THAT(calls, Each(Field(&call::attempt, 1))) << "no number is used up";
  const auto state = inspect(hook);
  EXPECT_EQ(state.failures, 0U);
  EXPECT_EQ(state.breaker, delivery_state::breaker_state::closed);
  EXPECT_FALSE(state.failing_since);
  EXPECT_THAT(node_->log, Contains(HasSubstr("secret: ")).Times(1))
    << "the operator is told once";
  node_->edit(hook, [&](webhook_record& w) {
    w.secrets = {{.sealed = vault.seal(key.text(), "secret"),
                  .created = {},
                  .expires = {}}};
  });
  node_->publish();
  EXPECT_THAT(sent(), Not(IsEmpty())) << "at once after the edit";
  node_->advance(15min);
  EXPECT_THAT(node_->retries(hook), IsEmpty()) << "all of them";
}

TEST_F(SettingsTest, TheTraceOfAPublishIsForwarded) {
  add([](webhook_record&) {});
  node_->publish_with(R"("x": 1)", "00-aa-bb-01\nvendor=1");
  node_->publish();
  ASSERT_THAT(sent(), SizeIs(2));
  EXPECT_THAT(sent()[0].head, HasSubstr("traceparent: 00-aa-bb-01\r\n"
                                        "tracestate: vendor=1\r\n"));
  EXPECT_THAT(sent()[1].head, Not(HasSubstr("trace")));
}

TEST_F(SettingsTest, AThinBodyNamesTheNotificationOnly) {
  add([](webhook_record& w) { w.delivery.thin = true; });
  node_->publish_with(
    R"("organizer": "o", "event": "e", "action": "a.b", "code": "SECRET")");
  ASSERT_THAT(sent(), SizeIs(1));
  EXPECT_EQ(
    sent()[0].what->body,
    R"({"notification_id":1,"organizer":"o","event":"e","action":"a.b"})");
  EXPECT_TRUE(node_->calls(1).at(0).thin);
}

// -- filter -------------------------------------------------------------------

TEST_F(SettingsTest, AFilterHoldsBackWhatDoesNotPass) {
  const auto hook = add(
    [](webhook_record& w) { w.current().filter = filter(R"({"kind": "a"})"); });
  node_->publish_with(R"("kind": "b")");
  node_->publish_with(R"("kind": "a")");
  node_->publish_with(R"("kind": "b")");
  EXPECT_THAT(node_->wire.ids(), ElementsAre(2));
  node_->checkpoint();
  EXPECT_EQ(node_->store.progress_of(hook).cursor, 3U);
  restart();
  EXPECT_THAT(node_->wire.ids(), IsEmpty()) << "nothing is sent again";
}

TEST_F(SettingsTest, AFilterHoldsForWhatIsPublishedAfterIt) {
  hang();
  const auto hook = add([](webhook_record& w) {
    w.delivery.max_in_flight = 1;
    w.current().filter = filter(R"({"kind": "a"})");
  });
  node_->publish_with(R"("kind": "a")");
  node_->publish_with(R"("kind": "b")");
  node_->publish_with(R"("kind": "a")");
  node_->edit(hook, [](webhook_record& w) {
    w.current().filter = filter(R"({"kind": "b"})");
  });
  node_->publish_with(R"("kind": "a")");
  node_->publish_with(R"("kind": "b")");
  node_->edit(hook, [](webhook_record& w) { w.current().filter = {}; });
  node_->publish_with(R"("kind": "c")");
  while (!node_->wire.open.empty())
    answer_all(200);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 3, 5, 6));
}

TEST_F(SettingsTest, AFilterHoldsForABacklogToo) {
  node_options options;
  options.window = 2;
  start(options);
  hang();
  add([](webhook_record& w) {
    w.delivery.max_in_flight = 1;
    w.current().filter = filter(R"({"kind": {"$in": ["a"]}})");
  });
  for (int i = 0; i < 10; ++i)
    node_->publish_with(i % 3 == 0 ? R"("kind": "a")" : R"("kind": "b")");
  while (!node_->wire.open.empty())
    answer_all(200);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 4, 7, 10));
  EXPECT_GT(node_->reader.backlog_reads, 0U);
}

TEST_F(SettingsTest, AFilterHoldsForABatchToo) {
  add([](webhook_record& w) {
    w.delivery.batch = {.max_count = 2, .max_wait = 10'000ms};
    w.current().filter = filter(R"({"kind": "a"})");
  });
  for (const auto* kind : {"a", "b", "a"})
    node_->publish_with(R"("kind": ")" + std::string{kind} + '"');
  ASSERT_THAT(sent(), SizeIs(1));
  EXPECT_EQ(sent()[0].what->body, R"([{"notification_id": 1, "kind": "a"},)"
                                  R"({"notification_id": 3, "kind": "a"}])");
}

// -- ordered ------------------------------------------------------------------

TEST_F(SettingsTest, OrderedSendsOneAtATime) {
  hang();
  add([](webhook_record& w) { w.delivery.ordered = true; });
  node_->publish(3);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1));
  answer_all(200);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2));
  answer_all(200);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2, 3));
}

TEST_F(SettingsTest, OrderedLetsAFailureHoldTheNextUntilItIsDelivered) {
  const auto hook = add([](webhook_record& w) { w.delivery.ordered = true; });
  code_ = 500;
  node_->publish(3);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1));
  EXPECT_EQ(inspect(hook).held_by, hold_reason::order);
  node_->advance(6s);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 1));
  code_ = 200;
  node_->advance(60s);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 1, 1, 2, 3));
  EXPECT_EQ(inspect(hook).held_by, hold_reason::none);
}

TEST_F(SettingsTest, OrderedWaitsForOneThatWasHeldWithoutAnAttemptUsed) {
  add([](webhook_record& w) { w.delivery.ordered = true; });
  const auto busy = [](const fake_wire::exchange&) {
    auto r = status(429);
    r.retry_after = "30";
    return std::optional{r};
  };
  node_->wire.script = busy;
  node_->publish(3);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1));
  code_ = 200;
  node_->wire.script = [this](const fake_wire::exchange&) {
    return std::optional{status(code_)};
  };
  node_->advance(40s);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 1, 2, 3));
}

TEST_F(SettingsTest, OrderedWaitsForOneThatWasHeldOverARestart) {
  add([](webhook_record& w) { w.delivery.ordered = true; });
  node_->wire.script = [](const fake_wire::exchange&) {
    auto r = status(429);
    r.retry_after = "30";
    return std::optional{r};
  };
  node_->publish(2);
  node_->checkpoint();
  restart();
  node_->advance(40s);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2));
}

TEST_F(SettingsTest, OrderedGoesOnAfterGivingUp) {
  add([](webhook_record& w) {
    w.delivery.ordered = true;
    w.delivery.schedule = std::vector{1'000ms};
  });
  node_->wire.script = [](const fake_wire::exchange& e) {
    return std::optional{status(e.what->id == 1 ? 500 : 200)};
  };
  node_->publish(2);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1));
  node_->advance(2s);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 1, 2));
}

TEST_F(SettingsTest, OrderedHoldsOverARestart) {
  add([](webhook_record& w) { w.delivery.ordered = true; });
  code_ = 500;
  node_->publish(2);
  node_->checkpoint();
  restart();
  EXPECT_THAT(node_->wire.ids(), IsEmpty());
  node_->publish();
  EXPECT_THAT(node_->wire.ids(), IsEmpty());
  code_ = 200;
  node_->advance(6s);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2, 3));
}

TEST_F(SettingsTest, OrderedGoesOnWhenWhatFailedIsTooOld) {
  node_options options;
  options.backoff.max_age = 60s;
  options.backoff.schedule = {50s, 1s};
  start(options);
  const auto hook = add([](webhook_record& w) { w.delivery.ordered = true; });
  code_ = 500;
  node_->publish(1);
  node_->edit(hook, [](webhook_record& w) { w.delivery.max_age = 55s; });
  clock_.set(clock_.now() + 58s); // due, and too old meanwhile
  code_ = 200;
  node_->publish(2);
  node_->advance(0ms);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2, 3));
  EXPECT_THAT(node_->calls(hook)[1].reason, HasSubstr("given up"));
}

TEST_F(SettingsTest, OrderedWorksOffWhatHadFailedBeforeItWasSet) {
  code_ = 500;
  const auto hook = add([](webhook_record& w) {
    w.delivery.schedule = std::vector{1'000ms, 1'000ms};
  });
  node_->publish(500);
  node_->edit(hook, [](webhook_record& w) { w.delivery.ordered = true; });
  code_ = 200;
  node_->publish(1);
  EXPECT_EQ(sent().size(), 500U) << "behind all that failed";
  node_->advance(2s);
  EXPECT_EQ(sent().size(), 1'001U);
  EXPECT_EQ(sent().back().what->id, 501U);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

TEST_F(SettingsTest, OrderedDoesNotBlockItselfWithAReplay) {
  const auto hook = add([](webhook_record& w) {
    w.delivery.ordered = true;
    w.delivery.schedule = std::vector{1'000ms, 1'000ms};
  });
  node_->publish(200);
  ASSERT_EQ(sent().size(), 200U);
  const replay again{.asked = {.since = {}, .until = clock_.now() + 1h},
                     .upto = node_->store.journal().tail(),
                     .selecting = {.types = {1}},
                     .started = clock_.now()};
  node_->queue.push(
    {.what = storage::start_replay{.owner = 1, .hook = hook, .value = again},
     .done = {}});
  node_->run();
  // The 20th of them fails once.
  node_->wire.script = [this](const fake_wire::exchange&) {
    return std::optional{status(sent().size() == 220 ? 500 : 200)};
  };
  const auto chosen = node_->store.deliveries().select(
    *node_->store.registry().find_webhook(hook), again);
  node_->crew.router().send(
    atom::order_v, hook,
    std::make_shared<const webhook_order>(replay_order{
      again, std::make_shared<const storage::selection>(*chosen)}));
  node_->run();
  EXPECT_EQ(sent().size(), 220U);
  node_->publish();
  node_->advance(2s);
  EXPECT_EQ(sent().size(), 402U);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
}

// -- paused -------------------------------------------------------------------

TEST_F(SettingsTest, PausedHoldsEverythingAndLosesNothing) {
  node_options options;
  options.window = 2;
  options.backoff.max_age = 60s;
  start(options);
  code_ = 500;
  const auto hook = add([](webhook_record&) {});
  node_->publish();
  node_->edit(hook, [](webhook_record& w) { w.delivery.paused = true; });
  node_->publish(5);
  node_->advance(100h);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1));
  EXPECT_EQ(inspect(hook).held_by, hold_reason::pause);
  restart();
  node_->advance(1h);
  EXPECT_THAT(node_->wire.ids(), IsEmpty());
  code_ = 200;
  node_->edit(hook, [this](webhook_record& w) {
    w.delivery.paused = false;
    w.resumed = clock_.now();
  });
  node_->advance(1s);
  auto ids = node_->wire.ids();
  std::ranges::sort(ids);
  EXPECT_THAT(ids, ElementsAre(1, 2, 3, 4, 5, 6)) << "none is too old";
}

TEST_F(SettingsTest, AfterAPauseItsBacklogGoesAtTheChosenPace) {
  const auto hook = add([](webhook_record& w) { w.delivery.paused = true; });
  node_->publish(4);
  node_->advance(1h);
  node_->edit(hook, [this](webhook_record& w) {
    w.delivery.paused = false;
    w.delivery.resume_rate = {.count = 1, .period = 1'000ms};
    w.resumed = clock_.now();
  });
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1));
  EXPECT_EQ(inspect(hook).held_by, hold_reason::rate);
  node_->advance(999ms);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1));
  node_->advance(1ms);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2));
  node_->advance(2s);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2, 3, 4));
  node_->publish(3);
  EXPECT_THAT(node_->wire.ids(), SizeIs(7)) << "what is new goes at once";
}

// -- rate ---------------------------------------------------------------------

TEST_F(SettingsTest, ARateLimitSpreadsRequests) {
  const auto hook = add([](webhook_record& w) {
    w.delivery.rate_limit = {.count = 2, .period = 10'000ms};
  });
  node_->publish(5);
  EXPECT_THAT(node_->wire.ids(), ElementsAre(1, 2));
  EXPECT_EQ(inspect(hook).held_by, hold_reason::rate);
  EXPECT_EQ(inspect(hook).held_until, clock_.now() + 5s);
  node_->advance(5s - 1ms);
  EXPECT_THAT(node_->wire.ids(), SizeIs(2));
  node_->advance(1ms);
  EXPECT_THAT(node_->wire.ids(), SizeIs(3));
  node_->advance(10s);
  EXPECT_THAT(node_->wire.ids(), SizeIs(5));
}

TEST_F(SettingsTest, ARateLimitIsNotForgottenByAnIdleWebhook) {
  node_options options;
  options.idle_checkpoints = 1;
  start(options);
  add([](webhook_record& w) {
    w.delivery.rate_limit = {.count = 1, .period = 60'000ms};
  });
  node_->publish();
  for (int i = 0; i < 5; ++i)
    node_->checkpoint();
  node_->publish();
  EXPECT_THAT(sent(), SizeIs(1));
  node_->advance(60s);
  EXPECT_THAT(sent(), SizeIs(2));
  node_->advance(60s);
  for (int i = 0; i < 5; ++i)
    node_->checkpoint();
  EXPECT_EQ(node_->active_webhooks, 0U) << "nothing is left to remember";
}

TEST_F(SettingsTest, ARateLimitOfBatchesSurvivesARestart) {
  const auto batched = [](webhook_record& w) {
    w.delivery.rate_limit = {.count = 50, .period = 3'600'000ms};
    w.delivery.batch = {.max_count = 100, .max_wait = 10'000ms};
  };
  add(batched);
  for (int i = 0; i < 50; ++i)
    node_->publish(100);
  ASSERT_THAT(sent(), SizeIs(50));
  node_->publish(100);
  ASSERT_THAT(sent(), SizeIs(50)) << "its rate is used up";
  ASSERT_THAT(node_->store.contents().calls, SizeIs(5'000));
  restart();
  EXPECT_THAT(sent(), IsEmpty());
  node_->advance(72s);
  EXPECT_THAT(sent(), SizeIs(1));
}

TEST_F(SettingsTest, ATimeThatPassesWhileItWorksIsNotMissed) {
  // Each look at the clock finds it a millisecond later.
  clock_.tick = 1ms;
  add([](webhook_record& w) {
    w.delivery.rate_limit = {.count = 1'000, .period = 1'000ms};
    w.delivery.max_in_flight = 64;
  });
  node_->publish(1'200);
  for (int i = 0; i < 2'000 && sent().size() < 1'200; ++i)
    node_->advance(1ms);
  EXPECT_EQ(sent().size(), 1'200U);
}

// -- batch --------------------------------------------------------------------

TEST_F(SettingsTest, ABatchGoesWhenItIsFullOrItsTimeIsUp) {
  const auto hook = add([](webhook_record& w) {
    w.delivery.batch = {.max_count = 3, .max_wait = 200ms};
  });
  node_->publish(2);
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(inspect(hook).held_by, hold_reason::batch);
  node_->publish(2);
  ASSERT_THAT(sent(), SizeIs(1)) << "three are a batch";
  EXPECT_EQ(sent()[0].what->body,
            R"([{"notification_id": 1},{"notification_id": 2},)"
            R"({"notification_id": 3}])");
  node_->advance(199ms);
  EXPECT_THAT(sent(), SizeIs(1));
  node_->advance(1ms);
  ASSERT_THAT(sent(), SizeIs(2));
  EXPECT_EQ(sent()[1].what->body, R"([{"notification_id": 4}])");
  const auto calls = node_->calls(hook);
  ASSERT_THAT(calls, SizeIs(4)) << "each has its entry";
  for (position i = 1; i <= 4; ++i) {
    EXPECT_EQ(calls[i - 1].subject, i);
    EXPECT_EQ(calls[i - 1].result, outcome::delivered);
  }
  EXPECT_EQ(calls.back().settled_upto, 4U);
  EXPECT_EQ(node_->in_flight, 0U);
}

TEST_F(SettingsTest, ABatchThatFailedComesBackTogether) {
  const auto hook = add([](webhook_record& w) {
    w.delivery.batch = {.max_count = 10, .max_wait = 0ms};
    w.delivery.max_in_flight = 1;
  });
  hang();
  node_->publish(1);
  node_->publish(3);
  answer_all(200);
  ASSERT_THAT(sent(), SizeIs(2));
  answer_all(503);
  EXPECT_THAT(node_->retries(hook), SizeIs(3));
  node_->advance(6s);
  ASSERT_THAT(sent(), SizeIs(3));
  EXPECT_EQ(sent()[1].what->body, sent()[2].what->body);
  answer_all(200);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  EXPECT_EQ(node_->calls(hook).back().attempt, 2);
}

TEST_F(SettingsTest, ABatchThatIsRefusedIsHalvedUntilTheCulpritIsAlone) {
  node_->wire.script = [](const fake_wire::exchange& e) {
    const bool bad = e.what->body.find("\"notification_id\": 7}")
                  != std::string::npos;
    return std::optional{status(bad ? 400 : 200)};
  };
  const auto hook = add([](webhook_record& w) {
    w.delivery.batch = {.max_count = 20, .max_wait = 0ms};
    w.delivery.max_in_flight = 1;
  });
  node_->publish(20);
  node_->advance(1s);
  const auto waiting = node_->retries(hook);
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].subject, 7U);
  EXPECT_EQ(waiting[0].attempt, 2) << "only alone has it used up an attempt";
  std::set<position> delivered;
  for (const auto& c : node_->calls(hook))
    if (c.result == outcome::delivered) {
      EXPECT_EQ(c.attempt, 1);
      delivered.insert(c.subject);
    }
  EXPECT_THAT(delivered, SizeIs(19));
  EXPECT_THAT(sent(), SizeIs(Lt(15U)));
  EXPECT_EQ(inspect(hook).failures, 1U) << "what is unclear is no failure";
}

TEST_F(SettingsTest, HalvesOfABatchDoNotMixAgain) {
  node_->wire.script = [](const fake_wire::exchange& e) {
    const bool bad = e.what->body.find("\"notification_id\": 11}")
                  != std::string::npos;
    return std::optional{status(bad ? 422 : 200)};
  };
  add([](webhook_record& w) {
    w.delivery.batch = {.max_count = 16, .max_wait = 0ms};
  });
  node_->publish(16);
  node_->advance(1s);
  // The batch, and two halves of each that has the one that is refused.
  EXPECT_THAT(sent(), SizeIs(9));
}

TEST_F(SettingsTest, HalvesOfABatchDoNotOvertakeEachOtherInOrder) {
  std::vector<position> taken;
  node_->wire.script = [&taken](const fake_wire::exchange& e) {
    const boost::json::value body = boost::json::parse(e.what->body);
    std::vector<position> members;
    for (const auto& one : body.as_array())
      members.push_back(one.at("notification_id").to_number<position>());
    if (members.size() > 1 && std::ranges::find(members, 2U) != members.end())
      return std::optional{status(422)};
    taken.insert(taken.end(), members.begin(), members.end());
    return std::optional{status(200)};
  };
  add([](webhook_record& w) {
    w.delivery.batch = {.max_count = 8, .max_wait = 0ms};
    w.delivery.ordered = true;
  });
  node_->publish(16);
  node_->advance(1s);
  EXPECT_THAT(taken, SizeIs(16));
  EXPECT_TRUE(std::ranges::is_sorted(taken));
}

TEST_F(SettingsTest, RetriesDoNotWaitForABatchToFill) {
  add([](webhook_record& w) {
    w.delivery.batch = {.max_count = 10, .max_wait = 30'000ms};
    w.delivery.schedule = std::vector{1'000ms};
  });
  code_ = 500;
  node_->publish(1);
  node_->advance(30s);
  ASSERT_THAT(sent(), SizeIs(1));
  code_ = 200;
  node_->publish(1);
  node_->advance(2s);
  ASSERT_THAT(sent(), SizeIs(2));
  EXPECT_EQ(sent()[1].what->body, R"([{"notification_id": 1}])");
}

TEST_F(SettingsTest, ABatchThatIsGoneDisablesOnce) {
  code_ = 410;
  const auto hook = add([](webhook_record& w) {
    w.delivery.batch = {.max_count = 2, .max_wait = 0ms};
  });
  hang();
  node_->publish(3);
  node_->store.kinds.clear();
  answer_all(410);
  answer_all(200);
  EXPECT_FALSE(node_->store.registry().find_webhook(hook)->current().enabled);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  const storage::operation change = storage::change_webhook{};
  EXPECT_EQ(std::ranges::count(node_->store.kinds, change.index()), 1);
  EXPECT_THAT(node_->told, SizeIs(1));
}

TEST_F(SettingsTest, ABatchHasNoMoreThanAMegabyteBeyondTheFirst) {
  hang();
  add([](webhook_record& w) {
    w.delivery.batch = {.max_count = 10, .max_wait = 10'000ms};
  });
  const auto large = "\"x\": \"" + std::string(600 * 1024, 'x') + '"';
  node_->publish_with(large);
  EXPECT_THAT(sent(), IsEmpty());
  node_->publish_with(large);
  EXPECT_THAT(sent(), SizeIs(1)) << "two do not fit together";
}

// -- what the receiver wants --------------------------------------------------

/// Two webhooks that one host tells to come back in an hour, and one that is
/// not called by then.
class SharedHoldTest : public SettingsTest {
protected:
  SharedHoldTest() {
    for (auto* hook : {&one_, &other_})
      *hook = add([](webhook_record&) {});
    waits_ = add(
      [](webhook_record& w) { w.versions.back().value.types = {2}; });
    node_->wire.script = [this](const fake_wire::exchange&) {
      auto r = status(code_);
      r.retry_after = "3600";
      return std::optional{r};
    };
    code_ = 503;
    node_->publish();
    code_ = 200;
    node_->publish(1, 2);
    EXPECT_THAT(node_->calls(waits_), IsEmpty());
    EXPECT_EQ(inspect(waits_).held_by, hold_reason::retry_after);
  }

  webhook_id one_ = 0;
  webhook_id other_ = 0;
  webhook_id waits_ = 0;
};

TEST_F(SharedHoldTest, EndsForAllWhenOneOfTwoIsDisabled) {
  node_->edit(one_, [](webhook_record& w) { w.current().enabled = false; });
  EXPECT_THAT(node_->calls(waits_), SizeIs(1));
  EXPECT_THAT(node_->retries(other_), SizeIs(1)) << "it was told itself";
}

TEST_F(SharedHoldTest, DoesNotEndWhileTwoOthersAreTold) {
  const auto third = add(
    [](webhook_record& w) { w.versions.back().value.types = {3}; });
  const auto never = add(
    [](webhook_record& w) { w.versions.back().value.types = {4}; });
  node_->edit(never, [](webhook_record& w) { w.delivery.paused = true; });
  node_->publish(1, 4);
  node_->edit(never, [](webhook_record& w) { w.current().enabled = false; });
  EXPECT_THAT(node_->calls(waits_), IsEmpty()) << "it was not told";
  EXPECT_THAT(node_->calls(third), IsEmpty());
}

TEST_F(SharedHoldTest, ASuccessOfOneWhoseOwnerWantsItNowEndsItForAll) {
  node_->crew.router().send(
    atom::order_v, one_,
    std::make_shared<const webhook_order>(
      expedite_order{reply<std::size_t>{[](const auto&) {}}}));
  node_->run();
  node_->advance(2s);
  EXPECT_THAT(node_->calls(waits_), SizeIs(1));
  EXPECT_EQ(node_->calls(other_).back().result, outcome::delivered);
}

TEST_F(SharedHoldTest, EndsForAllWhenOneOfTwoGetsAnotherUrl) {
  node_->edit(one_,
              [](webhook_record& w) { w.target_url = "https://b.example/"; });
  EXPECT_THAT(node_->calls(waits_), SizeIs(1));
}

TEST_F(SharedHoldTest, EndsForAllWithASuccessOfOne) {
  node_->edit(one_,
              [](webhook_record& w) { w.target_url = "https://a.example/y"; });
  node_->advance(1s);
  EXPECT_THAT(node_->calls(waits_), SizeIs(1));
}

TEST_F(SettingsTest, RetryAfterMovesTheWholeWebhook) {
  const auto hook = add([](webhook_record&) {});
  node_->wire.script = [](const fake_wire::exchange&) {
    auto r = status(503);
    r.retry_after = "60";
    return std::optional{r};
  };
  node_->publish();
  const auto began = clock_.now();
  EXPECT_EQ(node_->retries(hook).at(0).due, began + 60s)
    << "not after 5 s, as the schedule says";
  node_->publish(2);
  EXPECT_THAT(sent(), SizeIs(1));
  EXPECT_EQ(inspect(hook).held_by, hold_reason::retry_after);
  EXPECT_EQ(inspect(hook).held_until, began + 60s);
  hang();
  node_->advance(60s - 1ms);
  EXPECT_THAT(sent(), SizeIs(1));
  node_->advance(1ms);
  EXPECT_THAT(sent(), SizeIs(4));
}

TEST_F(SettingsTest, AHoldIsOverAfterWhatShowsOrWantsThatItIs) {
  const auto held = [this] {
    auto r = status(503);
    r.retry_after = "3600";
    node_->wire.script = [r](const fake_wire::exchange&) {
      return std::optional{r};
    };
    const auto hook = add([](webhook_record&) {});
    node_->publish();
    EXPECT_EQ(inspect(hook).held_by, hold_reason::retry_after);
    node_->wire.script = [](const fake_wire::exchange&) {
      return std::optional{status(200)};
    };
    return hook;
  };
  auto hook = held();
  node_->crew.router().send(
    atom::order_v, hook,
    std::make_shared<const webhook_order>(
      expedite_order{reply<std::size_t>{[](const result<std::size_t>&) {}}}));
  node_->run();
  EXPECT_THAT(node_->calls(hook), SizeIs(2)) << "expedited";
  EXPECT_EQ(inspect(hook).held_by, hold_reason::none);
  restart();
  EXPECT_EQ(inspect(hook).held_by, hold_reason::none) << "for good";

  start({});
  hook = held();
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = false; });
  node_->edit(hook, [](webhook_record& w) { w.current().enabled = true; });
  node_->publish();
  EXPECT_THAT(node_->calls(hook), SizeIs(2)) << "enabled again";
}

TEST_F(SettingsTest, AHoldHoldsWhatIsNewAfterARestartToo) {
  auto r = status(503);
  r.retry_after = "600";
  node_->wire.script = [r](const fake_wire::exchange&) {
    return std::optional{r};
  };
  const auto hook = add([](webhook_record&) {});
  node_->publish();
  for (const bool saved : {false, true}) {
    if (saved)
      node_->checkpoint();
    restart();
    node_->publish();
    EXPECT_THAT(sent(), IsEmpty()) << "by the node that was started again";
    EXPECT_EQ(inspect(hook).held_by, hold_reason::retry_after);
  }
  node_->advance(600s);
  EXPECT_THAT(sent(), SizeIs(3));
}

TEST_F(SettingsTest, WaitingForAsLongAsAReceiverSaysUsesUpNoAttempt) {
  const auto ready = clock_.now() + 14s;
  node_->wire.script = [this, ready](const fake_wire::exchange&) {
    auto r = status(clock_.now() < ready ? 429 : 200);
    r.retry_after = "2";
    return std::optional{r};
  };
  const auto hook = add([](webhook_record& w) {
    w.delivery.schedule = std::vector(3, std::chrono::milliseconds{1s});
  });
  node_->publish();
  node_->advance(20s);
  const auto all = node_->calls(hook);
  ASSERT_THAT(all, SizeIs(Gt(4U)));
  EXPECT_EQ(all.back().result, outcome::delivered);
  EXPECT_EQ(all.back().attempt, 1);
}

TEST_F(SettingsTest, AnAnswerThatEndsANotificationHoldsAfterARestartToo) {
  auto r = status(503);
  r.retry_after = "600";
  node_->wire.script = [r](const fake_wire::exchange&) {
    return std::optional{r};
  };
  const auto hook = add(
    [](webhook_record& w) { w.delivery.max_age = std::chrono::minutes{1}; });
  node_->publish();
  ASSERT_EQ(node_->calls(hook).at(0).result, outcome::given_up);
  const auto began = clock_.now();
  restart();
  node_->publish();
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(inspect(hook).held_until, began + 600s);
}

TEST_F(SettingsTest, OnePathThatKeepsRefusingHoldsNoOtherOfItsHost) {
  bool all_busy = true;
  node_->wire.script = [&all_busy](const fake_wire::exchange& e) {
    auto r = status(all_busy || e.url.ends_with("/bad") ? 429 : 200);
    r.retry_after = e.url.ends_with("/bad") ? "600" : "2";
    return std::optional{r};
  };
  const auto add_at = [this](const char* url) {
    return add([url](webhook_record& w) { w.target_url = url; });
  };
  add_at("https://a.example/bad");
  const auto good = add_at("https://a.example/good");
  node_->publish();
  EXPECT_EQ(inspect(good).held_by, hold_reason::retry_after);
  all_busy = false;
  node_->advance(5s);
  const auto delivered = [&] {
    return std::ranges::count(node_->calls(good), outcome::delivered,
                              &call::result);
  };
  ASSERT_EQ(delivered(), 1);
  for (int i = 0; i < 30; ++i) {
    node_->publish();
    node_->advance(1s);
    EXPECT_EQ(delivered(), 2 + i);
  }
}

TEST_F(SettingsTest, ASuccessAfterASharedHoldSendsAtOnceWhatWaitsElsewhere) {
  bool busy = true;
  node_->wire.script = [&busy](const fake_wire::exchange& e) {
    auto r = status(busy ? 503 : 200);
    r.retry_after = e.url.ends_with("/soon") ? "2" : "600";
    return std::optional{r};
  };
  const auto add_at = [this](const char* url) {
    return add([url](webhook_record& w) { w.target_url = url; });
  };
  const auto soon = add_at("https://a.example/soon");
  const auto late = add_at("https://a.example/late");
  node_->publish();
  ASSERT_EQ(inspect(late).held_by, hold_reason::retry_after);
  busy = false;
  node_->advance(5s);
  EXPECT_EQ(node_->calls(soon).back().result, outcome::delivered);
  EXPECT_EQ(node_->calls(late).back().result, outcome::delivered)
    << "and nobody has asked for it";
  EXPECT_THAT(node_->retries(late), IsEmpty());
  restart();
  EXPECT_THAT(node_->retries(late), IsEmpty());
}

TEST_F(SettingsTest, ASharedHoldSurvivesARestartUnlessItWasLifted) {
  std::uint16_t code = 429;
  const auto script = [&code](const fake_wire::exchange&) {
    auto r = status(code);
    r.retry_after = "600";
    return std::optional{r};
  };
  node_->wire.script = script;
  const auto first = add([](webhook_record&) {});
  add([](webhook_record&) {});
  node_->publish();
  ASSERT_THAT(sent(), SizeIs(2));
  restart();
  node_->wire.script = script;
  const auto third = add([](webhook_record&) {});
  EXPECT_EQ(inspect(third).held_by, hold_reason::retry_after)
    << "what comes will be held";
  node_->publish();
  EXPECT_THAT(sent(), IsEmpty()) << "by the node that was started again";
  EXPECT_EQ(inspect(third).held_by, hold_reason::retry_after);
  code = 200;
  node_->crew.router().send(
    atom::order_v, third,
    std::make_shared<const webhook_order>(
      expedite_order{reply<std::size_t>{[](const result<std::size_t>&) {}}}));
  node_->run();
  ASSERT_THAT(node_->calls(third), SizeIs(1));
  restart();
  EXPECT_EQ(inspect(first).held_by, hold_reason::none) << "one was taken";
}

TEST_F(SettingsTest, WhatTheTargetBeforeAnsweredHoldsNothing) {
  hang();
  const auto hook = add([](webhook_record&) {});
  node_->publish();
  node_->edit(hook,
              [](webhook_record& w) { w.target_url = "https://b.example/"; });
  auto late = status(503);
  late.retry_after = "3600";
  node_->wire.answer(0, std::move(late));
  node_->publish();
  EXPECT_EQ(node_->wire.sent.back().url, "https://b.example/");
  EXPECT_EQ(inspect(hook).held_by, hold_reason::none);
}

TEST_F(SettingsTest, AnotherTargetBeginsWithoutFailuresAlsoAfterARestart) {
  code_ = 500;
  const auto hook = add([](webhook_record& w) {
    w.delivery.schedule = std::vector(100, std::chrono::milliseconds{6h});
    w.delivery.max_age = 24h * 30;
  });
  node_->publish();
  node_->advance(4 * 24h);
  node_->edit(hook,
              [](webhook_record& w) { w.target_url = "https://b.example/"; });
  restart();
  node_->advance(2 * 24h);
  EXPECT_TRUE(node_->store.registry().find_webhook(hook)->current().enabled);
}

TEST_F(SettingsTest, TimeThatTheEngineWasOffDoesNotCountAsFailing) {
  code_ = 500;
  const auto hook = add([](webhook_record& w) {
    w.delivery.schedule = std::vector(100, std::chrono::milliseconds{6h});
    w.delivery.max_age = 24h * 60;
  });
  const auto enabled = [&] {
    return node_->store.registry().find_webhook(hook)->current().enabled;
  };
  node_->publish();
  node_->advance(36h);
  for (int i = 0; i < 2; ++i) {
    clock_.set(clock_.now() + 6 * 24h);
    restart();
    node_->advance(12h);
    EXPECT_TRUE(enabled()) << "after " << i + 1 << " times off";
  }
  node_->advance(5 * 24h);
  EXPECT_FALSE(enabled()) << "the time that it was on counts";
}

TEST_F(SettingsTest, TimeOffCountsFromTheStopAndNotFromTheLastFailure) {
  code_ = 500;
  for (const bool killed : {false, true}) {
    SCOPED_TRACE(killed);
    start({});
    const auto hook = add([](webhook_record& w) {
      w.delivery.schedule = std::vector(100, std::chrono::milliseconds{24h});
      w.delivery.max_age = 24h * 60;
    });
    const auto enabled = [&] {
      return node_->store.registry().find_webhook(hook)->current().enabled;
    };
    node_->publish();
    // Off for an hour a day, shortly before the next attempt.
    for (int day = 0; day < 7; ++day) {
      EXPECT_TRUE(enabled() || day > 5);
      node_->advance(23h);
      if (!killed)
        node_->crew.drain();
      node_->checkpoint();
      clock_.set(clock_.now() + 1h);
      restart();
    }
    EXPECT_FALSE(enabled()) << "it was on for 23 hours of each day";
  }
}

TEST_F(SettingsTest, AStopIsKeptAndAnIdleEngineWritesNothing) {
  const auto known = [this] { return node_->store.contents().runs.until; };
  node_->checkpoint();
  EXPECT_EQ(known(), timestamp{});
  node_->crew.drain();
  node_->checkpoint();
  EXPECT_EQ(known(), clock_.now());
}

TEST_F(SettingsTest, WhileAWebhookHasSomethingToDoTheStoreKnowsThatItRuns) {
  code_ = 500;
  add([](webhook_record& w) {
    w.delivery.schedule = std::vector(9, std::chrono::milliseconds{24h});
  });
  node_->publish();
  node_->checkpoint();
  const auto known = [this] { return node_->store.contents().runs.until; };
  EXPECT_EQ(known(), clock_.now());
  node_->advance(29s);
  node_->checkpoint();
  EXPECT_EQ(known(), clock_.now() - 29s) << "not at each checkpoint";
  node_->advance(1s);
  node_->checkpoint();
  EXPECT_EQ(known(), clock_.now());
}

TEST_F(SettingsTest, APauseDoesNotCountAsFailing) {
  code_ = 500;
  const auto hook = add([](webhook_record& w) {
    w.delivery.schedule = std::vector(100, std::chrono::milliseconds{6h});
    w.delivery.max_age = 24h * 30;
  });
  node_->publish();
  node_->advance(24h);
  node_->edit(hook, [](webhook_record& w) { w.delivery.paused = true; });
  node_->advance(10 * 24h);
  node_->edit(hook, [this](webhook_record& w) {
    w.delivery.paused = false;
    w.resumed = clock_.now();
  });
  node_->advance(24h);
  EXPECT_TRUE(node_->store.registry().find_webhook(hook)->current().enabled);
}

TEST_F(SettingsTest, TheBreakerAttemptsNothingAndLosesNothing) {
  node_options options;
  options.pace.breaker_failures = 3;
  options.pace.breaker_pause = 10s;
  start(options);
  code_ = 500;
  const auto hook = add([](webhook_record& w) {
    w.delivery.max_in_flight = 1;
    w.delivery.schedule = std::vector(50, 1'000ms);
  });
  node_->publish(10);
  ASSERT_THAT(sent(), SizeIs(3));
  EXPECT_EQ(inspect(hook).breaker, delivery_state::breaker_state::open);
  EXPECT_EQ(inspect(hook).held_by, hold_reason::breaker);
  node_->advance(10s - 1ms);
  EXPECT_THAT(sent(), SizeIs(3));
  node_->advance(1ms);
  EXPECT_THAT(sent(), SizeIs(4)) << "one call probes";
  code_ = 200;
  node_->advance(20s - 1ms);
  EXPECT_THAT(sent(), SizeIs(4));
  node_->advance(1ms);
  node_->advance(5s);
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  EXPECT_EQ(inspect(hook).breaker, delivery_state::breaker_state::closed);
  std::set<position> delivered;
  for (const auto& c : node_->calls(hook))
    if (c.result == outcome::delivered)
      delivered.insert(c.subject);
  EXPECT_THAT(delivered, SizeIs(10));
  ASSERT_FALSE(node_->told.empty());
  EXPECT_EQ(node_->told.back().action, "fanfare.webhook.recovered");
}

TEST_F(SettingsTest, AnOpenBreakerStaysOpenOverARestart) {
  node_options options;
  options.pace.breaker_failures = 3;
  options.pace.breaker_pause = 10s;
  start(options);
  code_ = 500;
  const auto hook = add(
    [](webhook_record& w) { w.delivery.max_in_flight = 1; });
  node_->publish(5);
  ASSERT_THAT(sent(), SizeIs(3));
  node_->advance(6s);
  restart(options);
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(inspect(hook).breaker, delivery_state::breaker_state::open);
  node_->advance(4s);
  EXPECT_THAT(sent(), SizeIs(1));
}

TEST_F(SettingsTest, AWebhookThatOnlyFailsForFiveDaysIsDisabled) {
  code_ = 500;
  const auto hook = add([](webhook_record& w) {
    w.delivery.schedule = std::vector(100, std::chrono::milliseconds{6h});
    w.delivery.max_age = 24h * 30;
  });
  node_->publish();
  node_->advance(5 * 24h - 7h);
  EXPECT_TRUE(node_->store.registry().find_webhook(hook)->current().enabled);
  node_->advance(14h);
  EXPECT_FALSE(node_->store.registry().find_webhook(hook)->current().enabled);
  EXPECT_THAT(node_->calls(hook).back().reason, HasSubstr("only failed"));
  EXPECT_THAT(node_->retries(hook), IsEmpty());
  ASSERT_FALSE(node_->told.empty());
  EXPECT_EQ(node_->told.back().action, "fanfare.webhook.disabled");
  EXPECT_THAT(node_->told.back().members, HasSubstr("only failed"));
}

TEST_F(SettingsTest, OneSuccessBeginsTheFiveDaysAgain) {
  code_ = 500;
  const auto hook = add([](webhook_record& w) {
    w.delivery.schedule = std::vector(100, std::chrono::milliseconds{6h});
    w.delivery.max_age = 24h * 30;
  });
  node_->publish();
  node_->advance(4 * 24h);
  code_ = 200;
  node_->publish();
  code_ = 500;
  node_->advance(4 * 24h);
  EXPECT_TRUE(node_->store.registry().find_webhook(hook)->current().enabled);
}

TEST_F(SettingsTest, WithoutALimitItIsNeverDisabled) {
  node_options options;
  options.disable_after = 0ms;
  start(options);
  code_ = 500;
  const auto hook = add([](webhook_record& w) {
    w.delivery.schedule = std::vector(100, std::chrono::milliseconds{12h});
    w.delivery.max_age = 24h * 30;
  });
  node_->publish();
  node_->advance(20 * 24h);
  EXPECT_TRUE(node_->store.registry().find_webhook(hook)->current().enabled);
}

// -- what the owner is told ---------------------------------------------------

TEST_F(SettingsTest, ItsOwnerIsToldOfA410) {
  code_ = 410;
  const auto hook = add([](webhook_record&) {});
  node_->publish();
  ASSERT_THAT(node_->told, SizeIs(1));
  EXPECT_EQ(node_->told[0].hook, hook);
  EXPECT_EQ(node_->told[0].action, "fanfare.webhook.disabled");
  EXPECT_THAT(node_->told[0].members, HasSubstr("gone"));
}

TEST_F(SettingsTest, WhatIsGivenUpIsToldOnceAMinuteAtMost) {
  code_ = 500;
  add([](webhook_record& w) { w.delivery.schedule.emplace(); });
  node_->publish(1);
  ASSERT_THAT(node_->told, SizeIs(1));
  EXPECT_EQ(node_->told[0].action, "fanfare.notification.given_up");
  EXPECT_THAT(node_->told[0].members, HasSubstr(R"("count": 1,)"));
  node_->publish(5);
  EXPECT_THAT(node_->told, SizeIs(1));
  node_->advance(60s - 1ms);
  EXPECT_THAT(node_->told, SizeIs(1));
  node_->advance(1ms);
  ASSERT_THAT(node_->told, SizeIs(2));
  EXPECT_THAT(node_->told[1].members,
              AllOf(HasSubstr(R"("count": 5,)"),
                    HasSubstr(R"("first_notification_id": 2,)"),
                    HasSubstr(R"("last_notification_id": 6)")));
}

TEST_F(SettingsTest, ACertificateThatEndsSoonIsToldOnceADay) {
  const auto hook = add([](webhook_record&) {});
  const auto ends = clock_.now() + 24h * 14 + 1s;
  node_->wire.script = [ends](const fake_wire::exchange&) {
    auto r = status(200);
    r.certificate_expires = ends;
    return std::optional{r};
  };
  node_->publish();
  EXPECT_THAT(node_->told, IsEmpty()) << "14 days and a second before";
  EXPECT_EQ(inspect(hook).certificate_expires, ends);
  node_->advance(1s);
  node_->publish(3);
  ASSERT_THAT(node_->told, SizeIs(1));
  EXPECT_EQ(node_->told[0].action, "fanfare.webhook.certificate_expiring");
  node_->advance(24h);
  node_->publish(2);
  EXPECT_THAT(node_->told, SizeIs(2));
}

} // namespace

} // namespace fanfare::test
