// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// `fanfare import`: webhooks of other systems. What stands in for a pretix is a
// second server, whose webhook resource is the same.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/paths.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class ImportTest : public E2eTest {
protected:
  using strings = std::vector<std::string>;

  struct ending {
    int code = -1;
    strings out;
    std::string err;
  };

  void serve() {
    start();
    add_organizer("acme");
  }

  ending import(strings args, const std::string& token = server::admin_key) {
    args.insert(args.begin(), "import");
    child_process process{
      {.program = fanfare_program(),
       .args = std::move(args),
       .env = {{"XDG_CONFIG_HOME", dir_.path().string()},
               {"FANFARE_URL",
                "http://127.0.0.1:" + std::to_string(running().port())},
               {"FANFARE_TOKEN", token},
               {"FANFARE_ORGANIZER", "acme"}},
       .working_directory = dir_.path()}};
    const auto status = process.wait(patience);
    if (!status)
      throw std::runtime_error{"it does not end"};
    ending out{
      .code = status->code.value_or(-1), .out = process.lines(), .err = {}};
    for (const auto& line : process.lines(child_process::stream::err))
      out.err += line + '\n';
    return out;
  }

  json::array webhooks() {
    return api()
      .get(organizer_path("acme") + "webhooks/")
      .json()
      .at("results")
      .as_array();
  }
};

TEST_F(ImportTest, BringsTheWebhooksOfAPretix) {
  serve();
  // The source, with more than a page of them.
  server source{{.data = dir_ / "pretix"}};
  auto there = source.client();
  ASSERT_EQ(there.post("/api/v1/organizers/", {{"slug", "old"}}).status, 201U);
  for (const auto* slug : {"democon", "summercon"})
    ASSERT_EQ(
      there.post(organizer_path("old") + "events/", {{"slug", slug}}).status,
      201U);
  for (int i = 0; i < 60; ++i)
    ASSERT_EQ(
      there
        .post(organizer_path("old") + "webhooks/",
              {{"target_url", "http://127.0.0.1:1/" + std::to_string(i)},
               {"enabled", i != 7},
               {"all_events", i % 2 == 0},
               {"limit_events",
                i % 2 == 0 ? json::array{} : json::array{"democon"}},
               {"action_types", json::array{order_placed, order_changed}},
               {"comment", i == 7 ? json::value("CRM") : json::value()}})
        .status,
      201U);
  dir_.write("token", std::string{server::admin_key} + "\n");
  const strings command{"pretix",
                        "--from",
                        "http://127.0.0.1:" + std::to_string(source.port()),
                        "--token-file",
                        "token",
                        "--from-organizer",
                        "old"};
  auto dry = command;
  dry.emplace_back("--dry-run");

  const auto plan = import(dry);
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out, AllOf(SizeIs(61), Each(HasSubstr("would be made"))));
  EXPECT_THAT(webhooks(), SizeIs(0));

  const auto made = import(command);
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out,
              AllOf(SizeIs(61), Each(HasSubstr(R"("result":"made")")),
                    Contains(HasSubstr(R"("event","name":"democon")"))));
  const auto hook = webhook("acme", 8);
  EXPECT_EQ(json::serialize(hook),
            R"({"id":8,"enabled":false,"target_url":"http://127.0.0.1:1/7",)"
            R"("all_events":false,"limit_events":["democon"],)"
            R"("action_types":["pretix.event.order.changed.*",)"
            R"("pretix.event.order.placed"],"comment":"CRM"})");

  const auto again = import(command);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, AllOf(SizeIs(60), Each(HasSubstr("is there"))));
  EXPECT_EQ(api().get(organizer_path("acme") + "webhooks/").json().at("count"),
            60);

  dir_.write("token", "wrong\n");
  const auto refused = import(command);
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, HasSubstr("401"));
}

TEST_F(ImportTest, BringsTheEndpointsOfSvixWithTheirSecrets) {
  serve();
  const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  dir_.write("endpoints.json",
             R"({"done": true, "iterator": null, "data": [
    {"id": "ep_1", "url": "http://127.0.0.1:1/a", "description": "Billing",
     "filterTypes": ["invoice.paid", "InvoiceVoid"], "rateLimit": 50},
    {"id": "ep_2", "url": "http://127.0.0.1:1/b", "disabled": true},
    {"id": "ep_3", "url": "no URL", "filterTypes": ["invoice.paid"]}]})");
  dir_.write("secrets.json", R"({"ep_1": {"key": ")" + secret + R"("}})");
  const auto made = import(
    {"svix", "endpoints.json", "--secrets", "secrets.json"});
  EXPECT_EQ(made.code, 1);
  EXPECT_THAT(made.err, HasSubstr("1 refused"));
  EXPECT_THAT(
    made.out,
    AllOf(SizeIs(5),
          Contains(HasSubstr(R"("action type","name":"InvoiceVoid")")),
          Contains(AllOf(HasSubstr("ep_2"), HasSubstr("its secret"))),
          Contains(AllOf(HasSubstr("ep_3"), HasSubstr("refused"),
                         HasSubstr("Enter a valid URL.")))));
  EXPECT_THAT(made.out, Each(Not(HasSubstr(secret))));
  EXPECT_EQ(
    text_of(api().get(webhook_path("acme", 1) + "secret/").json(), "secret"),
    secret);
  EXPECT_EQ(
    json::serialize(
      api().get(webhook_path("acme", 1) + "delivery/").json().at("rate_limit")),
    R"({"count":50,"seconds":1})");
  const auto all = webhook("acme", 2);
  EXPECT_EQ(json::serialize(all.at("action_types")), R"(["*"])");
  EXPECT_EQ(all.at("enabled"), false);
  const auto again = import({"svix", "endpoints.json"});
  EXPECT_THAT(again.out, AllOf(SizeIs(3), Contains(HasSubstr("refused"))));
  EXPECT_THAT(webhooks(), SizeIs(2));
}

TEST_F(ImportTest, BringsTheSubscriptionsOfConvoy) {
  serve();
  dir_.write("subscriptions.json", R"({"status": true, "data": {"content": [
    {"uid": "sub_1", "filter_config": {"event_types": ["stock.low"]},
     "endpoint_metadata": {"uid": "end_1", "name": "Warehouse",
       "url": "http://127.0.0.1:1/"}},
    {"uid": "sub_2", "filter_config": {"event_types": ["order.*"]},
     "endpoint_metadata": {"uid": "end_1", "url": "http://127.0.0.1:1/"}}]}})");
  const auto made = import({"convoy", "subscriptions.json"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, SizeIs(2));
  ASSERT_THAT(webhooks(), SizeIs(1));
  EXPECT_EQ(json::serialize(webhooks()[0].at("action_types")),
            R"(["order.*","stock.low"])");
}

TEST_F(ImportTest, SaysWhatItCannotReadOrMayNotDo) {
  serve();
  const auto missing = import({"svix", "nothing.json"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("cannot read nothing.json"));
  dir_.write("bad.json", "{");
  EXPECT_THAT(import({"convoy", "bad.json"}).err,
              HasSubstr("bad.json is no JSON"));
  dir_.write("other.json", R"({"data": [{"id": "sub_1"}]})");
  EXPECT_THAT(import({"svix", "other.json"}).err,
              HasSubstr("no list of endpoints"));
  dir_.write("good.json", R"([{"id": "ep_1", "url": "http://127.0.0.1:1/",
                               "filterTypes": ["order.created"]}])");
  const auto refused = import({"svix", "good.json"},
                              add_token("acme", {"webhooks"}));
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.out, AllOf(SizeIs(2), Each(HasSubstr("refused"))));
  EXPECT_THAT(webhooks(), SizeIs(0));
}

} // namespace

} // namespace fanfare::test
