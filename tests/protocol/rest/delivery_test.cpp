// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The delivery settings as a whole, and those of numbers and choices. Groups
/// of their own: request_settings_test.cpp,
/// connection_settings_test.cpp.

#include "tests/protocol/rest/delivery_test.hpp"

#include "tests/support/certs.hpp"

namespace fanfare::test {
namespace {

const std::map<std::string, std::string>& defaults() {
  static const std::map<std::string, std::string> all{
    {"name", "null"},
    {"method", R"("POST")"},
    {"headers", "{}"},
    {"user_agent_suffix", "null"},
    {"signing", R"({"algorithm":"hmac-sha256","legacy":null})"},
    {"timeouts",
     R"({"dns":null,"connect":null,"tls":null,"first_byte":null,"total":null})"},
    {"limits", R"({"min_rate":null,"header_bytes":null,"body_bytes":null})"},
    {"max_in_flight", "null"},
    {"rate_limit", "null"},
    {"schedule", "null"},
    {"max_age", "null"},
    {"final_statuses", "[]"},
    {"ordered", "false"},
    {"paused", "false"},
    {"resume_rate", "null"},
    {"body", R"("full")"},
    {"filter", "null"},
    {"batch", "null"},
    {"tls", "null"},
    {"proxy", "null"},
  };
  return all;
}

// -- all keys -----------------------------------------------------------------

TEST_F(RestDeliveryTest, HasAllKeysWithTheirDefaults) {
  const auto all = get(settings);
  EXPECT_EQ(all.status, 200);
  std::map<std::string, std::string> found;
  const auto parsed = all.json();
  for (const auto& item : parsed.as_object())
    found.emplace(item.key(), compact(item.value()));
  EXPECT_EQ(found, defaults());
}

TEST_F(RestDeliveryTest, TakesBackWhatItShows) {
  const auto all = get(settings).body;
  const auto changed = change(all);
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.body, all);
  EXPECT_EQ(stored(), delivery_settings{});
}

TEST_F(RestDeliveryTest, NullGoesBackToTheDefaultOfEachKey) {
  const std::map<std::string, std::string> others{
    {"name", R"("billing")"},
    {"method", R"("PUT")"},
    {"headers", R"({"X-Tenant":"7"})"},
    {"user_agent_suffix", R"("shop/1.0")"},
    {"signing", R"({"algorithm":"none","legacy":null})"},
    {"timeouts", R"({"dns":1,"connect":2.5,"tls":3,"first_byte":4,"total":5})"},
    {"limits", R"({"min_rate":10,"header_bytes":4096,"body_bytes":0})"},
    {"max_in_flight", "2"},
    {"rate_limit", R"({"count":5,"seconds":1})"},
    {"schedule", "[0.5,60]"},
    {"max_age", "3600"},
    {"final_statuses", "[400,422]"},
    {"ordered", "true"},
    {"paused", "true"},
    {"resume_rate", R"({"count":10,"seconds":0.5})"},
    {"body", R"("thin")"},
    {"filter", R"({"code":{"$startsWith":"A"}})"},
    {"batch", R"({"max_count":10,"max_wait_ms":500})"},
    {"tls", R"({"ca":)" + json_text(certificate_authority{}.pem())
              + R"(,"client_certificate":null,"client_key":null})"},
    {"proxy", R"("http://proxy.example:3128")"},
  };
  for (const auto& [key, standard] : defaults()) {
    ASSERT_TRUE(others.contains(key)) << key;
    taken(key, others.at(key));
  }
  // Each change left the others alone.
  for (const auto& [key, value] : others)
    EXPECT_EQ(shown(key), value);
  for (const auto& [key, standard] : defaults())
    taken(key, "null", standard);
  EXPECT_EQ(stored(), delivery_settings{});
}

TEST_F(RestDeliveryTest, ANameBeginsWithALetterAndIsNoNumber) {
  const std::string rule = "A name has at most 64 characters: a letter, then "
                           "letters, digits, '-', '_' and '.'.";
  taken("name", R"("a")");
  taken("name", R"("Acme.billing-2_x")");
  taken("name", json_text(std::string(64, 'a')));
  for (const auto& wrong :
       {std::string{}, std::string{"7"}, std::string{"a b"}, std::string{"-a"},
        std::string{"a/b"}, std::string{"\xC3\xA4"}, std::string(65, 'a')})
    refused("name", json_text(wrong), rule);
  refused("name", "7", "Must be a text, or null for none.");
}

TEST_F(RestDeliveryTest, TheListHasTheSettingsIfTheyAreAskedFor) {
  taken("name", R"("billing")");
  const std::string list{hooks_path};
  const auto plain = get(list).json().at("results").at(0).as_object();
  EXPECT_FALSE(plain.contains("delivery"));
  const auto full = get(list + "?delivery=true");
  EXPECT_EQ(full.json().at("results").at(0).at("delivery"),
            get(settings).json());
  EXPECT_EQ(get(list + "?name=billing").json().at("count"), 1);
  EXPECT_EQ(get(list + "?name=other").json().at("count"), 0);
}

TEST_F(RestDeliveryTest, RefusesUnknownKeysAtEachPlace) {
  refused("colour", "null", "Unknown key.");
  refused("Method", R"("PUT")", "Unknown key.");
  for (const std::string key : {"timeouts", "limits", "rate_limit",
                                "resume_rate", "batch", "tls", "signing"})
    refused(key, R"({"colour":1})", "Unknown key \"colour\".");
  refused("signing", R"({"legacy":{"header":"X-Sign","colour":1}})",
          "Unknown key \"colour\" in legacy.");
}

TEST_F(RestDeliveryTest, RefusesOtherTypes) {
  const std::map<std::string, std::string> right{
    {"name", "string"},        {"method", "string"},
    {"headers", "object"},     {"user_agent_suffix", "string"},
    {"signing", "object"},     {"timeouts", "object"},
    {"limits", "object"},      {"max_in_flight", "number"},
    {"rate_limit", "object"},  {"schedule", "array"},
    {"max_age", "number"},     {"final_statuses", "array"},
    {"ordered", "bool"},       {"paused", "bool"},
    {"resume_rate", "object"}, {"body", "string"},
    {"filter", "object"},      {"batch", "object"},
    {"tls", "object"},         {"proxy", "string"},
  };
  const std::map<std::string, std::string> values{{"string", R"("x")"},
                                                  {"object", "{}"},
                                                  {"number", "5"},
                                                  {"array", "[]"},
                                                  {"bool", "true"}};
  for (const auto& [key, kind] : right)
    for (const auto& [name, value] : values) {
      if (name == kind)
        continue;
      const auto answer = change(with(key, value));
      EXPECT_EQ(answer.status, 400) << key << ' ' << value;
      EXPECT_TRUE(answer.json().as_object().contains(key)) << answer.body;
    }
  EXPECT_EQ(stored(), delivery_settings{});
}

TEST_F(RestDeliveryTest, ReportsAllFaultsAndChangesNothing) {
  const auto answer = change(
    R"({"method":"GET","max_age":60,"colour":1,"timeouts":{"dns":0,"read":1},)"
    R"("headers":{"Host":"x","X-A":5},"paused":true,"batch":{}})");
  EXPECT_EQ(answer.status, 400);
  const auto said = answer.json();
  std::map<std::string, std::size_t> counts;
  for (const auto& item : said.as_object())
    counts.emplace(item.key(), item.value().as_array().size());
  EXPECT_EQ(counts, (std::map<std::string, std::size_t>{{"method", 1},
                                                        {"colour", 1},
                                                        {"timeouts", 2},
                                                        {"headers", 2},
                                                        {"batch", 1}}));
  EXPECT_EQ(stored(), delivery_settings{});
}

TEST_F(RestDeliveryTest, MergesAtTheTopOnly) {
  taken("timeouts", R"({"dns":1,"total":2})",
        R"({"dns":1,"connect":null,"tls":null,"first_byte":null,"total":2})");
  taken(
    "timeouts", R"({"tls":3})",
    R"({"dns":null,"connect":null,"tls":3,"first_byte":null,"total":null})");
  taken("headers", R"({"X-A":"1","X-B":"2"})");
  taken("headers", R"({"X-C":"3"})");
  taken("rate_limit", R"({"count":2,"seconds":60})");
  taken("rate_limit", R"({"count":3})", R"({"count":3,"seconds":1})");
  taken("batch", R"({"max_count":2,"max_wait_ms":60})");
  taken("batch", R"({"max_count":3})", R"({"max_count":3,"max_wait_ms":0})");
  taken(
    "signing", R"({"legacy":{"header":"X-Sign"}})",
    R"({"algorithm":"hmac-sha256","legacy":{"header":"X-Sign",)"
    R"("hash":"sha256","encoding":"hex","prefix":"","template":"{body}"}})");
  taken("signing", R"({"algorithm":"ed25519"})",
        R"({"algorithm":"ed25519","legacy":null})");
  EXPECT_EQ(shown("headers"), R"({"X-C":"3"})");
}

TEST_F(RestDeliveryTest, MustBeAnObject) {
  EXPECT_EQ(change("[]").status, 400);
  EXPECT_EQ(change("null").status, 400);
  EXPECT_EQ(change("{").status, 400);
  EXPECT_EQ(change("{}").status, 200);
  EXPECT_EQ(ask("PUT", settings, "{}").status, 405);
  EXPECT_EQ(ask("DELETE", settings).status, 405);
}

// -- numbers ------------------------------------------------------------------

TEST_F(RestDeliveryTest, LimitsTimeouts) {
  const std::vector<std::string> names{"dns", "connect", "tls", "first_byte",
                                       "total"};
  for (const auto& name : names) {
    for (const std::string value : {"0.001", "300", "null"}) {
      const auto answer = change(with("timeouts", with(name, value)));
      EXPECT_EQ(answer.status, 200) << answer.body;
      EXPECT_EQ(compact(answer.json().at("timeouts").at(name)),
                compact(json::parse(value)));
    }
    for (const std::string value : {"0", "0.0001", "-1", "300.001", "1e999"})
      refused("timeouts", with(name, value),
              name + " must be 0.001 to 300 seconds.");
    for (const std::string value : {R"("5")", "true", "[1]", "{}"})
      refused("timeouts", with(name, value),
              name + " must be a number of seconds.");
  }
}

TEST_F(RestDeliveryTest, LimitsWhatIsTakenOfAnAnswer) {
  const auto check = [&](const std::string& name, const std::string& least,
                         const std::string& below, const std::string& most,
                         const std::string& above) {
    for (const auto& value : {least, most}) {
      const auto answer = change(with("limits", with(name, value)));
      EXPECT_EQ(answer.status, 200) << answer.body;
      EXPECT_EQ(compact(answer.json().at("limits").at(name)), value);
    }
    for (const auto& value :
         {below, above, std::string{"1.5"}, std::string{R"("512")"},
          std::string{"true"}, std::string{"1e999"}})
      refused("limits", with(name, value),
              name + " must be a whole number from " + least + " to " + most
                + ".");
  };
  check("min_rate", "0", "-1", "1000000000", "1000000001");
  check("header_bytes", "256", "255", "262144", "262145");
  check("body_bytes", "0", "-1", "16777216", "16777217");
}

TEST_F(RestDeliveryTest, LimitsWhatIsInFlight) {
  taken("max_in_flight", "1");
  taken("max_in_flight", "64");
  for (const std::string value :
       {"0", "65", "-1", "1.5", "true", R"("1")", "18446744073709551615"})
    refused("max_in_flight", value, "Must be a whole number from 1 to 64.");
}

TEST_F(RestDeliveryTest, LimitsTheSchedule) {
  taken("schedule", "[]");
  taken("schedule", "[0,0.25,2592000]");
  taken("schedule", list_of(100, "1"));
  refused("schedule", list_of(101, "1"), "Must have at most 100 delays.");
  for (const std::string value : {"[-0.001]", "[1,2592000.001]", "[1e999]"})
    refused("schedule", value, "Each delay must be 0 to 2592000 seconds.");
  for (const std::string value : {R"([1,"2"])", "[null]", "[[1]]"})
    refused("schedule", value, "Each delay must be a number of seconds.");
  for (const std::string value : {"5", R"("5")", "{}", "false"})
    refused("schedule", value, "Must be a list of numbers of seconds.");
}

TEST_F(RestDeliveryTest, LimitsTheAge) {
  taken("max_age", "0.001");
  taken("max_age", "2592000");
  for (const std::string value : {"0", "-1", "2592000.001"})
    refused("max_age", value, "The age must be 0.001 to 2592000 seconds.");
  refused("max_age", R"("60")", "The age must be a number of seconds.");
}

TEST_F(RestDeliveryTest, LimitsFinalStatuses) {
  taken("final_statuses", "[300,599]");
  taken("final_statuses", "[422,404,422]", "[404,422]");
  taken("final_statuses", "[]");
  const auto twenty = list_of(20, "400");
  taken("final_statuses", twenty, "[400]");
  refused("final_statuses", list_of(21, "400"),
          "Must have at most 20 statuses.");
  for (const std::string value : {"[299]", "[600]", "[200]", "[0]", "[-1]",
                                  "[400.5]", R"(["400"])", "[null]", "[[400]]"})
    refused("final_statuses", value,
            "Each status must be a whole number from 300 to 599.");
  refused("final_statuses", "[400,410]",
          "410 cannot be listed: it ends the webhook and all its retries "
          "already.");
  for (const std::string value : {"400", R"("400")", "{}", "false"})
    refused("final_statuses", value, "Must be a list of statuses.");
  EXPECT_EQ(stored().final_statuses, (std::vector<std::uint16_t>{400}));
}

TEST_F(RestDeliveryTest, LimitsRates) {
  for (const std::string key : {"rate_limit", "resume_rate"}) {
    taken(key, R"({"count":1,"seconds":0.001})");
    taken(key, R"({"count":1000000,"seconds":86400})");
    taken(key, R"({"count":7})", R"({"count":7,"seconds":1})");
    for (const std::string count : {"0", "1000001", "1.5", "true", R"("1")"})
      refused(key, with("count", count),
              "count must be a whole number from 1 to 1000000.");
    for (const std::string seconds : {"0", "86400.001"})
      refused(key, R"({"count":1,"seconds":)" + seconds + '}',
              "seconds must be 0.001 to 86400 seconds.");
    refused(key, R"({"count":1,"seconds":"1"})",
            "seconds must be a number of seconds.");
    refused(key, R"({"seconds":1})",
            "count is missing: at most that many requests in \"seconds\".");
    refused(key, "5", "Must be an object.");
  }
  EXPECT_EQ(stored().rate_limit->count, 7U);
  EXPECT_EQ(stored().resume_rate->period, 1s);
}

TEST_F(RestDeliveryTest, LimitsBatches) {
  taken("batch", R"({"max_count":1,"max_wait_ms":0})");
  taken("batch", R"({"max_count":100,"max_wait_ms":60000})");
  for (const std::string value : {"0", "101", "2.5", "true"})
    refused("batch", with("max_count", value),
            "max_count must be a whole number from 1 to 100.");
  for (const std::string value : {"-1", "60001", "0.5", "null"})
    refused("batch", R"({"max_count":1,"max_wait_ms":)" + value + '}',
            "max_wait_ms must be a whole number from 0 to 60000.");
  refused("batch", R"({"max_wait_ms":1})",
          "max_count is missing: at most that many notifications in one "
          "request.");
  refused("batch", "[]", "Must be an object.");
}

// -- choices ------------------------------------------------------------------

TEST_F(RestDeliveryTest, HasChoices) {
  taken("method", R"("PUT")");
  taken("method", R"("POST")");
  for (const std::string value :
       {R"("put")", R"("GET")", R"("")", "true", "1", "[]"})
    refused("method", value, R"(Must be "POST" or "PUT".)");
  taken("body", R"("thin")");
  taken("body", R"("full")");
  for (const std::string value : {R"("THIN")", R"("")", "false", "0"})
    refused("body", value, R"(Must be "full" or "thin".)");
  for (const std::string key : {"ordered", "paused"}) {
    taken(key, "true");
    taken(key, "false");
    for (const std::string value : {R"("true")", "1", "0", "[]", R"("")"})
      refused(key, value, "Must be true or false.");
  }
}

TEST_F(RestDeliveryTest, HasASuffixForTheUserAgent) {
  taken("user_agent_suffix", json_text(std::string(128, '~')));
  taken("user_agent_suffix", R"("")", "null");
  refused("user_agent_suffix", json_text(std::string(129, 'x')),
          "This must have at most 128 characters.");
  for (const std::string value : {R"("a\r\nX: y")", R"("a\nb")", R"("\u0000")",
                                  R"("a\tb")", R"("\u007f")", R"("\u00e9")"})
    refused("user_agent_suffix", value, "This must be printable ASCII.");
  refused("user_agent_suffix", "5", "This must be a text.");
}

// -- inside of webhooks -------------------------------------------------------

TEST_F(RestDeliveryTest, IsTakenInsideOfAWebhookAndNeverShownThere) {
  const std::string
    delivery = R"("delivery":{"method":"PUT","filter":{"type":"entry"},)"
               R"("headers":{"X-Key":"secret"}})";
  const std::string rest =
    R"("target_url":"https://a.com","limit_events":[],"action_types":[])";
  const auto made = post('{' + rest + ',' + delivery + '}');
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_FALSE(made.json().as_object().contains("delivery"));
  EXPECT_THAT(made.body, Not(HasSubstr("secret")));
  const auto second = std::string{hooks_path} + "2/";
  const auto read = get(second + "delivery/").json();
  EXPECT_EQ(read.at("method"), "PUT");
  EXPECT_EQ(read.at("filter"), json::parse(R"({"type":"entry"})"));
  EXPECT_EQ(read.at("headers"), json::parse(R"({"X-Key":"secret"})"));
  // What a PUT leaves out stays.
  EXPECT_EQ(ask("PUT", second, '{' + rest + '}').status, 200);
  EXPECT_EQ(get(second + "delivery/").json(), read);
  for (const std::string method : {"PUT", "PATCH"}) {
    const auto changed = ask(method, second,
                             '{' + rest + R"(,"delivery":{"method":null}})");
    EXPECT_EQ(changed.status, 200);
    EXPECT_FALSE(changed.json().as_object().contains("delivery"));
    EXPECT_EQ(get(second + "delivery/").json().at("method"), "POST");
    EXPECT_EQ(get(second + "delivery/").json().at("filter"), read.at("filter"));
    EXPECT_EQ(
      ask(method, second,
          '{' + rest + R"(,"delivery":{"colour":1,"filter":{"a":{"$in":1}}}})")
        .body,
      R"({"delivery":["colour: Unknown key.","filter: a.$in must be a list."]})");
    // An error that shows only against what is stored.
    EXPECT_EQ(
      ask(method, second,
          '{' + rest + R"(,"delivery":{"proxy":"http://a:***@b.example:1"}})")
        .body,
      fault("delivery", "proxy: The password of another proxy is not "
                        "known: send it."));
    for (const std::string value : {"null", "5", "[]"})
      EXPECT_EQ(
        ask(method, second, '{' + rest + R"(,"delivery":)" + value + '}').body,
        fault("delivery", "Must be an object."));
  }
  EXPECT_EQ(
    post('{' + rest + R"(,"delivery":{"tls":{"client_key":"***"}}})").body,
    fault("delivery", "tls: There is no client_key to be kept: send it."));
  EXPECT_EQ(service.hooks.size(), 2U);
}

} // namespace
} // namespace fanfare::test
