// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What the client says to somebody who meets Fanfare for the first time.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/paths.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using strings = std::vector<std::string>;

class FirstStepsTest : public E2eTest {
protected:
  struct ending {
    int code = -1;
    strings out;
    std::string err;
  };

  void serve(bool allow_loopback = true) {
    start({}, allow_loopback);
    add_organizer("acme");
    url_ = "http://127.0.0.1:" + std::to_string(running().port());
  }

  /// In pipes, to its end.
  ending run_client(strings args, const std::string& input = {}) const {
    child_process process{{.program = fanfare_program(),
                           .args = std::move(args),
                           .env = {{"XDG_CONFIG_HOME", dir_.path().string()},
                                   {"FANFARE_URL", url_},
                                   {"FANFARE_TOKEN", server::admin_key},
                                   {"FANFARE_ORGANIZER", "acme"}},
                           .working_directory = dir_.path(),
                           .input = input}};
    const auto status = process.wait(patience);
    if (!status)
      throw std::runtime_error{"it does not end"};
    ending out{
      .code = status->code.value_or(-1), .out = process.lines(), .err = {}};
    for (const auto& line : process.lines(child_process::stream::err))
      out.err += line + '\n';
    return out;
  }

  std::string url_;
};

TEST_F(FirstStepsTest, AnActionTypeOfOnesOwnIsRegisteredAndPublished) {
  serve();
  const auto unknown = run_client({"publish", "-a", "shop.order.placed"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err,
              AllOf(HasSubstr("Unknown action type \"shop.order.placed\""),
                    HasSubstr("POST /api/v1/action-types/"),
                    HasSubstr("fanfare action-types create")));
  const auto subscribe = [this](const char* type) {
    return run_client(
      {"webhooks", "create", "http://127.0.0.1:1/", "-a", type});
  };
  EXPECT_THAT(
    subscribe("shop.order.placed").err,
    AllOf(
      HasSubstr("Invalid action type \"shop.order.placed\"."),
      HasSubstr(R"(POST /api/v1/action-types/ {"name": "shop.order.placed"})"),
      HasSubstr("fanfare action-types create shop.order.placed")));
  EXPECT_THAT(
    subscribe("pretix.order.*").err,
    AllOf(HasSubstr("Invalid action type \"pretix.order.*\". (400)\n"),
          HasSubstr("fanfare action-types create NAME")));

  EXPECT_THAT(subscribe("*").err,
              HasSubstr("Once there is one of your own, \"*\" stands for all"));

  const auto made = run_client({"action-types", "create", "shop.order.*"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, ElementsAre(R"({"name":"shop.order.*"})"));
  EXPECT_THAT(
    run_client({"action-types", "list"}).out,
    AllOf(::testing::Contains(R"({"name":"shop.order.*"})"),
          ::testing::Contains(R"({"name":"pretix.event.order.placed"})")));
  EXPECT_EQ(subscribe("shop.order.*").code, 0);
  EXPECT_EQ(run_client({"publish", "-a", "shop.order.placed"}).code, 0);

  const auto wrong = run_client({"action-types", "create", "Shop order"});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("labels of the characters A-Z, a-z"));
}

TEST_F(FirstStepsTest, TheAdministratorLearnsThatAnOrganizerIsMissing) {
  serve();
  const auto told = run_client({"webhooks", "list", "--organizer", "nobody"});
  EXPECT_EQ(told.code, 4);
  EXPECT_THAT(told.err, AllOf(HasSubstr("there is no organizer \"nobody\""),
                              HasSubstr("fanfare organizers create")));
}

TEST_F(FirstStepsTest, AHostOfAPrivateNetworkIsNamedAsSuch) {
  serve(false);
  const auto create = [&](const char* target) {
    return run_client(
      {"webhooks", "create", target, "-a", "pretix.event.order.placed"});
  };
  const auto local = create("http://receiver:8080/");
  EXPECT_EQ(local.code, 1);
  EXPECT_THAT(local.err, AllOf(HasSubstr("Enter a valid URL."),
                               HasSubstr("--allow-network"),
                               HasSubstr("fanfare networks allow")));
  EXPECT_THAT(
    create("ftp://a.com/").err,
    AllOf(HasSubstr("Enter a valid URL."), Not(HasSubstr("--allow-network"))));
}

TEST_F(FirstStepsTest, AnEventThatIsMissingCanBeAdded) {
  serve();
  const strings subscribe{"webhooks",
                          "create",
                          "http://127.0.0.1:1/",
                          "-a",
                          "pretix.event.order.placed",
                          "-e",
                          "democon"};
  EXPECT_THAT(run_client(subscribe).err, HasSubstr("fanfare events create"));
  EXPECT_EQ(
    run_client({"publish", "-a", "pretix.event.order.placed", "-e", "democon"})
      .code,
    0);
  EXPECT_EQ(run_client(subscribe).code, 0);
}

TEST_F(FirstStepsTest, PingSaysWhetherTheServerIsReady) {
  serve();
  const auto ready = run_client({"ping"});
  EXPECT_EQ(ready.code, 0) << ready.err;
  EXPECT_THAT(ready.out, ElementsAre(R"({"status":"ready"})"));
  stop();
  const auto gone = run_client({"ping"});
  EXPECT_EQ(gone.code, 3);
  EXPECT_THAT(gone.err, HasSubstr("connection refused"));
}

TEST_F(FirstStepsTest, PingWaitsUntilTheServerIsReady) {
  http_sink sink{[](const request_record& r) {
    if (r.number == 0)
      return response_plan::closing();
    return r.number < 3
           ? response_plan::answer(503, R"({"status":"not ready"})")
           : response_plan::answer(200, R"({"status":"ready"})");
  }};
  url_ = sink.url();
  const auto once = run_client({"ping"});
  EXPECT_EQ(once.code, 3) << once.err;
  const auto waited = run_client({"ping", "--wait", "30s"});
  EXPECT_EQ(waited.code, 0) << waited.err;
  EXPECT_EQ(sink.size(), 4U);
  for (const auto& record : sink.records())
    EXPECT_EQ(record.target, "/readyz");
}

TEST_F(FirstStepsTest, AServerThatIsNotThereIsNotAskedAgain) {
  url_ = "http://127.0.0.1:1";
  const auto told = run_client({"publish", "-a", "a.b"});
  EXPECT_EQ(told.code, 3);
  EXPECT_THAT(told.err, HasSubstr("connection refused"));
  EXPECT_THAT(told.out, IsEmpty());
}

} // namespace

} // namespace fanfare::test
