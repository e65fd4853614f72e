// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Files of "fanfare apply": how they are read, and what is planned. No server.

#include "cli/client/yaml.hpp"
#include "cli/declarative/export.hpp"
#include "cli/declarative/plan.hpp"
#include "cli/declarative/reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace fanfare::test {

namespace {

using namespace cli::declarative;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class fake_references final : public reference_source {
public:
  std::string from_environment(const std::string& name,
                               std::string& fault) override {
    const auto found = environment.find(name);
    if (found != environment.end())
      return found->second;
    fault = "The environment has no " + name + ": set it.";
    return {};
  }
  std::string from_file(const std::string& path, std::string& fault) override {
    fault = "There is no file " + path + ".";
    return {};
  }

  std::map<std::string, std::string> environment{
    {"KEY", "very secret"}, {"SECRET", "whsec_" + std::string(32, 'A')}};
};

wanted_state read_text(const std::string& text) {
  fake_references references;
  return read_wanted(read_document(text, "f.yaml"), "f.yaml", references);
}

/// The refusal of a file; empty: it is taken.
std::string refusal_of(const std::string& text) {
  try {
    (void)read_text(text);
  } catch (const cli::command_error& e) {
    EXPECT_EQ(e.code, cli::exit_code::usage);
    return e.what();
  }
  return {};
}

const std::string one_webhook = R"(
action_types: [shop.order.placed]
organizers:
  acme:
    webhooks:
      billing:
        target_url: https://example.com/hook
        action_types: [shop.order.placed]
)";

std::string with(const std::string& lines) {
  return one_webhook + lines;
}

/// What a server would say after the file was applied.
found_state applied(const wanted_state& wanted) {
  found_state out;
  std::uint64_t id = 0;
  for (const auto& type : wanted.action_types)
    out.action_types.insert(type.name);
  for (const auto& one : wanted.organizers) {
    auto& to = out.organizers[one.slug];
    to.name = one.name.value_or(one.slug);
    for (const auto& e : one.events.value_or(std::vector<wanted_event>{}))
      to.events[e.slug] = e.name.value_or(e.slug);
    for (const auto& w : one.webhooks.value_or(std::vector<wanted_webhook>{}))
      to.webhooks.push_back({.id = ++id,
                             .name = w.name,
                             .target_url = w.target_url,
                             .action_types = w.action_types,
                             .all_events = w.all_events,
                             .events = w.events,
                             .enabled = w.enabled.value_or(true),
                             .comment = w.comment,
                             .delivery = w.shown,
                             .key = w.key});
  }
  return out;
}

std::vector<std::string> subjects_of(const std::vector<step>& plan) {
  std::vector<std::string> out;
  for (const auto& one : plan)
    out.push_back((one.kind == step_kind::add      ? "+ "
                   : one.kind == step_kind::change ? "~ "
                                                   : "- ")
                  + one.subject);
  return out;
}

} // namespace

// -- reading ------------------------------------------------------------------

TEST(DeclarativeReaderTest, ReadsYamlAndJsonAlike) {
  const auto yaml = read_text(one_webhook);
  const auto json = read_text(
    R"({"action_types": ["shop.order.placed"], "organizers": {"acme":
    {"webhooks": {"billing": {"target_url": "https://example.com/hook",
    "action_types": ["shop.order.placed"]}}}}})");
  ASSERT_THAT(json.organizers, SizeIs(1));
  ASSERT_TRUE(json.organizers[0].webhooks);
  ASSERT_THAT(*json.organizers[0].webhooks, SizeIs(1));
  const auto& hook = json.organizers[0].webhooks->front();
  EXPECT_EQ(hook.name, "billing");
  EXPECT_EQ(hook.target_url, "https://example.com/hook");
  EXPECT_TRUE(hook.all_events);
  EXPECT_FALSE(hook.enabled);
  EXPECT_FALSE(json.organizers[0].events);
  EXPECT_EQ(hook.shown, yaml.organizers[0].webhooks->front().shown);
}

TEST(DeclarativeReaderTest, AnEmptyFileWantsNothing) {
  for (const auto* text : {"", "# nothing\n", "---\n", "{}"})
    EXPECT_THAT(read_text(text).organizers, IsEmpty()) << text;
}

TEST(DeclarativeReaderTest, FaultsSayWhereTheyAre) {
  const std::pair<std::string, std::string> cases[] = {
    {"organisers: {}",
     "f.yaml:1:1: Unknown key \"organisers\"; known are action_types, "
     "organizers."},
    {"- a", "f.yaml:1:1: The document must be a map."},
    {"a: b: c", "f.yaml:1:5: "},
    {"organizers:\n  acme:\n    colour: red", "f.yaml:3:5: Unknown key"},
    {"organizers:\n  acme: {}\n  acme: {}",
     "f.yaml:3:3: \"acme\" is there twice."},
    {"organizers: {\"a b\": {}}", "f.yaml:1:14: A slug is made of"},
    {"action_types: [a..b]", "f.yaml:1:16: "},
    {"action_types: [fanfare.x]", "f.yaml:1:16: Names that begin with"},
    {"--- {}\n--- {}", "f.yaml:2:5: Only one document"},
    {with("        enabled: yes\n"),
     "f.yaml:9:18: enabled must be true or false."},
    {with("        events: some\n"), "f.yaml:9:17: events must be a list"},
    {with("        delivery: {colour: 1}\n"),
     "f.yaml:9:20: colour: Unknown key."},
    {with("        delivery:\n          max_in_flight: 65\n"),
     "f.yaml:10:11: max_in_flight: Must be a whole number from 1 to 64."},
    {with("        delivery: {name: x}\n"), "f.yaml:9:20: The name of a"},
    {with("        delivery: {headers: {X-Key: {env: NONE}}}\n"),
     "f.yaml:9:43: The environment has no NONE: set it."},
    {with("        delivery: {tls: {client_key: text}}\n"),
     "f.yaml:9:38: client_key must not be in the file"},
    {with("        secret: whsec_AAAA\n"),
     "f.yaml:9:17: secret must not be in the file"},
    {with("        secret: {env: KEY}\n"), "f.yaml:9:17: secret: "},
    {with("        secret: {file: none.txt}\n"),
     "f.yaml:9:24: There is no file none.txt."},
    {with("        secret: {env: SECRET}\n"
          "        delivery: {signing: {algorithm: none}}\n"),
     "f.yaml:9:17: The secret is one for hmac-sha256"},
    {with("      7up: {}\n"), "f.yaml:9:7: A name has at most 64"},
    {with("      other: {}\n"), "f.yaml:9:7: A webhook needs a target_url."},
    {with("      other: {target_url: https://a.com}\n"),
     "f.yaml:9:7: A webhook needs action_types."},
  };
  for (const auto& [text, refusal] : cases)
    EXPECT_THAT(refusal_of(text), StartsWith(refusal)) << text;
}

TEST(DeclarativeReaderTest, ADocumentThatGrowsByItsAliasesIsRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 9; ++k)
      text += (k == 0 ? "" : ", ") + before;
    text += "]\n";
  }
  EXPECT_THAT(refusal_of(text), HasSubstr("too many parts"));
  EXPECT_THAT(refusal_of(std::string(100, '[')), StartsWith("f.yaml:"));
}

TEST(DeclarativeReaderTest, SettingsCanBeSharedByAliases) {
  const auto wanted = read_text(
    with("        delivery: &usual {max_in_flight: 4}\n"
         "      other:\n"
         "        target_url: https://example.com/other\n"
         "        action_types: [shop.order.placed]\n"
         "        delivery: *usual\n"));
  for (const auto& hook : *wanted.organizers[0].webhooks)
    EXPECT_EQ(hook.shown.at("max_in_flight"), 4) << hook.name;
}

TEST(DeclarativeReaderTest, NumbersOfFiltersKeepTheirDigits) {
  const auto wanted = read_text(with(
    "        delivery: {filter: {total: {$gt: 12345678901234567890.50}}}\n"));
  EXPECT_EQ(wanted.organizers[0].webhooks->front().delivery.at("filter"),
            R"({"total":{"$gt":12345678901234567890.50}})");
}

// -- planning -----------------------------------------------------------------

TEST(DeclarativePlanTest, OfAnEmptyServerEverythingIsAddedInOrder) {
  const auto wanted = read_text(with("        secret: {env: SECRET}\n"
                                     "        delivery: {max_in_flight: 4}\n"
                                     "    events: {democon: Demo}\n"));
  const auto plan = make_plan(wanted, {}, true);
  EXPECT_THAT(subjects_of(plan),
              ElementsAre("+ action type shop.order.placed", "+ organizer acme",
                          "+ event acme/democon", "+ webhook acme/billing"));
  const auto& hook = plan.back();
  ASSERT_THAT(hook.requests, SizeIs(2));
  EXPECT_EQ(hook.requests[0].target, "/api/v1/organizers/acme/webhooks/");
  const auto body = boost::json::parse(hook.requests[0].body);
  EXPECT_EQ(body.at("delivery").at("name"), "billing");
  EXPECT_EQ(body.at("delivery").at("max_in_flight"), 4);
  EXPECT_EQ(body.at("enabled"), true);
  EXPECT_EQ(hook.requests[1].target,
            "/api/v1/organizers/acme/webhooks/{id}/secret/rotate/");
}

TEST(DeclarativePlanTest, WhatIsThereNeedsNothing) {
  const auto wanted = read_text(with("        secret: {env: SECRET}\n"
                                     "        enabled: true\n"
                                     "        comment: a note\n"
                                     "        events: [democon]\n"
                                     "        delivery:\n"
                                     "          headers: {X-Key: {env: KEY}}\n"
                                     "          schedule: [5, 60.5]\n"
                                     "          rate_limit: {count: 5}\n"
                                     "    events: {democon: Demo}\n"));
  EXPECT_THAT(make_plan(wanted, applied(wanted), true), IsEmpty());
}

TEST(DeclarativePlanTest, OnlyWhatDiffersIsSent) {
  const auto before = read_text(
    with("        comment: a note\n"
         "        delivery: {max_in_flight: 4, schedule: [5]}\n"));
  const auto wanted = read_text(with("        delivery: {max_in_flight: 8}\n"));
  const auto plan = make_plan(wanted, applied(before), false);
  ASSERT_THAT(subjects_of(plan), ElementsAre("~ webhook acme/billing (1)"));
  ASSERT_THAT(plan[0].requests, SizeIs(1));
  EXPECT_EQ(plan[0].requests[0].method, "PATCH");
  EXPECT_EQ(
    boost::json::parse(plan[0].requests[0].body),
    boost::json::parse(R"({"comment": null, "delivery": {"max_in_flight": 8,)"
                       R"( "schedule": null}})"));
  EXPECT_EQ(plan[0].differences[1].field, "delivery.max_in_flight");
  EXPECT_EQ(plan[0].differences[1].before, "4");
  EXPECT_EQ(plan[0].differences[1].after, "8");
}

TEST(DeclarativePlanTest, SwitchesOfOperationStayUnlessTheFileSpeaksOfThem) {
  const auto wanted = read_text(one_webhook);
  auto found = applied(wanted);
  auto& hook = found.organizers.at("acme").webhooks[0];
  hook.enabled = false;
  hook.delivery["paused"] = true;
  EXPECT_THAT(make_plan(wanted, found, true), IsEmpty());
  const auto strict = read_text(with("        enabled: true\n"
                                     "        delivery: {paused: false}\n"));
  ASSERT_THAT(make_plan(strict, found, true), SizeIs(1));
}

TEST(DeclarativePlanTest, SecretsAreNotShown) {
  const auto wanted = read_text(
    with("        secret: {env: SECRET}\n"
         "        delivery: {headers: {X-Key: {env: KEY}}}\n"));
  auto found = applied(wanted);
  auto& hook = found.organizers.at("acme").webhooks[0];
  hook.key = "whsec_" + std::string(32, 'B');
  hook.delivery["headers"] = {{"X-Key", "old secret"}};
  for (const auto& plan :
       {make_plan(wanted, found, true), make_plan(wanted, {}, true)}) {
    std::string all;
    for (const auto& one : plan)
      for (const auto& [field, before, after] : one.differences)
        all += field + before + after + '\n';
    EXPECT_THAT(all,
                AllOf(HasSubstr("X-Key: (hidden)"), HasSubstr("secret"),
                      Not(HasSubstr("very secret")),
                      Not(HasSubstr("old secret")), Not(HasSubstr("whsec_"))));
  }
  // That of receivers that know the old one lives on for a while.
  const auto changed = make_plan(wanted, found, true);
  EXPECT_THAT(changed.back().requests.back().body, Not(HasSubstr("overlap")));
}

TEST(DeclarativePlanTest, AWebhookWithoutANameIsTakenByItsUrl) {
  const auto wanted = read_text(one_webhook);
  auto found = applied(wanted);
  auto& hooks = found.organizers.at("acme").webhooks;
  hooks[0].name.clear();
  hooks[0].delivery["name"] = nullptr;
  hooks.push_back(hooks[0]);
  hooks[1].id = 2;
  const auto plan = make_plan(wanted, found, false);
  ASSERT_THAT(subjects_of(plan), ElementsAre("~ webhook acme/billing (1)"));
  EXPECT_EQ(plan[0].requests[0].body, R"({"delivery":{"name":"billing"}})");
  // Of another URL it is another one.
  hooks[0].target_url = hooks[1].target_url = "https://example.com/other";
  EXPECT_THAT(subjects_of(make_plan(wanted, found, false)),
              ElementsAre("+ webhook acme/billing"));
}

TEST(DeclarativePlanTest, AWebhookThatWasDeletedIsTakenLast) {
  const auto wanted = read_text(one_webhook);
  auto found = applied(wanted);
  auto& hooks = found.organizers.at("acme").webhooks;
  hooks[0].name.clear();
  hooks[0].delivery["name"] = nullptr;
  hooks.push_back(hooks[0]);
  hooks[0].enabled = false;
  hooks[1].id = 2;
  EXPECT_THAT(subjects_of(make_plan(wanted, found, true)),
              ElementsAre("~ webhook acme/billing (2)"));
}

TEST(DeclarativePlanTest, ListsOfWhichNothingIsLeftPruneNothing) {
  auto found = applied(read_text(with("    events: {democon: Demo}\n")));
  const auto commented = read_text("organizers:\n"
                                   "  acme:\n"
                                   "    events:\n"
                                   "    webhooks:\n");
  EXPECT_THAT(make_plan(commented, found, true), IsEmpty());
  const auto empty = read_text("organizers:\n"
                               "  acme: {events: {}, webhooks: {}}\n");
  EXPECT_THAT(make_plan(empty, found, true), SizeIs(2));
}

TEST(DeclarativePlanTest, AnEventThatAWebhookOfTheFileNamesIsNotPruned) {
  const auto wanted = read_text(with("        events: [democon]\n"
                                     "    events: {other: }\n"));
  auto found = applied(wanted);
  found.organizers.at("acme").events = {
    {"democon", "Demo"}, {"other", "other"}, {"third", "third"}};
  EXPECT_THAT(subjects_of(make_plan(wanted, found, true)),
              ElementsAre("- event acme/third"));
}

TEST(DeclarativePlanTest, WildcardsNeedNoRegistration) {
  auto wanted = read_text(one_webhook);
  wanted.organizers[0].webhooks->front().action_types = {"shop.*"};
  EXPECT_NO_THROW((void)make_plan(wanted, {}, false));
  wanted.organizers[0].webhooks->front().action_types = {"pretix.event.*"};
  EXPECT_THROW((void)make_plan(wanted, {}, false), cli::command_error);
}

TEST(DeclarativePlanTest, AUrlThatTheFileRefersToIsNotShown) {
  auto wanted = read_text(one_webhook);
  wanted.organizers[0].webhooks->front().is_url_secret = true;
  auto found = applied(wanted);
  found.organizers.at("acme")
    .webhooks[0]
    .target_url = "https://example.com/old";
  for (const auto& plan :
       {make_plan(wanted, found, false), make_plan(wanted, {}, false)})
    for (const auto& [field, before, after] : plan.back().differences)
      EXPECT_THAT(before + after, Not(HasSubstr("example.com"))) << field;
}

TEST(DeclarativePlanTest, PruneRemovesWhatTheListsOfTheFileDoNotHave) {
  const auto before = read_text(
    with("      old:\n"
         "        target_url: https://example.com/old\n"
         "        action_types: [shop.order.placed]\n"
         "    events: {past: Past}\n"));
  auto found = applied(before);
  const auto wanted = read_text(with("    events: {}\n"));
  EXPECT_THAT(make_plan(wanted, found, false), IsEmpty());
  EXPECT_THAT(subjects_of(make_plan(wanted, found, true)),
              ElementsAre("- webhook acme/old (2)", "- event acme/past"));
  // A list that the file does not have is none of its business.
  EXPECT_THAT(
    subjects_of(make_plan(read_text("organizers: {acme: {}}"), found, true)),
    IsEmpty());
  // One that is disabled already has gone.
  found.organizers.at("acme").webhooks[1].enabled = false;
  EXPECT_THAT(subjects_of(make_plan(wanted, found, true)),
              ElementsAre("- event acme/past"));
}

TEST(DeclarativePlanTest, AnActionTypeThatNobodyKnowsIsRefusedBeforehand) {
  auto wanted = read_text(one_webhook);
  wanted.action_types.clear();
  try {
    (void)make_plan(wanted, {}, false);
    FAIL();
  } catch (const cli::command_error& e) {
    EXPECT_THAT(e.what(), StartsWith("f.yaml:6:7: There is no action type"));
  }
}

// -- export -------------------------------------------------------------------

TEST(DeclarativeExportTest, WhatIsExportedIsWantedAgain) {
  const auto wanted = read_text(
    with("        enabled: false\n"
         "        comment: a note\n"
         "        events: [democon]\n"
         "        delivery: {schedule: [5, 60.5], paused: true,"
         " filter: {total: {$gt: 10}}}\n"
         "    events: {democon: Demo}\n"));
  const auto found = applied(wanted);
  const auto made = export_state(found);
  EXPECT_THAT(made.references, IsEmpty());
  const auto again = read_text(cli::to_yaml(made.document));
  EXPECT_THAT(make_plan(again, found, true), IsEmpty());
  EXPECT_EQ(export_state(applied(again)).document, made.document);
}

TEST(DeclarativeExportTest, SecretsAreExportedAsReferences) {
  const auto wanted = read_text(
    with("        secret: {env: SECRET}\n"
         "        delivery:\n"
         "          headers: {X-Key: {env: KEY}}\n"
         "          proxy: http://user:very-secret@proxy.example:3128\n"));
  auto found = applied(wanted);
  found.organizers.at("acme")
    .webhooks[0]
    .target_url = "https://user:very-secret@example.com/";
  const auto made = export_state(found);
  const auto text = boost::json::serialize(made.document);
  EXPECT_THAT(text,
              AllOf(Not(HasSubstr("very-secret")), Not(HasSubstr("whsec_")),
                    HasSubstr("FANFARE_ACME_BILLING_X_KEY"),
                    HasSubstr("FANFARE_ACME_BILLING_PROXY"),
                    HasSubstr("FANFARE_ACME_BILLING_TARGET_URL")));
  EXPECT_THAT(made.references, SizeIs(3));
}

TEST(DeclarativeExportTest, AWebhookWithoutANameGetsOne) {
  auto found = applied(read_text(one_webhook));
  found.organizers.at("acme").webhooks[0].name.clear();
  const auto made = export_state(found);
  EXPECT_TRUE(made.document.at("organizers")
                .at("acme")
                .at("webhooks")
                .as_object()
                .contains("webhook-1"));
  ASSERT_THAT(made.notes, SizeIs(1));
  EXPECT_THAT(made.notes[0], HasSubstr("Webhook 1 of acme has no name"));
}

} // namespace fanfare::test
