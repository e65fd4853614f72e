// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// "fanfare apply", "diff" and "export" with real servers, and the names of
/// webhooks that they go by.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/paths.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <latch>
#include <map>
#include <thread>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using strings = std::vector<std::string>;

constexpr int differs = 6;
const std::string own_secret = "whsec_" + std::string(32, 'A');

/// The example of the documentation.
std::string documented_file() {
  const auto page = read_file(source_dir() / "docs/declarative.md");
  const std::string fence = "```yaml\n";
  const auto begin = page.find(fence) + fence.size();
  return page.substr(begin, page.find("```", begin) - begin);
}

} // namespace

class DeclarativeTest : public E2eTest {
protected:
  struct ending {
    int code = -1;
    std::string out;
    std::string err;

    [[nodiscard]] json::object document() const {
      return json::parse(out).as_object();
    }
  };

  void serve() {
    start({"--log-level", "debug"});
    url_ = "http://127.0.0.1:" + std::to_string(running().port());
  }

  ending run_client(const strings& args, const std::string& input = {}) const {
    auto env = env_;
    env.insert({{"XDG_CONFIG_HOME", dir_.path().string()},
                {"FANFARE_URL", url_},
                {"FANFARE_TOKEN", server::admin_key},
                {"FANFARE_ORGANIZER", "acme"}});
    child_process process{{.program = fanfare_program(),
                           .args = args,
                           .env = env,
                           .working_directory = dir_.path(),
                           .input = input}};
    const auto status = process.wait(patience);
    if (!status)
      throw std::runtime_error{"it does not end"};
    ending out{.code = status->code.value_or(-1), .out = {}, .err = {}};
    for (const auto& line : process.lines())
      out.out += line + '\n';
    for (const auto& line : process.lines(child_process::stream::err))
      out.err += line + '\n';
    return out;
  }

  ending apply(const std::string& file, const strings& more = {}) const {
    strings args{"apply", "-f", "-", "--yes"};
    args.insert(args.end(), more.begin(), more.end());
    return run_client(args, file);
  }

  ending diff(const std::string& file, const strings& more = {}) const {
    strings args{"diff", "-f", "-"};
    args.insert(args.end(), more.begin(), more.end());
    return run_client(args, file);
  }

  /// Requests that may change something, as the server has logged them.
  std::size_t writes() {
    const auto lines = running().process().lines(child_process::stream::err);
    return static_cast<std::size_t>(
      std::ranges::count_if(lines, [](const std::string& line) {
        return line.find("POST /") != line.npos
            || line.find("PATCH /") != line.npos
            || line.find("DELETE /") != line.npos;
      }));
  }

  json::object hook_named(const std::string& name) {
    const auto list = api()
                        .get(organizer_path("acme")
                             + "webhooks/?delivery=true&name=" + name)
                        .json();
    const auto& found = list.at("results").as_array();
    if (found.size() != 1)
      throw std::runtime_error{"no webhook " + name};
    return found[0].as_object();
  }

  std::string url_;
  std::map<std::string, std::string> env_{{"CRM_SECRET", own_secret},
                                          {"CRM_API_KEY", "a key"}};
};

TEST_F(DeclarativeTest, TheDocumentedFileIsAppliedOnceAndThenThereIsNothing) {
  serve();
  const auto file = documented_file();
  const auto before = diff(file);
  EXPECT_EQ(before.code, differs) << before.err;
  EXPECT_EQ(before.document().at("add"), 7) << before.out;
  EXPECT_EQ(api().get("/api/v1/organizers/").json().at("count"), 0);

  const auto applied = apply(file);
  EXPECT_EQ(applied.code, 0) << applied.err;
  EXPECT_THAT(applied.err, HasSubstr("Done: 7 added, 0 changed, 0 removed."));
  EXPECT_THAT(applied.out + applied.err,
              AllOf(Not(HasSubstr("a key")), Not(HasSubstr(own_secret))));
  const auto crm = hook_named("crm");
  const auto& delivery = crm.at("delivery").as_object();
  EXPECT_EQ(delivery.at("headers").at("X-Api-Key"), "a key");
  EXPECT_EQ(delivery.at("max_in_flight"), 2);
  EXPECT_EQ(delivery.at("signing").at("legacy").at("header"), "X-Signature");
  EXPECT_EQ(delivery.at("filter").at("total").at("$gte"), 100);
  EXPECT_EQ(crm.at("limit_events"), json::array{"democon"});
  const auto secret = api().get(webhook_path("acme", number_of(crm, "id"))
                                + "secret/");
  EXPECT_EQ(text_of(secret.json(), "secret"), own_secret);
  EXPECT_EQ(text_of(api().get("/api/v1/organizers/acme/").json(), "name"),
            "Acme Inc.");

  const auto sent = writes();
  EXPECT_EQ(diff(file, {"--prune"}).code, 0);
  const auto again = apply(file, {"--prune"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.document().at("steps").as_array(), IsEmpty());
  EXPECT_EQ(writes(), sent);
}

TEST_F(DeclarativeTest, ChangesAndPrunesWhatTheFileSays) {
  serve();
  const std::string head = R"(
action_types: [shop.order.paid]
organizers:
  acme:
    events: {democon: Demo}
    webhooks:
      one:
        target_url: https://example.com/1
        action_types: [shop.order.paid]
)";
  ASSERT_EQ(apply(head + R"(
      two:
        target_url: https://example.com/2
        action_types: [shop.order.paid]
        delivery: {max_in_flight: 4, schedule: [5]}
)")
              .code,
            0);
  const auto changed = head + R"(
        comment: changed
        delivery: {max_in_flight: 8}
)";
  const auto first = hook_named("one").at("id");
  const auto shown = diff(changed, {"--prune", "-o", "table"});
  EXPECT_EQ(shown.code, differs);
  EXPECT_EQ(
    shown.out,
    "~ webhook acme/one (" + json::serialize(first) + ")\n"
      + "    comment: none → changed\n"
        "    delivery.max_in_flight: null → 8\n"
        "- webhook acme/two (2)\n"
        "    target_url: https://example.com/2 → it is disabled and its "
        "retries end; its log stays\n"
        "Plan: 0 to add, 1 to change, 1 to remove.\n");
  EXPECT_EQ(apply(changed, {"--prune"}).code, 0);
  EXPECT_EQ(hook_named("one").at("id"), first);
  EXPECT_EQ(hook_named("one").at("delivery").at("max_in_flight"), 8);
  EXPECT_FALSE(flag_of(hook_named("two"), "enabled"));
  EXPECT_EQ(diff(changed, {"--prune"}).code, 0);
}

TEST_F(DeclarativeTest, NothingIsDoneOfAFileThatIsWrong) {
  serve();
  const auto file = documented_file();
  const std::pair<std::string, std::string> cases[] = {
    {file + "\n  acme: {}\n", "\"acme\" is there twice"},
    {file + "\ncolour: red\n", "standard input:"},
    {file
       + "\n  other: {webhooks: {x: {target_url: https://a.com, "
         "action_types: [no.such]}}}\n",
     "There is no action type \"no.such\""},
  };
  for (const auto& [text, refusal] : cases) {
    const auto refused = apply(text);
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, HasSubstr(refusal));
  }
  env_.erase("CRM_API_KEY");
  env_["CRM_API_KEY"] = "";
  EXPECT_THAT(apply(file).err,
              HasSubstr("The environment has no CRM_API_KEY: set it."));
  env_["CRM_API_KEY"] = "a key";
  // Nobody can answer.
  const auto asked = run_client({"apply", "-f", "-"}, file);
  EXPECT_EQ(asked.code, 2);
  EXPECT_THAT(asked.err, HasSubstr("add --yes"));
  dir_.write("webhooks.yaml", file);
  EXPECT_EQ(run_client({"apply", "-f", "webhooks.yaml"}).code, 2);
  EXPECT_EQ(run_client({"apply", "-f", "none.yaml", "--yes"}).code, 2);
  EXPECT_EQ(api().get("/api/v1/organizers/").json().at("count"), 0);
  EXPECT_EQ(run_client({"apply", "-f", "webhooks.yaml", "--yes"}).code, 0);
}

TEST_F(DeclarativeTest, WhatFailsInTheMiddleIsCompletedByTheNextRun) {
  serve();
  // Only the server can know that this host is refused by its rules.
  const std::string file = R"(
organizers:
  acme:
    webhooks:
      first: {target_url: https://example.com/, action_types: [pretix.event.order.paid]}
      second: {target_url: https://example.com/, events: [nocon], action_types: [pretix.event.order.paid]}
      third: {target_url: https://example.com/, action_types: [pretix.event.order.paid]}
)";
  const auto stopped = apply(file);
  EXPECT_EQ(stopped.code, 1);
  EXPECT_THAT(stopped.err,
              AllOf(HasSubstr("webhook acme/second: "), HasSubstr("nocon"),
                    HasSubstr("Done: 2 of 4. Not done:\n"
                              "  + webhook acme/second\n"
                              "  + webhook acme/third\n"),
                    HasSubstr("apply the file again")));
  add_event("acme", "nocon");
  EXPECT_EQ(diff(file).document().at("add"), 2);
  EXPECT_EQ(apply(file).code, 0);
  EXPECT_EQ(diff(file).code, 0);
}

TEST_F(DeclarativeTest, AnExportAppliedToAnEmptyServerExportsTheSame) {
  serve();
  ASSERT_EQ(apply(documented_file()).code, 0);
  const auto nameless = add_webhook(
    "acme", {.url = "https://example.com/", .enabled = false});
  const auto exported = run_client({"export"});
  EXPECT_EQ(exported.code, 0) << exported.err;
  EXPECT_THAT(exported.out,
              AllOf(Not(HasSubstr("a key")), Not(HasSubstr("whsec_")),
                    HasSubstr("webhook-" + std::to_string(nameless))));
  EXPECT_THAT(exported.err, HasSubstr("FANFARE_ACME_CRM_X_API_KEY"));
  env_["FANFARE_ACME_CRM_X_API_KEY"] = "a key";
  // On the same server only the name is new.
  EXPECT_EQ(diff(exported.out).document().at("change"), 1);
  EXPECT_EQ(diff(exported.out).document().at("add"), 0);

  server other{{.data = dir_ / "other"}};
  url_ = "http://127.0.0.1:" + std::to_string(other.port());
  const auto applied = apply(exported.out);
  EXPECT_EQ(applied.code, 0) << applied.err;
  EXPECT_EQ(run_client({"export"}).out, exported.out);
  EXPECT_EQ(
    diff(run_client({"export", "--organizer", "acme", "-o", "json"}).out).code,
    0);
  EXPECT_EQ(other.stop().code, 0);
}

TEST_F(DeclarativeTest, AnOrganizersOwnTokenIsEnoughForItsOwn) {
  serve();
  ASSERT_EQ(apply(documented_file()).code, 0);
  env_["FANFARE_TOKEN"] = add_token("acme", {"admin"});
  EXPECT_EQ(diff(documented_file()).code, 0);
  const auto refused = diff("organizers: {other: {}}");
  EXPECT_EQ(refused.code, 4) << refused.out;
}

// -- names --------------------------------------------------------------------

TEST_F(DeclarativeTest, CommandsTakeANameInPlaceOfANumber) {
  serve();
  add_organizer("acme");
  const auto id = add_webhook("acme", {.url = "https://example.com/hook"});
  const auto number = std::to_string(id);
  EXPECT_EQ(run_client({"webhooks", "edit", number, "--name", "billing"}).code,
            0);
  const auto shown = run_client({"webhooks", "show", "billing"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.document().at("id"), id);
  EXPECT_EQ(shown.document().at("delivery").at("name"), "billing");
  EXPECT_THAT(run_client({"webhooks", "list", "--table"}).out,
              HasSubstr("billing"));
  for (const strings& args :
       {strings{"health", "billing"}, strings{"pause", "billing"},
        strings{"resume", number}, strings{"secrets", "show", "billing"},
        strings{"calls", "list", "billing"},
        strings{"retries", "list", "billing"},
        strings{"retries", "expedite", "billing"},
        strings{"filter", "preview", "billing", "null"}}) {
    const auto done = run_client(args);
    EXPECT_EQ(done.code, 0) << args[0] << ": " << done.err;
  }
  const auto unknown = run_client({"health", "nobody"});
  EXPECT_EQ(unknown.code, 5);
  EXPECT_THAT(unknown.err, HasSubstr("no webhook of acme has the name "
                                     "\"nobody\""));
  EXPECT_EQ(run_client({"health", "7up!"}).code, 2);
  EXPECT_EQ(run_client({"webhooks", "edit", "billing", "--name", ""}).code, 0);
  EXPECT_EQ(run_client({"health", "billing"}).code, 5);
}

TEST_F(DeclarativeTest, AmongConcurrentEditsOneGetsTheName) {
  serve();
  add_organizer("acme");
  constexpr std::size_t count = 8;
  std::vector<hook_id> ids;
  for (std::size_t i = 0; i < count; ++i)
    ids.push_back(add_webhook("acme", {.url = "https://example.com/hook"}));
  std::vector<rest_response> answers(count);
  std::latch begin{count};
  {
    std::vector<std::jthread> editors;
    for (std::size_t i = 0; i < count; ++i)
      editors.emplace_back([&, i] {
        auto client = running().client();
        begin.arrive_and_wait();
        answers[i] = client.send("PATCH",
                                 webhook_path("acme", ids[i]) + "delivery/",
                                 R"({"name": "billing"})");
      });
  }
  std::size_t winner = count;
  for (std::size_t i = 0; i < count; ++i)
    if (answers[i].status == 200)
      winner = winner == count ? i : count + 1;
  ASSERT_LT(winner, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (i == winner)
      continue;
    EXPECT_EQ(answers[i].status, 400U);
    EXPECT_THAT(json::serialize(answers[i].json().at("name")),
                HasSubstr("Webhook " + std::to_string(ids[winner])
                          + " of this organizer has the name"));
  }
  // Also after a crash.
  kill();
  start();
  EXPECT_EQ(hook_named("billing").at("id"), ids[winner]);
}

} // namespace fanfare::test
