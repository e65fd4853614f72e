// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// In trouble at 3 am: receivers fail in five ways, one webhook is paused, one
// is told to wait. What the status, the explanations and the log say of it,
// while it happens, when the webhooks are at rest, and after a restart.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

class ThreeAmTest : public E2eTest {
protected:
  ThreeAmTest() {
    std::vector<std::string> args{"--ca-file",
                                  dir_.write("ca.pem", ca_.pem()).string(),
                                  "--schedule",
                                  "0s,0s,0s,1h,1h",
                                  "--breaker-failures",
                                  "3",
                                  "--breaker-pause",
                                  "1h",
                                  "--total-timeout",
                                  "1s",
                                  "--first-byte-timeout",
                                  "1s",
                                  "--dns-timeout",
                                  "1s",
                                  "--connect-timeout",
                                  "1s",
                                  "--tls-timeout",
                                  "1s",
                                  "--log-level",
                                  "debug"};
    args_ = args;
    start(args_);
    add_organizer("acme");
    refusing_ = add("http://127.0.0.1:1/refuses");
    hanging_ = add(hang_.url("/hangs"));
    failing_ = add(fail_.url("/fails"));
    gone_ = add(leave_.url("/gone"));
    expired_ = add(old_.url("/expired"));
    paused_ = add(fine_.url("/paused"), {{"paused", true}});
    told_ = add(wait_.url("/waits"));
    fine_hook_ = add(fine_.url("/fine?key=geheim"));
  }

  hook_id add(const std::string& url, const json::object& delivery = {}) {
    return add_webhook("acme", {.url = url, .delivery = delivery});
  }

  json::object status(const std::string& path = "/api/v1/status/") {
    const auto answer = api().get(path);
    if (answer.status != 200)
      throw std::runtime_error{path + ": " + answer.body};
    return answer.json().as_object();
  }

  static std::uint64_t held(const json::object& s, const char* by) {
    return number_of(s.at("webhooks").at("held"), by);
  }

  /// Its row among the worst; null if it is not one of them.
  static json::value row(const json::object& s, hook_id id) {
    for (const auto& one : s.at("worst").as_array())
      if (number_of(one, "id") == id)
        return one;
    return nullptr;
  }

  bool wait_until_all_is_bad() {
    return eventually(patience, [&] {
      const auto s = status();
      const auto& hooks = s.at("webhooks");
      return number_of(hooks, "failing") == 5
          && number_of(hooks, "disabled_lately") == 1 && held(s, "breaker") == 4
          && held(s, "retry_after") == 1 && held(s, "pause") == 1;
    });
  }

  std::vector<std::string> log() {
    return running().process().lines(child_process::stream::err);
  }

  std::vector<std::string> run_client(std::vector<std::string> args) {
    args.insert(args.end(), {"--table", "--utc"});
    child_process process{
      {.program = fanfare_program(),
       .args = std::move(args),
       .env = {{"FANFARE_URL",
                "http://127.0.0.1:" + std::to_string(running().port())},
               {"FANFARE_TOKEN", server::admin_key},
               {"FANFARE_ORGANIZER", "acme"},
               {"XDG_CONFIG_HOME", dir_.path().string()}}}};
    const auto ended = process.wait(patience);
    if (!ended || ended->code != 0)
      throw std::runtime_error{"a command failed"};
    return process.lines();
  }

  void expect_row(const json::object& s, hook_id id, const char* trouble,
                  const char* reason, const json::value& held_by,
                  const std::string& command) {
    const auto one = row(s, id);
    ASSERT_TRUE(one.is_object()) << id << ' ' << json::serialize(s);
    EXPECT_EQ(text_of(one, "trouble"), trouble) << id;
    EXPECT_EQ(one.at("held_by"), held_by) << id;
    EXPECT_EQ(text_of(one, "command"),
              "fanfare " + command + " --organizer acme")
      << id;
    EXPECT_EQ(text_of(one, "organizer"), "acme");
    if (*reason != '\0') {
      EXPECT_THAT(text_of(one.at("last_error"), "reason"), HasSubstr(reason));
    }
  }

  void expect_status() {
    const auto s = status();
    const auto expedite = [](hook_id id) {
      return "retries expedite " + std::to_string(id);
    };
    expect_row(s, refusing_, "failing", "connect", "breaker",
               expedite(refusing_));
    expect_row(s, hanging_, "failing", "", "breaker", expedite(hanging_));
    expect_row(s, failing_, "failing", "answered 500", "breaker",
               expedite(failing_));
    expect_row(s, expired_, "failing", "expired", "breaker",
               expedite(expired_));
    expect_row(s, gone_, "disabled", "gone", nullptr,
               "webhooks edit " + std::to_string(gone_) + " --enable");
    expect_row(s, paused_, "paused", "", "pause",
               "resume " + std::to_string(paused_));
    expect_row(s, told_, "failing", "answered 503", "retry_after",
               expedite(told_));
    EXPECT_TRUE(row(s, fine_hook_).is_null());
    for (const auto id :
         {refusing_, hanging_, failing_, expired_, told_, paused_})
      EXPECT_EQ(number_of(row(s, id).at("oldest_waiting"), "notification_id"),
                first_)
        << id;
    EXPECT_EQ(number_of(s, "troubled"), 7U);
  }

  certificate_authority ca_;
  http_sink hang_{[](const auto&) { return response_plan::hanging(); }};
  http_sink fail_{[](const auto&) { return response_plan::answer(500); }};
  http_sink leave_{[](const auto&) { return response_plan::answer(410); }};
  http_sink old_{{}, {.tls = server_context(ca_.expired())}};
  http_sink wait_{[](const auto&) {
    auto plan = response_plan::answer(503, "body that nobody may log");
    plan.headers.emplace_back("Retry-After", "1800");
    return plan;
  }};
  http_sink fine_;
  std::vector<std::string> args_;
  hook_id refusing_ = 0, hanging_ = 0, failing_ = 0, gone_ = 0, expired_ = 0,
          paused_ = 0, told_ = 0, fine_hook_ = 0;
  std::uint64_t first_ = 0;
};

TEST_F(ThreeAmTest, OneLookSaysWhatIsStuckWhyAndWhatToDo) {
  first_ = publish("acme");
  ASSERT_TRUE(wait_until_all_is_bad()) << json::serialize(status());
  expect_status();

  // What the operator types first.
  const auto screen = run_client({"status"});
  std::string all;
  for (const auto& line : screen) {
    EXPECT_LE(line.size(), 80U) << line;
    all += line + '\n';
  }
  for (const auto* part :
       {"7 of 8 enabled", "5 failing", "breaker 4", "pause 1", "retry_after 1",
        "1 disabled within a day", "answered 500", "answered 410",
        "held by breaker, until in", "held by retry_after, until in",
        "$ fanfare webhooks edit", "oldest waiting: 1"})
    EXPECT_THAT(all, HasSubstr(part));
  EXPECT_THAT(all, Not(HasSubstr("geheim")));

  // Why did the order not arrive?
  std::string why;
  for (const auto& line : run_client({"why", std::to_string(first_)})) {
    if (!line.starts_with("  {")) { // the body, as it was sent
      EXPECT_LE(line.size(), 80U) << line;
    }
    why += line + '\n';
  }
  for (const auto* part :
       {"Held by: pause.", "Held by: breaker, until",
        "Held by: retry_after, until", "$ fanfare retries expedite",
        "It was delivered.", "$ fanfare resume"})
    EXPECT_THAT(why, HasSubstr(part));

  // A command that does not help says so.
  EXPECT_THAT(run_client({"retries", "expedite", std::to_string(failing_)}),
              Contains(HasSubstr("It is still held by: breaker, until")));

  // The log had it all while it happened.
  const auto named = [](hook_id id) {
    return "webhook " + std::to_string(id) + " of acme (";
  };
  for (const auto id : {refusing_, hanging_, failing_, expired_}) {
    EXPECT_THAT(log(), Contains(AllOf(HasSubstr(named(id)),
                                      HasSubstr("begins to fail"))));
    EXPECT_THAT(log(), Contains(AllOf(HasSubstr(named(id)),
                                      HasSubstr("the circuit breaker opens"))));
  }
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr(named(gone_)),
                                    HasSubstr("is disabled after"),
                                    HasSubstr("fanfare replay"))));
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr(named(told_)),
                                    HasSubstr("is held until"))));
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr(" debug "),
                                    HasSubstr("GET /api/v1/status/ from "
                                              "127.0.0.1: 200 in"))));
  EXPECT_THAT(log(), Each(AllOf(Not(HasSubstr("geheim")),
                                Not(HasSubstr("nobody may log")),
                                Not(HasSubstr(server::admin_key)))));
}

TEST_F(ThreeAmTest, ItIsTheSameAfterARestart) {
  first_ = publish("acme");
  ASSERT_TRUE(wait_until_all_is_bad()) << json::serialize(status());
  for (const bool gracefully : {true, false}) {
    if (gracefully)
      stop();
    else
      kill();
    start(args_);
    ASSERT_TRUE(wait_until_all_is_bad()) << json::serialize(status());
    expect_status();
  }
}

TEST_F(ThreeAmTest, ItEndsWhenTheReceiversWork) {
  first_ = publish("acme");
  ASSERT_TRUE(wait_until_all_is_bad()) << json::serialize(status());
  wait_.set_handler({});
  fail_.set_handler({});
  const auto path = webhook_path("acme", told_);
  EXPECT_EQ(api().post(path + "retries/expedite/", json::object{}).status,
            200U);
  change_delivery("acme", paused_, {{"paused", false}});
  // Another URL is another receiver.
  change_webhook("acme", failing_, {{"target_url", fail_.url("/mended")}});
  publish("acme");
  EXPECT_TRUE(eventually(patience,
                         [&] {
                           const auto s = status();
                           return number_of(s.at("webhooks"), "failing") == 3
                               && held(s, "retry_after") == 0
                               && held(s, "pause") == 0
                               && held(s, "breaker") == 3;
                         }))
    << json::serialize(status());
  EXPECT_THAT(log(), Contains(HasSubstr("was resumed by its owner")));
  EXPECT_THAT(log(), Contains(HasSubstr("does not fail any more, after 1 "
                                        "failure")));
}

TEST_F(ThreeAmTest, AnOrganizerSeesItsOwnOnly) {
  add_organizer("other");
  const auto key = add_token("other", {"webhooks"});
  auto others = running().client(key);
  first_ = publish("acme");
  ASSERT_TRUE(wait_until_all_is_bad()) << json::serialize(status());
  const auto own = status("/api/v1/organizers/acme/status/?limit=2");
  EXPECT_EQ(own.at("worst").as_array().size(), 2U);
  EXPECT_EQ(number_of(own, "troubled"), 7U);
  EXPECT_FALSE(own.contains("disk")) << "that is the server's";
  EXPECT_THAT(text_of(own.at("worst").at(0), "command"),
              Not(HasSubstr("--organizer")));
  const auto other = others.get("/api/v1/organizers/other/status/");
  EXPECT_EQ(other.status, 200U);
  EXPECT_EQ(number_of(other.json().at("webhooks"), "registered"), 0U);
  EXPECT_EQ(others.get("/api/v1/status/").status, 403U);
  EXPECT_EQ(others.get("/api/v1/organizers/acme/status/").status, 403U);
}

// -- without an actor ---------------------------------------------------------

class AtRestTest : public E2eTest {
protected:
  std::uint64_t now(const char* part, const char* count) {
    // Without rows nobody is asked, and so started.
    return number_of(api().get("/api/v1/status/?limit=0").json().at(part),
                     count);
  }
  bool wait_for_rest() {
    return eventually(patience,
                      [&] { return now("queue", "active_webhooks") == 0; });
  }
};

TEST_F(AtRestTest, AWebhookThatFailsCountsWithoutAnythingToDo) {
  const std::vector<std::string> args{"--checkpoint-interval", "20ms"};
  start(args);
  add_organizer("acme");
  http_sink sink{[](const auto&) { return response_plan::answer(500); }};
  const auto hook = add_webhook(
    "acme", {.url = sink.url(), .delivery = {{"schedule", {0}}}});
  publish("acme");
  wait_for_calls("acme", hook, 2); // the last one is given up
  EXPECT_EQ(now("webhooks", "failing"), 1U);
  for (const bool gracefully : {true, false}) {
    if (gracefully)
      stop();
    else
      kill();
    start(args);
    EXPECT_EQ(now("webhooks", "failing"), 1U) << gracefully;
    EXPECT_EQ(now("queue", "active_webhooks"), 0U);
  }
  const auto row = api().get("/api/v1/status/").json().at("worst").at(0);
  EXPECT_EQ(number_of(row, "failures"), 2U);
  EXPECT_TRUE(row.at("oldest_waiting").is_null());
  ASSERT_TRUE(wait_for_rest());
  change_webhook("acme", hook, {{"target_url", sink.url("/other")}});
  EXPECT_EQ(now("webhooks", "failing"), 0U) << "that is another receiver";
}

// -- the log ------------------------------------------------------------------

class LogTest : public E2eTest {
protected:
  std::vector<std::string> log() {
    return running().process().lines(child_process::stream::err);
  }
};

TEST_F(LogTest, JsonHasAnObjectPerLineWithTheRequestsId) {
  start({"--log-format", "json", "--log-level", "debug"});
  add_organizer("acme");
  const auto answer = api().send("GET", "/api/v1/status/?secret=1", {},
                                 {{"X-Request-Id", "of-mine-1"}});
  EXPECT_EQ(answer.header("X-Request-Id"), "of-mine-1");
  EXPECT_THAT(api().get("/healthz").header("X-Request-Id").value_or(""),
              Not(::testing::IsEmpty()));
  add_token("acme", {"webhooks"});
  running().client("wrong-key").get("/api/v1/status/");
  stop();
  const auto lines = log();
  bool has_request = false;
  for (const auto& line : lines) {
    const auto one = json::parse(line).as_object();
    EXPECT_THAT(text_of(one, "time"),
                ::testing::MatchesRegex("....-..-..T..:..:..\\....[+-]..:?.."));
    if (one.contains("request_id")
        && text_of(one, "request_id") == "of-mine-1") {
      has_request = true;
      EXPECT_EQ(text_of(one, "level"), "debug");
      EXPECT_EQ(text_of(one, "path"), "/api/v1/status/");
      EXPECT_EQ(number_of(one, "status"), 200U);
    }
  }
  EXPECT_TRUE(has_request);
  EXPECT_THAT(lines, Contains(HasSubstr("token 1 of acme was made")));
  EXPECT_THAT(lines, Contains(HasSubstr("a wrong key came from 127.0.0.1")));
  EXPECT_THAT(lines, Each(Not(HasSubstr("wrong-key"))));
}

TEST_F(LogTest, RequestsAreNotLoggedUnlessAskedFor) {
  start();
  add_organizer("acme");
  stop();
  EXPECT_THAT(log(), Each(Not(HasSubstr("/api/v1/"))));
}

} // namespace

} // namespace fanfare::test
