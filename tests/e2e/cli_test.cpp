// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The client's commands as people and scripts meet them: on a terminal and in
// pipes, against a real server, or against a scripted one where that has to
// misbehave or to be in a certain state.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/terminal_process.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <set>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

using strings = std::vector<std::string>;
using environment = std::map<std::string, std::string>;

class CliTest : public E2eTest {
protected:
  struct ending {
    int code = -1;
    strings out;
    std::string err;
  };

  /// The server, an organizer "acme" and an environment to speak to them.
  void serve() {
    start();
    add_organizer("acme");
    add_event("acme", "democon");
    use("http://127.0.0.1:" + std::to_string(running().port()));
  }

  void use(const std::string& url) {
    env_["FANFARE_URL"] = url;
    env_["FANFARE_TOKEN"] = server::admin_key;
    env_["FANFARE_ORGANIZER"] = "acme";
  }

  command client(strings args, std::string input = {}) const {
    return {.program = fanfare_program(),
            .args = std::move(args),
            .env = env_,
            .working_directory = dir_.path(),
            .input = std::move(input)};
  }

  /// In pipes, to its end.
  ending run_client(strings args, std::string input = {}) const {
    child_process process{client(std::move(args), std::move(input))};
    const auto status = process.wait(patience);
    if (!status)
      throw std::runtime_error{"it does not end"};
    ending out{
      .code = status->code.value_or(-1), .out = process.lines(), .err = {}};
    for (const auto& line : process.lines(child_process::stream::err))
      out.err += line + '\n';
    return out;
  }

  /// On a terminal, to its end.
  std::string shown_by(strings args, unsigned short columns = 100) const {
    terminal_process process{client(std::move(args)), columns};
    if (!process.wait(patience))
      throw std::runtime_error{"it does not end: " + process.shown()};
    return process.shown();
  }

  std::filesystem::path settings_file() const {
    return dir_ / "config/fanfare/client.json";
  }

  static unsigned mode_of(const std::filesystem::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
  }

  environment env_{{"XDG_CONFIG_HOME", (dir_ / "config").string()},
                   {"FANFARE_URL", ""},
                   {"FANFARE_TOKEN", ""},
                   {"FANFARE_ORGANIZER", ""},
                   {"NO_COLOR", ""},
                   {"TERM", "xterm"}};
};

json::object object_of(const std::string& line) {
  return json::parse(line).as_object();
}

// -- logging in ---------------------------------------------------------------

TEST_F(CliTest, StoresALoginThatOnlyItsOwnerCanRead) {
  serve();
  const auto url = env_["FANFARE_URL"];
  env_["FANFARE_URL"] = env_["FANFARE_TOKEN"] = env_["FANFARE_ORGANIZER"] = "";
  EXPECT_EQ(
    run_client({"webhooks", "list", "--url", url, "--organizer", "acme"}).code,
    4); // no token yet
  const auto told = run_client({"login", "--url", url, "--organizer", "acme"},
                               std::string{server::admin_key} + "\n");
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.err, Not(HasSubstr(server::admin_key)));
  EXPECT_EQ(mode_of(settings_file()), 0600U);
  EXPECT_EQ(mode_of(settings_file().parent_path()), 0700U);
  EXPECT_EQ(run_client({"webhooks", "list"}).code, 0);
  EXPECT_EQ(run_client({"logout"}).code, 0);
  EXPECT_FALSE(std::filesystem::exists(settings_file()));
  EXPECT_NE(run_client({"webhooks", "list"}).code, 0);
}

TEST_F(CliTest, AsksForATokenWithoutShowingIt) {
  serve();
  env_["FANFARE_TOKEN"] = "";
  terminal_process login{client({"login", "--organizer", "acme"})};
  ASSERT_TRUE(login.wait_for("Token for ", patience));
  login.type(std::string{server::admin_key} + "\n");
  const auto status = login.wait(patience);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0) << login.shown();
  EXPECT_THAT(login.shown(), HasSubstr("Logged in"));
  EXPECT_THAT(login.shown(), Not(HasSubstr(server::admin_key)));
  EXPECT_EQ(run_client({"webhooks", "list"}).code, 0);
}

TEST_F(CliTest, ShowsWhatIsTypedAgainAfterAnInterruptedQuestion) {
  serve();
  auto what = client({});
  what.program = "bash";
  what.args = {"-c",
               "trap : INT; \"$0\" login; stty -a | grep -o -w -e -echo "
               "-e echo | head -1; echo over",
               fanfare_program()};
  terminal_process login{what};
  ASSERT_TRUE(login.wait_for("Token for ", patience));
  login.type("\x03");
  ASSERT_TRUE(login.wait_for("over", patience));
  EXPECT_THAT(login.shown(), HasSubstr(" echo\r\n")); // not "-echo"
}

TEST_F(CliTest, StoresNothingThatTheServerDoesNotKnow) {
  serve();
  env_["FANFARE_TOKEN"] = "";
  const auto told = run_client({"login"}, "not-a-token\n");
  EXPECT_EQ(told.code, 4);
  EXPECT_THAT(told.err, HasSubstr("Invalid token."));
  EXPECT_FALSE(std::filesystem::exists(settings_file()));
  EXPECT_EQ(run_client({"login"}, "").code, 2);
  EXPECT_EQ(run_client({"login", "--organizer", "other"},
                       std::string{server::admin_key} + "\n")
              .code,
            4);
}

TEST_F(CliTest, WarnsOfATokenOnTheCommandLine) {
  serve();
  env_["FANFARE_TOKEN"] = "";
  const auto told = run_client({"login", "--token", server::admin_key});
  EXPECT_EQ(told.code, 0);
  EXPECT_THAT(told.err, HasSubstr("others on this machine"));
  EXPECT_THAT(told.err, Not(HasSubstr(server::admin_key)));
}

TEST_F(CliTest, KeepsAStoredTokenFromOtherServers) {
  serve();
  env_["FANFARE_TOKEN"] = "";
  ASSERT_EQ(run_client({"login", "--organizer", "acme"},
                       std::string{server::admin_key} + "\n")
              .code,
            0);
  http_sink stranger;
  const auto told = run_client(
    {"webhooks", "list", "--url", stranger.url(), "--organizer", "acme"});
  EXPECT_EQ(told.code, 4);
  EXPECT_EQ(stranger.size(), 0U);
}

TEST_F(CliTest, FollowsNoRedirect) {
  http_sink elsewhere;
  http_sink sink{[&](const request_record&) {
    return response_plan::redirect(elsewhere.url());
  }};
  use(sink.url());
  const auto told = run_client({"webhooks", "list"});
  EXPECT_EQ(told.code, 1);
  EXPECT_THAT(told.err, HasSubstr(elsewhere.url()));
  EXPECT_EQ(elsewhere.connections(), 0U);
}

TEST_F(CliTest, AsksTheServerItWasToldAlsoForPagesElsewhere) {
  http_sink elsewhere;
  http_sink sink{[&](const request_record& r) {
    return response_plan::answer(
      200, r.target.ends_with("page=2")
             ? R"({"next":null,"results":[{"id":2}]})"
             : R"({"next":")" + elsewhere.url("/x/?page=2")
                 + R"(","results":[{"id":1}]})");
  }};
  use(sink.url());
  EXPECT_THAT(run_client({"webhooks", "list"}).out, SizeIs(2));
  EXPECT_EQ(elsewhere.connections(), 0U);
  EXPECT_EQ(sink.connections(), 1U); // kept alive
}

TEST_F(CliTest, VerifiesAServerWithTls) {
  const certificate_authority authority;
  const auto ca = dir_.write("ca.pem", authority.pem()).string();
  http_sink sink{[](const request_record&) {
                   return response_plan::answer(
                     200, R"({"next":null,"results":[]})");
                 },
                 {.tls = server_context(authority.good())}};
  use(sink.url("/"));
  const auto refused = run_client({"webhooks", "list"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("tls: "));
  EXPECT_EQ(sink.size(), 0U);
  EXPECT_EQ(run_client({"webhooks", "list", "--ca-file", ca}).code, 0);
  EXPECT_EQ(sink.size(), 1U);
}

// -- exit codes and messages --------------------------------------------------

TEST_F(CliTest, TellsByItsExitCodeWhatHappened) {
  serve();
  const auto hook = std::to_string(
    add_webhook("acme", {.url = "http://127.0.0.1:1/"}));
  const struct {
    strings args;
    int code;
    const char* says;
  } table[] = {
    {{"webhooks", "show", hook}, 0, ""},
    {{"webhooks", "create", "no-url", "-a", order_paid}, 1, "target_url: "},
    {{"events", "create", "democon"}, 1, "slug: "},
    {{"webhooks"}, 2, "subcommand"},
    {{"webhooks", "show"}, 2, "webhook"},
    {{"webhooks", "show", "7x"}, 2, "webhook"},
    {{"webhooks", "edit", hook}, 2, "nothing to change"},
    {{"webhooks", "delete", hook}, 2, "--yes"},
    {{"webhooks", "list", "--json", "--table"}, 2, "--table"},
    {{"webhooks", "list", "--organizer", "a b"}, 2, "A slug is"},
    {{"webhooks", "list", "--url", "ftp://x"}, 2, "ftp://x"},
    {{"webhooks", "list", "--url", "http://x/y"}, 2, "without a path"},
    {{"calls", "list", hook, "--since", "soon"}, 2, "soon"},
    {{"publish", "-a", order_paid, "-s", "novalue"}, 2, "novalue"},
    {{"publish", "/no/such/file"}, 2, "/no/such/file"},
    {{"replay", hook}, 2, "--since"},
    {{"completion", "tcsh"}, 2, "tcsh"},
    {{"webhooks", "list", "--url", "http://127.0.0.1:1"},
     3,
     "is the server running?"},
    {{"webhooks", "list", "--organizer", "other"}, 4, "permission"},
    {{"webhooks", "show", "99"}, 5, "No WebHook"},
    {{"webhooks", "show", "x"}, 5, "no webhook of acme has the name"},
    {{"calls", "show", hook, "99"}, 5, "Not found"},
    {{"tokens", "revoke", "99"}, 5, "Not found"},
  };
  for (const auto& [args, code, says] : table) {
    const auto told = run_client(args);
    EXPECT_EQ(told.code, code) << args[0] << ' ' << told.err;
    EXPECT_THAT(told.err, HasSubstr(says));
    EXPECT_THAT(told.err, Not(HasSubstr(server::admin_key)));
    if (code != 0) {
      EXPECT_THAT(told.out, IsEmpty()) << args[0];
    }
  }
  env_["FANFARE_TOKEN"] = "wrong";
  EXPECT_EQ(run_client({"webhooks", "list"}).code, 4);
}

TEST_F(CliTest, GivesUpOnAServerThatDoesNotAnswer) {
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  use(sink.url());
  const auto told = run_client({"webhooks", "list", "--timeout", "100ms"});
  EXPECT_EQ(told.code, 3);
  EXPECT_THAT(told.err, HasSubstr("in time"));
}

TEST_F(CliTest, SaysSoIfWhatAnswersIsNoFanfareServer) {
  http_sink sink;
  use(sink.url());
  for (const auto& plan :
       {response_plan::answer(200, "<html>"), response_plan::answer(404, "no"),
        response_plan::bytes("SSH-2.0-x\r\n\r\n"),
        response_plan::answer(200, "{}")}) {
    sink.set_handler([&](const request_record&) { return plan; });
    const auto told = run_client({"webhooks", "list"});
    EXPECT_THAT(told.code, ::testing::AnyOf(1, 3, 5));
    EXPECT_THAT(told.err, HasSubstr("is it a Fanfare server"));
  }
}

TEST_F(CliTest, EndsAWebhookTestByWhatTheCallCameTo) {
  std::atomic<bool> fine = true;
  http_sink sink{[&](const request_record&) {
    const json::object call{{"id", 1},
                            {"success", fine.load()},
                            {"return_code", fine ? 200 : 500},
                            {"reason", fine ? "" : "status 500"}};
    return response_plan::answer(200, json::serialize(call));
  }};
  use(sink.url());
  const auto good = run_client({"webhooks", "test", "7"});
  EXPECT_EQ(good.code, 0) << good.err;
  fine = false;
  const auto bad = run_client({"webhooks", "test", "7"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.err, HasSubstr("status 500"));
  ASSERT_THAT(sink.records(), SizeIs(2));
  EXPECT_EQ(sink.records()[0].method, "POST");
  EXPECT_EQ(sink.records()[0].target,
            "/api/v1/organizers/acme/webhooks/7/test/");
}

TEST_F(CliTest, ExplainsEachOfItsCommands) {
  const strings commands[] = {{"login"},
                              {"logout"},
                              {"organizers", "list"},
                              {"events", "create"},
                              {"action-types", "list"},
                              {"action-types", "create"},
                              {"tokens", "create"},
                              {"webhooks", "list"},
                              {"webhooks", "show"},
                              {"webhooks", "create"},
                              {"webhooks", "edit"},
                              {"webhooks", "delete"},
                              {"webhooks", "test"},
                              {"publish"},
                              {"calls", "list"},
                              {"calls", "show"},
                              {"calls", "tail"},
                              {"calls", "resend"},
                              {"retries", "list"},
                              {"retries", "expedite"},
                              {"retries", "drop"},
                              {"replay"},
                              {"replay", "status"},
                              {"replay", "cancel"},
                              {"status"},
                              {"health"},
                              {"statistics"},
                              {"why"}};
  for (auto args : commands) {
    args.push_back("--help");
    const auto told = run_client(args);
    std::string all;
    for (const auto& line : told.out)
      all += line + '\n';
    EXPECT_EQ(told.code, 0);
    EXPECT_THAT(all, AllOf(HasSubstr("Examples:\n  fanfare " + args[0]),
                           HasSubstr("DURATION: "), HasSubstr("Exit codes:"),
                           HasSubstr("--json"), HasSubstr("--url")))
      << args[0];
  }
}

// -- what is printed ----------------------------------------------------------

TEST_F(CliTest, PrintsTablesOnATerminalAndJsonIntoAPipe) {
  serve();
  add_webhook("acme", {.url = "http://127.0.0.1:1/one"});
  const auto piped = run_client({"webhooks", "list"});
  ASSERT_THAT(piped.out, SizeIs(1));
  EXPECT_EQ(text_of(object_of(piped.out[0]), "target_url"),
            "http://127.0.0.1:1/one");
  const auto table = run_client({"webhooks", "list", "--table"});
  ASSERT_THAT(table.out, SizeIs(2));
  EXPECT_THAT(table.out[0], StartsWith("ID  NAME  ENABLED"));

  EXPECT_THAT(shown_by({"webhooks", "list"}),
              AllOf(HasSubstr("\x1b[1mID  NAME  ENABLED  TARGET"),
                    HasSubstr("http://127.0.0.1:1/one")));
  env_["NO_COLOR"] = "1";
  EXPECT_THAT(shown_by({"webhooks", "list"}), Not(HasSubstr("\x1b")));
  const auto narrow = shown_by({"webhooks", "list"}, 50);
  std::size_t begin = 0;
  for (auto end = narrow.find("\r\n"); end != std::string::npos;
       begin = end + 2, end = narrow.find("\r\n", begin))
    EXPECT_LE(end - begin, 50U + 2 * 2); // an ellipsis is three bytes
  EXPECT_THAT(narrow, HasSubstr("…"));
  EXPECT_THAT(shown_by({"webhooks", "list", "--json"}), StartsWith("{\"id\":"));
}

TEST_F(CliTest, EscapesWhatWouldMoveTheCursor) {
  serve();
  http_sink receiver{[](const request_record&) {
    return response_plan::answer(500, "\x1b]0;owned\x07\x1b[2J");
  }};
  const auto hook = add_webhook("acme", {.url = receiver.url()});
  publish("acme");
  const auto call = std::to_string(
    number_of(wait_for_calls("acme", hook, 1)[0], "id"));
  env_["NO_COLOR"] = "1";
  for (const bool as_json : {false, true}) {
    strings args{"calls", "show", std::to_string(hook), call};
    if (as_json)
      args.emplace_back("--json");
    const auto shown = shown_by(args);
    EXPECT_THAT(shown, HasSubstr("owned"));
    EXPECT_THAT(shown, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07"))));
  }
}

TEST_F(CliTest, FollowsAListToItsEnd) {
  serve();
  for (int i = 0; i < 59; ++i)
    add_event("acme", "event-" + std::to_string(i));
  EXPECT_THAT(run_client({"events", "list"}).out, SizeIs(60));
  EXPECT_THAT(run_client({"events", "list", "--limit", "55"}).out, SizeIs(55));
  EXPECT_THAT(run_client({"events", "list", "--limit", "2"}).out, SizeIs(2));
}

// -- the resources ------------------------------------------------------------

TEST_F(CliTest, ManagesWebhooks) {
  serve();
  const auto made = run_client(
    {"webhooks", "create", "https://example.org/hook", "--action", order_paid,
     "-a", order_placed, "--event", "democon", "--comment", "mine",
     "--delivery", "max_in_flight=3"});
  ASSERT_EQ(made.code, 0) << made.err;
  const auto id = number_of(object_of(made.out.at(0)), "id");
  const auto number = std::to_string(id);
  auto hook = webhook("acme", id).as_object();
  EXPECT_EQ(json::serialize(hook["action_types"]),
            json::serialize(json::array{order_paid, order_placed}));
  EXPECT_EQ(json::serialize(hook["limit_events"]), R"(["democon"])");
  EXPECT_EQ(text_of(hook, "comment"), "mine");

  const auto shown = run_client({"webhooks", "show", number});
  EXPECT_EQ(
    number_of(object_of(shown.out.at(0)).at("delivery"), "max_in_flight"), 3U);

  EXPECT_EQ(run_client({"webhooks", "edit", number, "--all-events", "--disable",
                        "--comment", ""})
              .code,
            0);
  hook = webhook("acme", id).as_object();
  EXPECT_TRUE(flag_of(hook, "all_events"));
  EXPECT_FALSE(flag_of(hook, "enabled"));
  EXPECT_TRUE(hook["comment"].is_null());
  EXPECT_EQ(text_of(hook, "target_url"), "https://example.org/hook");

  EXPECT_EQ(run_client({"webhooks", "edit", number, "--enable"}).code, 0);
  EXPECT_EQ(run_client({"webhooks", "delete", number, "--yes"}).code, 0);
  EXPECT_FALSE(flag_of(webhook("acme", id), "enabled"));
}

TEST_F(CliTest, AsksBeforeItDeletes) {
  serve();
  const auto id = add_webhook("acme", {.url = "https://example.org/hook"});
  for (const bool wanted : {false, true}) {
    terminal_process deleting{
      client({"webhooks", "delete", std::to_string(id)})};
    ASSERT_TRUE(deleting.wait_for("https://example.org/hook? ", patience));
    deleting.type(wanted ? "y\n" : "\n");
    const auto status = deleting.wait(patience);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, wanted ? 0 : 1);
    EXPECT_EQ(flag_of(webhook("acme", id), "enabled"), !wanted);
  }
}

TEST_F(CliTest, ShowsTheKeyOfATokenOnce) {
  serve();
  const auto made = run_client(
    {"tokens", "create", "shop", "--permission", "notifications"});
  ASSERT_EQ(made.code, 0) << made.err;
  const auto token = object_of(made.out.at(0));
  const auto key = text_of(token, "key");
  const auto listed = run_client({"tokens", "list"});
  EXPECT_THAT(listed.out.at(0), AllOf(HasSubstr("shop"), Not(HasSubstr(key))));
  env_["FANFARE_TOKEN"] = key;
  EXPECT_EQ(run_client({"publish", "-a", order_paid}).code, 0);
  EXPECT_EQ(run_client({"webhooks", "list"}).code, 4);
  env_["FANFARE_TOKEN"] = server::admin_key;
  EXPECT_EQ(
    run_client({"tokens", "revoke", std::to_string(number_of(token, "id"))})
      .code,
    0);
  env_["FANFARE_TOKEN"] = key;
  EXPECT_EQ(run_client({"publish", "-a", order_paid}).code, 4);
}

// -- publishing ---------------------------------------------------------------

TEST_F(CliTest, PublishesOneFromItsOptions) {
  serve();
  http_sink receiver;
  add_webhook("acme", {.url = receiver.url(), .types = {order_paid}});
  const auto told = run_client({"publish", "--action", order_paid, "--event",
                                "democon", "--set", "code=ABC23", "--set",
                                "total=42.5", "--set", "tags=[1]"});
  ASSERT_EQ(told.code, 0) << told.err;
  ASSERT_TRUE(receiver.wait_for(1, patience));
  const auto body = object_of(receiver.records()[0].body);
  EXPECT_EQ(number_of(body, "notification_id"),
            number_of(object_of(told.out.at(0)), "notification_id"));
  EXPECT_EQ(text_of(body, "code"), "ABC23");
  EXPECT_EQ(body.at("total").as_double(), 42.5);
  EXPECT_TRUE(body.at("tags").is_array());
}

TEST_F(CliTest, PublishesThousandsOfLinesAndNamesABadOne) {
  serve();
  std::string lines;
  for (int i = 1; i <= 3'500; ++i)
    lines += i == 2'345 ? "{\"action\": \n"
                        : "{\"action\":\"" + std::string{order_paid}
                            + "\",\"n\":" + std::to_string(i) + "}\n";
  const auto told = run_client({"publish", "-"}, lines);
  EXPECT_EQ(told.code, 2);
  EXPECT_THAT(told.err, AllOf(HasSubstr("line 2345: "),
                              HasSubstr("2000 notifications published")));
  EXPECT_THAT(told.out, SizeIs(2'000));

  const auto file = dir_.write("rest.ndjson",
                               lines.substr(0, lines.find("{\"action\": \n")));
  const auto good = run_client({"publish", file.string()});
  EXPECT_EQ(good.code, 0) << good.err;
  ASSERT_THAT(good.out, SizeIs(2'344));
  std::set<std::uint64_t> ids;
  for (const auto& line : good.out)
    ids.insert(number_of(object_of(line), "notification_id"));
  EXPECT_THAT(ids, SizeIs(2'344));
}

TEST_F(CliTest, NamesTheLineThatTheServerRefuses) {
  serve();
  const std::string good = "{\"action\":\"" + std::string{order_paid} + "\"}\n";
  const auto told = run_client(
    {"publish"}, good + "\n" + good + R"({"action":"x.y","event":7})");
  EXPECT_EQ(told.code, 1);
  EXPECT_THAT(told.err,
              AllOf(HasSubstr("line 4"), HasSubstr("nothing was published")));
  EXPECT_THAT(told.out, IsEmpty());
  // So is what only the registry knows.
  const auto unknown = run_client({"publish"}, good + R"({"action":"x.y"})");
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("\"x.y\""), HasSubstr("line 2:")));
}

TEST_F(CliTest, RepeatsAPublishOfWhichItLostTheAnswerAndSaysWhy) {
  http_sink sink{[](const request_record& r) {
    switch (r.number) {
      case 0: return response_plan::closing();
      case 1: {
        auto busy = response_plan::answer(503, R"({"detail":"Busy."})");
        busy.headers.emplace_back("Retry-After", "0");
        return busy;
      }
      default: return response_plan::answer(202, R"([{"notification_id":5}])");
    }
  }};
  use(sink.url());
  const auto told = run_client({"publish"}, R"({"action":"a.b"})");
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.err,
              AllOf(HasSubstr("the server closed the connection; trying again"),
                    HasSubstr("Busy. (503); trying again")));
  EXPECT_THAT(told.out, ElementsAre(R"({"notification_id":5})"));
  const auto sent = sink.records();
  ASSERT_THAT(sent, SizeIs(3));
  const auto key = sent[0].header("Idempotency-Key");
  ASSERT_TRUE(key);
  EXPECT_GE(key->size(), 16U);
  for (const auto& each : sent) {
    EXPECT_EQ(each.header("Idempotency-Key"), key);
    EXPECT_EQ(each.body, R"([{"action":"a.b"}])");
  }
}

TEST_F(CliTest, DoesNotRepeatWhatWasRefused) {
  http_sink sink{[](const request_record&) {
    return response_plan::answer(507, R"({"detail":"The disk is full."})");
  }};
  use(sink.url());
  const auto told = run_client(
    {"publish", "-a", "a.b", "--idempotency-key", "mine"});
  EXPECT_EQ(told.code, 1);
  EXPECT_THAT(told.err, HasSubstr("The disk is full. (507)"));
  ASSERT_THAT(sink.records(), SizeIs(1));
  EXPECT_EQ(sink.records()[0].header("Idempotency-Key"), "mine");
}

// -- the log ------------------------------------------------------------------

TEST_F(CliTest, FollowsTheLogLive) {
  serve();
  http_sink receiver{[](const request_record& r) {
    return response_plan::answer(r.body.find("BAD") != std::string::npos ? 500
                                                                         : 200);
  }};
  const auto hook = add_webhook("acme", {.url = receiver.url()});
  const auto before = publish("acme", "BEFORE");
  wait_for_calls("acme", hook, 1);
  child_process failed{client(
    {"calls", "tail", "--failed", "--since", "1h", "--interval", "20ms"})};
  terminal_process all{
    client({"calls", "tail", std::to_string(hook), "--interval", "20ms"}), 200};
  ASSERT_TRUE(all.wait_for("NOTIFICATION", patience));

  const auto good = publish("acme", "GOOD");
  const auto bad = publish("acme", "BAD");
  ASSERT_TRUE(all.wait_for("ok", patience)) << all.shown();
  ASSERT_TRUE(all.wait_for("failed", patience)) << all.shown();
  const auto line = failed.wait_for_line(
    "\"notification_id\":" + std::to_string(bad), patience);
  ASSERT_TRUE(line);
  EXPECT_EQ(number_of(object_of(*line), "webhook_id"), hook);
  EXPECT_FALSE(flag_of(object_of(*line), "success"));

  all.type("\x03");
  const auto ended = all.wait(patience);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 130);
  const auto row = [](std::uint64_t id) {
    return " " + std::to_string(id) + "  " + order_placed;
  };
  EXPECT_THAT(all.shown(), AllOf(HasSubstr(row(good)), HasSubstr(row(bad)),
                                 Not(HasSubstr(row(before)))));
  ASSERT_TRUE(failed.signal(SIGTERM));
  const auto status = failed.wait(patience);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 128 + SIGTERM);
  for (const auto& each : failed.lines())
    EXPECT_EQ(number_of(object_of(each), "notification_id"), bad);
}

TEST_F(CliTest, FollowsWebhooksThatAreRegisteredLater) {
  serve();
  http_sink receiver;
  child_process tail{
    client({"calls", "tail", "--table", "--interval", "20ms"})};
  ASSERT_TRUE(tail.wait_for_line("WEBHOOK", patience));
  const auto hook = add_webhook("acme", {.url = receiver.url()});
  const auto id = publish("acme");
  EXPECT_TRUE(
    tail.wait_for_line(std::to_string(id) + "  " + order_placed, patience));
  static_cast<void>(hook);
}

TEST_F(CliTest, FiltersTheLog) {
  serve();
  http_sink receiver{[](const request_record& r) {
    return response_plan::answer(r.number % 2 == 0 ? 200 : 400);
  }};
  const auto hook = add_webhook("acme", {.url = receiver.url()});
  for (int i = 0; i < 4; ++i) {
    publish("acme");
    wait_for_calls("acme", hook, static_cast<std::size_t>(i + 1));
  }
  const auto number = std::to_string(hook);
  const auto found = [&](strings more) {
    more.insert(more.begin(), {"calls", "list", number});
    return run_client(more).out.size();
  };
  EXPECT_EQ(found({}), 4U);
  EXPECT_EQ(found({"--failed"}), 2U);
  EXPECT_EQ(found({"--succeeded", "--limit", "1"}), 1U);
  EXPECT_EQ(found({"--since", "1h"}), 4U);
  EXPECT_EQ(found({"--until", "1h"}), 0U);
  EXPECT_EQ(found({"--since", "2100-01-01T00:00:00+01:00"}), 0U);
  EXPECT_EQ(found({"--action", order_paid}), 0U);
}

TEST_F(CliTest, FindsWhatWasPublishedAndWhatBecameOfIt) {
  serve();
  http_sink receiver;
  const auto first = add_webhook("acme", {.url = receiver.url("/1")});
  const auto second = add_webhook("acme", {.url = receiver.url("/2")});
  for (const auto* order : {"ABC23", "XYZ42"})
    EXPECT_EQ(run_client({"publish", "-a", order_placed, "--set",
                          std::string{"order="} + order, "--set", "total=42"})
                .code,
              0);
  wait_for_calls("acme", first, 2);
  wait_for_calls("acme", second, 2);
  const auto found = [&](strings more) {
    more.insert(more.begin(), {"notifications", "list"});
    return run_client(more).out;
  };
  ASSERT_THAT(found({"order=ABC23"}), ElementsAre(HasSubstr("ABC23")));
  EXPECT_THAT(found({"order=ABC23", "order=XYZ42", "total=42"}), SizeIs(2));
  EXPECT_THAT(found({"--action", order_paid}), IsEmpty());
  EXPECT_THAT(found({"--since", "1h", "--limit", "1"}),
              ElementsAre(HasSubstr("XYZ42")));
  EXPECT_THAT(found({"--filter", R"({"total":{"$gt":42}})"}), IsEmpty());
  const auto refused = run_client({"notifications", "list", "event=x"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--filter"));
  const auto shown = run_client({"notifications", "show", "1", "--table"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, Contains(HasSubstr("ABC23")));
  EXPECT_THAT(shown.err, HasSubstr("fanfare why 1"));

  EXPECT_THAT(run_client({"calls", "list"}).out, SizeIs(4));
  EXPECT_THAT(run_client({"calls", "list", "--table"}).out,
              Contains(HasSubstr("WEBHOOK")));
  EXPECT_THAT(run_client({"calls", "list", "--notification", "1"}).out,
              UnorderedElementsAre(
                HasSubstr("\"webhook_id\":" + std::to_string(first)),
                HasSubstr("\"webhook_id\":" + std::to_string(second))));
}

TEST_F(CliTest, PausesAWebhookAndResumesIt) {
  serve();
  http_sink receiver;
  const auto hook = add_webhook("acme", {.url = receiver.url()});
  const auto number = std::to_string(hook);
  EXPECT_EQ(run_client({"pause", number}).code, 0);
  publish("acme");
  const auto health = run_client({"health", number});
  EXPECT_THAT(health.out, Contains(HasSubstr("\"held_by\":\"pause\"")));
  const auto resumed = run_client({"resume", number, "--table"});
  EXPECT_EQ(resumed.code, 0);
  EXPECT_THAT(resumed.err, HasSubstr("is called again"));
  wait_for_calls("acme", hook, 1);
  const auto one_is_missing = run_client({"pause", "77", number});
  EXPECT_EQ(one_is_missing.code, 5);
  EXPECT_THAT(one_is_missing.err, HasSubstr("webhook 77"));
  EXPECT_THAT(one_is_missing.out, ElementsAre(HasSubstr("\"paused\":true")));
}

TEST_F(CliTest, ShowsAndRotatesSecrets) {
  serve();
  http_sink receiver;
  const auto number = std::to_string(
    add_webhook("acme", {.url = receiver.url()}));
  const auto secret = [](const ending& told) {
    return std::string{json::parse(told.out.at(0)).at("secret").as_string()};
  };
  const auto first = secret(run_client({"secrets", "show", number}));
  EXPECT_THAT(first, StartsWith("whsec_"));
  const auto unsure = run_client({"secrets", "rotate", number});
  EXPECT_EQ(unsure.code, 2) << "without a terminal it must be said";
  const auto rotated = run_client(
    {"secrets", "rotate", number, "--yes", "--overlap", "2d"});
  EXPECT_EQ(rotated.code, 0) << rotated.err;
  EXPECT_NE(secret(rotated), first);
  EXPECT_TRUE(json::parse(rotated.out.at(0)).at("previous_until").is_string());
  const auto own = run_client({"secrets", "rotate", number, "--own"}, first);
  EXPECT_EQ(own.code, 0) << own.err;
  EXPECT_EQ(secret(own), first);
  EXPECT_EQ(run_client({"secrets", "rotate", number, "--own"}, "short").code,
            1);
}

TEST_F(CliTest, PreviewsAFilter) {
  serve();
  http_sink receiver;
  const auto hook = add_webhook("acme", {.url = receiver.url()});
  const auto number = std::to_string(hook);
  for (const auto* total : {"total=1", "total=10.271304065520191"})
    EXPECT_EQ(run_client({"publish", "-a", order_placed, "--set", total}).code,
              0);
  const auto told = run_client(
    {"filter", "preview", number, R"({"total": 10.271304065520191})"});
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.out, ElementsAre(AllOf(HasSubstr("\"looked_at\":2"),
                                          HasSubstr("\"count\":1"))));
  EXPECT_EQ(run_client({"filter", "preview", number, "{total}"}).code, 2);
  EXPECT_EQ(run_client({"filter", "preview", number, R"({"$x":1})"}).code, 1);
}

TEST_F(CliTest, ChangesTheNetworksOfAnOrganizer) {
  serve();
  const auto lists = [](const ending& told) {
    return told.out.empty() ? told.err : told.out.at(0);
  };
  EXPECT_EQ(lists(run_client({"networks", "allow", "10.1.0.0/16", "fd00::/8"})),
            R"({"allow":["10.1.0.0/16","fd00::/8"],"deny":[]})");
  EXPECT_EQ(lists(run_client({"networks", "deny", "10.1.0.0/16"})),
            R"({"allow":["fd00::/8"],"deny":["10.1.0.0/16"]})")
    << "it moves from one list to the other";
  EXPECT_EQ(lists(run_client({"networks", "show"})),
            R"({"allow":["fd00::/8"],"deny":["10.1.0.0/16"]})");
  EXPECT_EQ(
    lists(run_client({"networks", "remove", "10.1.0.0/16", "fd00::/8"})),
    R"({"allow":[],"deny":[]})");
  EXPECT_EQ(run_client({"networks", "remove", "10.9.0.0/16"}).code, 5);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(lists(run_client({"networks", "allow", "10.1.0.5", "FD00::/8"})),
              R"({"allow":["10.1.0.5/32","fd00::/8"],"deny":[]})");
  EXPECT_EQ(lists(run_client({"networks", "remove", "10.1.0.5", "fd00::/8"})),
            R"({"allow":[],"deny":[]})");
  EXPECT_EQ(run_client({"networks", "allow", "ten"}).code, 1);
}

// -- replay -------------------------------------------------------------------

/// A server with a replay that goes on by one notification at each look.
class ReplayTest : public CliTest {
protected:
  ReplayTest() {
    use(sink_.url());
  }

  response_plan answer(const request_record& r) {
    if (r.method == "DELETE")
      return response_plan::answer(204);
    if (r.method == "POST" && flag_of(json::parse(r.body), "dry_run"))
      return response_plan::answer(
        200, R"({"dry_run":true,"count":4,"first":[11,12,13]})");
    if (r.method == "GET" && (looks_ < 2 || !endless_))
      ++looks_;
    const int finished = std::min(4, looks_.load());
    const json::object out{{"state", finished == 4 ? "done" : "running"},
                           {"count", 4},
                           {"queued", finished},
                           {"skipped", 0},
                           {"waiting", 0},
                           {"finished", finished}};
    return response_plan::answer(r.method == "POST" ? 202 : 200,
                                 json::serialize(out));
  }

  std::atomic<int> looks_ = 0;
  std::atomic<bool> endless_ = false;
  http_sink sink_{[this](const request_record& r) { return answer(r); }};
};

TEST_F(ReplayTest, ShowsAPreviewAsksAndDrawsABar) {
  terminal_process replay{
    client({"replay", "3", "--since", "2026-11-24T10:00:00Z", "--only-failed",
            "--rate", "50"})};
  ASSERT_TRUE(replay.wait_for("[y/N]", patience));
  EXPECT_THAT(replay.shown(),
              AllOf(HasSubstr("4 notifications"), HasSubstr("11, 12, 13")));
  ASSERT_THAT(sink_.records(), SizeIs(1)); // nothing was begun yet
  replay.type("y\n");
  const auto status = replay.wait(patience);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0) << replay.shown();
  EXPECT_THAT(replay.shown(), AllOf(HasSubstr("#"), HasSubstr(" 50 %"),
                                    HasSubstr("100 %"), HasSubstr("done")));
  const auto asked = object_of(sink_.records()[1].body);
  EXPECT_EQ(sink_.records()[1].target,
            "/api/v1/organizers/acme/webhooks/3/replay/");
  EXPECT_EQ(text_of(asked, "since"), "2026-11-24T10:00:00Z");
  EXPECT_TRUE(flag_of(asked, "only_failed"));
  EXPECT_FALSE(flag_of(asked, "dry_run"));
  EXPECT_EQ(asked.at("rate").to_number<int>(), 50);
}

TEST_F(ReplayTest, BeginsNothingThatIsNotWanted) {
  terminal_process replay{client({"replay", "3", "--since", "1d"})};
  ASSERT_TRUE(replay.wait_for("[y/N]", patience));
  replay.type("n\n");
  const auto status = replay.wait(patience);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 1);
  EXPECT_EQ(run_client({"replay", "3", "--since", "1d"}).code, 2); // no --yes
  const auto dry = run_client({"replay", "3", "--since", "1d", "--dry-run"});
  EXPECT_EQ(dry.code, 0);
  EXPECT_EQ(number_of(object_of(dry.out.at(0)), "count"), 4U);
  for (const auto& each : sink_.records())
    EXPECT_TRUE(flag_of(json::parse(each.body), "dry_run"));
}

TEST_F(ReplayTest, DrawsNoBarIntoAPipe) {
  const auto told = run_client({"replay", "3", "--since", "1d", "--yes"});
  EXPECT_EQ(told.code, 0);
  EXPECT_THAT(told.err, IsEmpty());
  ASSERT_THAT(told.out, SizeIs(1));
  EXPECT_EQ(text_of(object_of(told.out[0]), "state"), "done");
}

TEST_F(ReplayTest, GoesOnWithoutItsWatcher) {
  endless_ = true;
  terminal_process replay{client({"replay", "3", "--since", "1d", "--yes"})};
  ASSERT_TRUE(replay.wait_for(" 50 %", patience));
  replay.type("\x03");
  const auto status = replay.wait(patience);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 130);
  EXPECT_THAT(replay.shown(), HasSubstr("fanfare replay cancel 3"));
  for (const auto& each : sink_.records())
    EXPECT_NE(each.method, "DELETE");
  EXPECT_EQ(run_client({"replay", "cancel", "3"}).code, 0);
  EXPECT_EQ(sink_.records().back().method, "DELETE");
  const auto state = run_client({"replay", "status", "3"});
  EXPECT_EQ(text_of(object_of(state.out.at(0)), "state"), "running");
}

// -- what the engine can do with the past -------------------------------------

TEST_F(CliTest, DropsTheRetriesOfOneActionType) {
  serve();
  http_sink receiver{
    [](const request_record&) { return response_plan::answer(500); }};
  const std::string wildcard = "pretix.event.item.*";
  const auto hook = add_webhook("acme",
                                {.url = receiver.url(),
                                 .types = {order_paid, order_placed, wildcard},
                                 .delivery = {{"schedule", {3600}}}});
  const auto number = std::to_string(hook);
  for (const auto* action :
       {order_paid, order_placed, "pretix.event.item.added", order_paid,
        "pretix.event.item.deleted"})
    ASSERT_EQ(run_client({"publish", "--action", action}).code, 0);
  wait_for_calls("acme", hook, 5);
  const auto drop = [&](const std::string& action) {
    return run_client({"retries", "drop", number, "--action", action, "--yes"});
  };
  EXPECT_THAT(drop(order_paid).out, ElementsAre(R"({"dropped":2})"));
  EXPECT_THAT(drop(wildcard).out, ElementsAre(R"({"dropped":2})"));
  EXPECT_THAT(drop(wildcard).out, ElementsAre(R"({"dropped":0})"));
  const auto left = retries("acme", hook);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(number_of(left[0], "notification_id"), 2U);
  std::multiset<std::string> ended;
  for (const auto& call : wait_for_calls("acme", hook, 9))
    if (text_of(call, "reason") == "given up: its retries were dropped")
      ended.insert(text_of(call, "action_type"));
  EXPECT_THAT(ended,
              ElementsAre("pretix.event.item.added",
                          "pretix.event.item.deleted", order_paid, order_paid));
}

TEST_F(CliTest, LooksAfterAWebhookThatFails) {
  serve();
  std::atomic<unsigned> status = 500;
  http_sink receiver{
    [&](const request_record&) { return response_plan::answer(status); }};
  const auto hook = add_webhook(
    "acme", {.url = receiver.url(), .delivery = {{"schedule", {3600, 3600}}}});
  const auto number = std::to_string(hook);
  const auto first = publish("acme");
  const auto second = publish("acme");
  wait_for_calls("acme", hook, 2);
  EXPECT_THAT(run_client({"retries", "list", number}).out, SizeIs(2));
  EXPECT_THAT(
    run_client({"health", number, "--table"}).out,
    ::testing::Contains(AllOf(StartsWith("status"), EndsWith("failing"))));
  for (const std::vector<std::string>& counted :
       {std::vector<std::string>{"statistics", number, "--table"},
        {"statistics", "--since", "2h", "--step", "5m", "--table"}}) {
    const auto told = run_client(counted).out;
    ASSERT_FALSE(told.empty());
    EXPECT_THAT(told.front(), AllOf(StartsWith("SINCE"), HasSubstr("FAILED")));
    EXPECT_THAT(told.back(), AllOf(StartsWith("all"), HasSubstr("http_5xx 2")));
  }
  EXPECT_THAT(run_client({"statistics", number}).out,
              ElementsAre(HasSubstr(R"("failures_by_kind":{"http_5xx":2})")));
  EXPECT_THAT(run_client({"statistics", "--step", "90m"}).err,
              HasSubstr("whole hours"));
  EXPECT_EQ(run_client({"statistics", "77"}).code, 5);
  EXPECT_THAT(run_client({"why", std::to_string(first), "--table"}).out,
              ::testing::Contains(HasSubstr("retrying")));
  EXPECT_EQ(run_client({"webhooks", "test", number}).code, 1);

  status = 200;
  EXPECT_EQ(run_client({"webhooks", "test", number}).code, 0);
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"retries", "expedite"},
        {"retries", "expedite", number, "--all-webhooks"},
        {"retries", "expedite", "--all-webhooks", "--all-organizers"}})
    EXPECT_EQ(run_client(wrong).code, 2);
  EXPECT_THAT(run_client({"retries", "expedite", "--all-webhooks"}).out,
              ElementsAre(R"({"expedited":2,"webhooks":1})"));
  const auto log = wait_for_calls("acme", hook, 6);
  EXPECT_THAT(run_client({"retries", "list", number}).out, IsEmpty());
  EXPECT_THAT(run_client({"retries", "drop", number, "--yes"}).out,
              ElementsAre(R"({"dropped":0})"));

  // "" may be a variable of a script that is not set: not all of them.
  for (const auto* wrong : {"acme.unknown", ""}) {
    const auto refused = run_client(
      {"retries", "drop", number, "--yes", "--action", wrong});
    EXPECT_NE(refused.code, 0);
    EXPECT_THAT(refused.err, HasSubstr("action_type"));
  }

  const auto again = run_client(
    {"calls", "resend", number, std::to_string(number_of(log[0], "id"))});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(number_of(object_of(again.out.at(0)), "notification_id"),
            number_of(log[0], "notification_id"));
  wait_for_calls("acme", hook, 7);

  const auto replayed = run_client(
    {"replay", number, "--since", "1h", "--yes"});
  EXPECT_EQ(replayed.code, 0) << replayed.err;
  EXPECT_EQ(text_of(object_of(replayed.out.at(0)), "state"), "done");
  const auto calls = wait_for_calls("acme", hook, 9);
  EXPECT_THAT((std::set{number_of(calls[7], "notification_id"),
                        number_of(calls[8], "notification_id")}),
              ElementsAre(first, second));
  EXPECT_EQ(run_client({"replay", "status", number}).code, 0);
  EXPECT_EQ(run_client({"replay", "cancel", number}).code, 5);
}

// -- completion ---------------------------------------------------------------

class CompletionTest : public CliTest {
protected:
  /// What bash offers for the last word.
  std::set<std::string> offered(const std::string& words) const {
    const auto out = run({.program = "bash",
                          .args = {"-c",
                                   "source <(\"$0\" completion bash)\n"
                                   "COMP_WORDS=("
                                     + words
                                     + ")\n"
                                       "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                                       "_fanfare\n"
                                       "printf '%s\\n' \"${COMPREPLY[@]}\"",
                                   fanfare_program()}});
    std::set<std::string> found;
    for (std::size_t begin = 0; begin < out.size();) {
      const auto end = out.find('\n', begin);
      if (end > begin)
        found.insert(out.substr(begin, end - begin));
      begin = end + 1;
    }
    return found;
  }
};

TEST_F(CompletionTest, OffersCommandsAndOptionsToBash) {
  EXPECT_THAT(offered("fanfare we"), ElementsAre("webhooks"));
  EXPECT_THAT(offered("fanfare webhooks ''"),
              ::testing::IsSupersetOf({"list", "create", "edit", "--help"}));
  EXPECT_THAT(offered("fanfare calls list --f"), ElementsAre("--failed"));
  EXPECT_THAT(offered("fanfare webhooks list 3 --ti"),
              ElementsAre("--timeout"));
  // The word of an option is no command.
  EXPECT_THAT(offered("fanfare webhooks list --organizer show --en"),
              ElementsAre("--enabled"));
  EXPECT_THAT(offered("fanfare serve --config x"), IsEmpty()); // then files
  EXPECT_THAT(offered("fanfare replay st"), ElementsAre("status"));
}

TEST_F(CompletionTest, IsRegisteredForTheProgram) {
  const auto out = run(
    {.program = "bash",
     .args = {"-c", "source <(\"$0\" completion bash) && complete -p fanfare",
              fanfare_program()}});
  EXPECT_THAT(out, HasSubstr("-F _fanfare fanfare"));
}

TEST_F(CompletionTest, WritesScriptsThatTheShellsCanRead) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const auto told = run_client({"completion", shell});
    EXPECT_EQ(told.code, 0);
    std::string script;
    for (const auto& line : told.out)
      script += line + '\n';
    EXPECT_THAT(script, AllOf(HasSubstr("webhooks"), HasSubstr("failed")));
    const auto found = child_process{{.program = "sh",
                                      .args = {"-c", "command -v " + shell}}}
                         .wait(patience);
    if (!found || found->code != 0)
      continue; // not installed
    const auto file = dir_.write("completion." + shell, script);
    run({.program = shell, .args = {"-n", file.string()}});
  }
}

} // namespace

} // namespace fanfare::test
