// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What people write is taken as they meant it, or refused with a reason.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/paths.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

namespace fanfare::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// -- the configuration file ---------------------------------------------------

class ConfigurationTest : public ::testing::Test {
protected:
  child_process serve(std::vector<std::string> more) const {
    std::vector<std::string> args{"serve", "--listen", "127.0.0.1:0"};
    args.insert(args.end(), more.begin(), more.end());
    return child_process{{.program = fanfare_program(),
                          .args = std::move(args),
                          .env = {{"FANFARE_ADMIN_TOKEN", server::admin_key}},
                          .working_directory = dir_.path()}};
  }

  /// What it writes before it ends with 2. Nothing may have been started.
  std::string refusal(const std::string& content) {
    const auto file = dir_.write("fanfare.toml", content);
    auto process = serve({"--config", file.string()});
    const auto status = process.wait(patience);
    EXPECT_TRUE(status && status->code == 2) << content;
    std::string out;
    for (const auto& line : process.lines(child_process::stream::err))
      out += line + '\n';
    EXPECT_THAT(process.lines(), IsEmpty());
    for (const auto& found : std::filesystem::directory_iterator{dir_.path()})
      EXPECT_FALSE(found.is_directory()) << "a store in " << found.path();
    return out;
  }

  /// The directories that there are once it has listened and stopped.
  std::vector<std::string> directories_of(std::vector<std::string> args) {
    auto process = serve(std::move(args));
    EXPECT_TRUE(process.wait_for_line("listening on ", patience));
    EXPECT_TRUE(process.signal(SIGTERM));
    const auto status = process.wait(patience);
    EXPECT_TRUE(status && status->code == 0);
    std::vector<std::string> out;
    for (const auto& found : std::filesystem::directory_iterator{dir_.path()})
      if (found.is_directory())
        out.push_back(found.path().filename().string());
    return out;
  }

  temp_dir dir_;
};

TEST_F(ConfigurationTest, IsRefusedWithLineAndColumn) {
  EXPECT_THAT(refusal("data = \"cfgd\n"), HasSubstr("fanfare.toml:1:8: "));
  EXPECT_THAT(refusal("data = \"d1\"\n\ndata = \"d2\"\n"),
              HasSubstr("fanfare.toml:3:8: "));
  EXPECT_THAT(refusal("data = d1\n"), HasSubstr("fanfare.toml:1:8: "));
  EXPECT_THAT(refusal("data = d1, d2\n"), HasSubstr("fanfare.toml:1:8: "));
  EXPECT_THAT(refusal("data = \"d\"\nmax-in-flight = 012\n"),
              HasSubstr("fanfare.toml:2:17: "));
  EXPECT_THAT(refusal("data = \"d\"\nmax-in-fligt = 12\n"),
              HasSubstr("the nearest one is \"max-in-flight\""));
}

TEST_F(ConfigurationTest, TakesTheDirectoryAsItIsWritten) {
  const auto file = dir_.write("fanfare.toml", "data = \"da#ta\"\n");
  EXPECT_THAT(directories_of({"--config", file.string()}),
              ::testing::ElementsAre("da#ta"));
}

TEST_F(ConfigurationTest, TakesAnArrayOverSeveralLines) {
  const auto file = dir_.write("fanfare.toml", "data = \"data\"\n"
                                               "allow-network = [\n"
                                               "  \"127.0.0.0/8\",\n"
                                               "  # and these\n"
                                               "  \"10.0.0.0/8\"\n"
                                               "]\n"
                                               "deny-network = []\n"
                                               "schedule = [\"1s\", \"2m\"]\n"
                                               "max-in-flight = 12\n");
  EXPECT_THAT(directories_of({"--config", file.string()}),
              ::testing::ElementsAre("data"));
}

TEST_F(ConfigurationTest, LeavesTheLastWordToTheCommandLine) {
  const auto file = dir_.write("fanfare.toml", "data = \"file\"\n");
  EXPECT_THAT(directories_of({"--config", file.string(), "--data", "line"}),
              ::testing::ElementsAre("line"));
}

TEST_F(ConfigurationTest, TakesZerosInFrontOfANumberForNothing) {
  // In octal digits this would be no number.
  EXPECT_THAT(directories_of({"--max-in-flight", "09"}),
              ::testing::ElementsAre("data"));
  auto process = serve({"--max-in-flight", "0101"}); // 65 in octal digits
  const auto status = process.wait(patience);
  EXPECT_TRUE(status && status->code == 2);
  std::string out;
  for (const auto& line : process.lines(child_process::stream::err))
    out += line + '\n';
  EXPECT_THAT(out, HasSubstr("101"));
  EXPECT_THAT(out, Not(HasSubstr("65")));
}

// -- numbers ------------------------------------------------------------------

class DigitsTest : public E2eTest {
protected:
  void SetUp() override {
    start();
    add_organizer("acme");
  }

  rest_response send(const std::string& method, const std::string& target,
                     const std::string& body) {
    return api().send(method, target, body);
  }

  void restart() {
    stop();
    start();
  }

  rest_response set_filter(hook_id id, const std::string& filter) {
    return send("PATCH", webhook_path("acme", id) + "delivery/",
                "{\"filter\":" + filter + "}");
  }

  /// What a receiver gets of a notification with these further members.
  std::string delivered(const std::string& members) {
    const auto before = sink_.size();
    const auto answer = send("POST", publish_path("acme"),
                             "{\"action\":\"" + std::string{order_placed}
                               + "\"," + members + "}");
    EXPECT_EQ(answer.status, 202U) << answer.body;
    return sink_.wait_for(before + 1, patience) ? sink_.records().back().body
                                                : "nothing";
  }

  http_sink sink_;
};

TEST_F(DigitsTest, OfAFilterAreThoseOfTheNumber) {
  const auto id = add_webhook("acme", {.url = sink_.url("/")});
  for (const std::string number :
       {"10.271304065520191", "0.1", "9007199254740993", "5e-324",
        "-18446744073709551615", "1.7976931348623157e308"}) {
    SCOPED_TRACE(number);
    const auto filter = "{\"x\":" + number + '}';
    const auto set = set_filter(id, filter);
    ASSERT_EQ(set.status, 200U) << set.body;
    EXPECT_THAT(delivered("\"x\":" + number), HasSubstr("\"x\": " + number));
    const auto preview = send("POST",
                              webhook_path("acme", id) + "filter/preview/",
                              "{\"filter\":" + filter + "}");
    EXPECT_EQ(number_of(preview.json(), "count"), 1U) << preview.body;
  }
  ASSERT_EQ(set_filter(id, R"({"x": 10.271304065520191})").status, 200U);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(api().get(webhook_path("acme", id) + "delivery/").body,
                HasSubstr(R"("filter":{"x":10.271304065520191})"));
    if (round == 0)
      restart();
  }
}

TEST_F(DigitsTest, OfAFilterAreComparedToTheLast) {
  const auto id = add_webhook("acme", {.url = sink_.url("/")});
  ASSERT_EQ(
    set_filter(id, R"({"x":{"$in":[12345678901234567890123,0]}})").status,
    200U);
  // These come to nobody, so what arrives first is the last.
  for (const std::string other : {"12345678901234567890124", "1e-400"})
    ASSERT_EQ(send("POST", publish_path("acme"),
                   "{\"action\":\"" + std::string{order_placed}
                     + "\",\"x\":" + other + "}")
                .status,
              202U);
  EXPECT_THAT(delivered("\"x\":12345678901234567890123"),
              HasSubstr("\"x\": 12345678901234567890123"));
  EXPECT_EQ(sink_.size(), 1U);
}

TEST_F(DigitsTest, OfAFilterAreShownToEverybody) {
  const auto id = add_webhook("acme", {.url = sink_.url("/")});
  const std::string filter = R"({"a":10.271304065520191,)"
                             R"("b":12345678901234567890123,"c":1.50})";
  ASSERT_EQ(set_filter(id, filter).status, 200U);
  const auto indented = api().send("GET",
                                   webhook_path("acme", id) + "delivery/", {},
                                   {{"Accept", "application/json; indent=2"}});
  EXPECT_THAT(indented.body, HasSubstr("\n  \"filter\": {\n"
                                       "    \"a\": 10.271304065520191,\n"
                                       "    \"b\": 12345678901234567890123,\n"
                                       "    \"c\": 1.50\n"
                                       "  },\n"));
  const auto shown = [&](const char* form) {
    child_process process{
      {.program = fanfare_program(),
       .args = {"webhooks", "show", std::to_string(id), form},
       .env = {{"FANFARE_URL",
                "http://127.0.0.1:" + std::to_string(running().port())},
               {"FANFARE_TOKEN", server::admin_key},
               {"FANFARE_ORGANIZER", "acme"}},
       .working_directory = dir_.path()}};
    const auto status = process.wait(patience);
    EXPECT_TRUE(status && status->code == 0);
    std::string out;
    for (const auto& line : process.lines())
      out += line + '\n';
    return out;
  };
  const auto text = shown("--json");
  EXPECT_THAT(text, HasSubstr("\"filter\":" + filter));
  EXPECT_EQ(number_of(boost::json::parse(text), "id"), id);
  EXPECT_THAT(shown("--table"), HasSubstr(filter));
}

TEST_F(DigitsTest, OfAFilterThatCannotBeKeptAreRefused) {
  const auto id = add_webhook("acme", {.url = sink_.url("/")});
  const std::pair<std::string, const char*> bad[] = {
    {R"({"x":1,"x":2})", "has the key \\\"x\\\" twice"},
    {R"({"a":{"x":1,"\u0078":2}})", "twice"},
    {R"({"x":1e400})", "is a number that is too large"},
  };
  for (const auto& [filter, about] : bad) {
    SCOPED_TRACE(filter);
    const auto set = set_filter(id, filter);
    EXPECT_EQ(set.status, 400U);
    EXPECT_THAT(set.body, HasSubstr(about));
    const auto made = send(
      "POST", organizer_path("acme") + "webhooks/",
      R"({"target_url":"http://127.0.0.1/","limit_events":[],)"
      R"("action_types":[],"delivery":{"filter":)"
        + filter + "}}");
    EXPECT_EQ(made.status, 400U);
    EXPECT_THAT(made.body, HasSubstr(about));
    const auto preview = send("POST",
                              webhook_path("acme", id) + "filter/preview/",
                              "{\"filter\":" + filter + "}");
    EXPECT_EQ(preview.status, 400U);
    EXPECT_THAT(preview.body, HasSubstr(about));
  }
}

TEST_F(DigitsTest, OfAnOptionOrAnArrayArePublishedAsTheyAre) {
  add_webhook("acme", {.url = sink_.url("/")});
  const auto publish = [this](std::vector<std::string> more) {
    std::vector<std::string> args{"publish"};
    args.insert(args.end(), more.begin(), more.end());
    child_process process{
      {.program = fanfare_program(),
       .args = std::move(args),
       .env = {{"FANFARE_URL",
                "http://127.0.0.1:" + std::to_string(running().port())},
               {"FANFARE_TOKEN", server::admin_key},
               {"FANFARE_ORGANIZER", "acme"}},
       .working_directory = dir_.path()}};
    const auto status = process.wait(patience);
    EXPECT_TRUE(status && status->code == 0);
  };
  publish({"--action", order_placed, "--set", "total=42.5", "--set",
           "id=12345678901234567890123"});
  ASSERT_TRUE(sink_.wait_for(1, patience));
  EXPECT_THAT(sink_.records().back().body,
              HasSubstr(R"("total": 42.5, "id": 12345678901234567890123)"));
  const auto file = dir_.write("orders.json",
                               "[{\"action\": \"" + std::string{order_placed}
                                 + "\",\n  \"total\": 42.50, \"n\": -0}]\n");
  publish({file.string()});
  ASSERT_TRUE(sink_.wait_for(2, patience));
  EXPECT_THAT(sink_.records().back().body,
              HasSubstr(R"("total": 42.50, "n": -0)"));
}

TEST_F(DigitsTest, OfAPayloadAreDeliveredAsTheyAre) {
  add_webhook("acme", {.url = sink_.url("/")});
  for (const std::string member :
       {R"("a": 9007199254740993)", R"("a": 1e400)", R"("a": -0)",
        R"("a": "\u0000")", R"("a": {"b": 1, "b": 2})"})
    EXPECT_THAT(delivered(member), HasSubstr(member));
}

// -- settings -----------------------------------------------------------------

class SettingsTest : public E2eTest {
protected:
  rest_response create(const std::string& url,
                       const std::string& delivery = "{}",
                       const std::string& organizer = "acme") {
    return api().send("POST", organizer_path(organizer) + "webhooks/",
                      "{\"target_url\":\"" + url
                        + "\",\"limit_events\":[],\"action_types\":[\""
                        + order_placed + "\"],\"delivery\":" + delivery + "}");
  }
  rest_response change(hook_id id, const std::string& delivery) {
    return api().send("PATCH", webhook_path("acme", id) + "delivery/",
                      delivery);
  }
  static void expect_refused(const rest_response& answer, const char* about) {
    EXPECT_EQ(answer.status, 400U) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(about));
  }
};

TEST_F(SettingsTest, OfAStepAndOfTheWholeHaveToGoTogether) {
  start();
  add_organizer("acme");
  const std::string url = "http://127.0.0.1:1/";
  expect_refused(create(url, R"({"timeouts":{"first_byte":120}})"),
                 R"({"delivery":["timeouts: first_byte (120 s) is longer than )"
                 "total (30 s, the server's)");
  const auto made = create(url,
                           R"({"timeouts":{"first_byte":120,"total":120}})");
  ASSERT_EQ(made.status, 201U) << made.body;
  const auto id = number_of(made.json(), "id");
  expect_refused(change(id, R"({"timeouts":{"first_byte":120}})"),
                 R"({"timeouts":["first_byte (120 s) is longer than total (30 )"
                 "s, the server's)");
  expect_refused(change(id, R"({"timeouts":{"first_byte":120,"total":30}})"),
                 "first_byte (120 s) is longer than total (30 s)");
  EXPECT_EQ(change(id, R"({"timeouts":{"first_byte":30}})").status, 200U);
  EXPECT_EQ(change(id, R"({"timeouts":{"total":1}})").status, 200U);
  stop();
  start({"--total-timeout", "150s"});
  EXPECT_EQ(change(id, R"({"timeouts":{"first_byte":120}})").status, 200U);
}

TEST_F(ConfigurationTest, AStepHasToFitIntoTheWhole) {
  EXPECT_THAT(refusal("first-byte-timeout = \"120s\"\n"),
              AllOf(HasSubstr("first-byte-timeout (120 s) is longer than"),
                    HasSubstr("total (30 s)")));
  EXPECT_THAT(refusal("tls-timeout = \"3s\"\ntotal-timeout = \"2s\"\n"),
              AllOf(HasSubstr("tls-timeout (3 s) is longer than"),
                    HasSubstr("total (2 s)")));
  // Nobody asked for more than that.
  EXPECT_THAT(directories_of({"--total-timeout", "2s", "--data", "d"}),
              ElementsAre("d"));
}

TEST_F(SettingsTest, RefuseNamesThatAnAttemptWould) {
  start();
  add_organizer("acme");
  expect_refused(create("http://\xe2\x98\x83.example/"), "Enter a valid URL.");
  EXPECT_EQ(create("http://b\xc3\xbc"
                   "cher.example/")
              .status,
            201U);
}

TEST_F(SettingsTest, TakeLocalNamesOnceNetworksAreAllowed) {
  start({}, false);
  add_organizer("acme");
  add_organizer("other");
  for (const auto* url : {"http://receiver:8080/", "http://my_app.example/"})
    expect_refused(create(url), "Enter a valid URL.");
  ASSERT_EQ(api()
              .patch(organizer_path("acme") + "networks/",
                     {{"allow", boost::json::array{"127.0.0.0/8"}}})
              .status,
            200U);
  for (const auto* url : {"http://receiver:8080/", "http://my_app.example/"})
    EXPECT_EQ(create(url).status, 201U) << url;
  EXPECT_EQ(create("http://receiver/", "{}", "other").status, 400U);
  stop();
  start(); // with --allow-network
  EXPECT_EQ(create("http://receiver/", "{}", "other").status, 201U);
}

TEST_F(SettingsTest, ReplacePlaceholdersOrRefuseThem) {
  start();
  add_organizer("acme");
  http_sink sink;
  const auto legacy = [](const std::string& members) {
    return R"({"signing":{"algorithm":"hmac-sha256","legacy":{"header":"X-Sig",)"
         + members + "}}}";
  };
  const auto made = create(sink.url("/"),
                           legacy(R"("prefix":"t={timestamp},v1=")"));
  ASSERT_EQ(made.status, 201U) << made.body;
  publish("acme", "A");
  ASSERT_TRUE(sink.wait_for(1, patience));
  const auto got = sink.records().front();
  EXPECT_THAT(
    got.header("X-Sig").value_or(""),
    ::testing::StartsWith(
      "t=" + got.header("webhook-timestamp").value_or("none") + ",v1="));
  expect_refused(create(sink.url("/"), legacy(R"("template":"{url}{body}")")),
                 "{url}");
  expect_refused(create(sink.url("/"), legacy(R"("prefix":"{body}")")),
                 "{body}");
}

} // namespace
} // namespace fanfare::test
