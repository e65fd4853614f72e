// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The settings of delivery, key by key, and the resources that go with them:
/// secrets, previews of filters, networks, and what is told of deliveries.

#include "protocol/payload/json_text.hpp"
#include "protocol/security/vault.hpp"
#include "tests/protocol/rest_test.hpp"
#include "tests/support/certs.hpp"

#include <cctype>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const std::map<std::string, std::string>& defaults() {
  static const std::map<std::string, std::string> all{
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

/// As the API writes it.
std::string compact(const json::value& value) {
  return protocol::to_json_text(value, 0);
}

std::string json_text(std::string_view text) {
  return compact(json::string{text.data(), text.size()});
}

/// {"KEY": VALUE}
std::string with(std::string_view key, std::string_view value) {
  return '{' + json_text(key) + ':' + std::string{value} + '}';
}

/// What a 400 says of one key.
std::string fault(std::string_view key, std::string_view sentence) {
  return with(key, '[' + json_text(sentence) + ']');
}

std::string list_of(std::size_t count, std::string_view item) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i)
    out += (i > 0 ? "," : "") + std::string{item};
  return out + ']';
}

class RestDelivery : public RestTest {
protected:
  reply change(std::string_view body, headers more = {}) {
    return ask("PATCH", settings, body, "hooks", std::move(more));
  }

  std::string shown(const std::string& key) {
    return compact(get(settings).json().at(key));
  }

  /// Sent, and read back as `read` (empty: as it was sent).
  void taken(const std::string& key, const std::string& sent,
             std::string read = {}) {
    SCOPED_TRACE(key + ": " + sent.substr(0, 200));
    if (read.empty())
      read = sent;
    const auto changed = change(with(key, sent));
    EXPECT_EQ(changed.status, 200) << changed.body;
    if (changed.status != 200)
      return;
    EXPECT_EQ(compact(changed.json().at(key)), read);
    EXPECT_EQ(shown(key), read);
  }

  /// Refused by just this sentence; nothing is changed.
  void refused(const std::string& key, const std::string& sent,
               const std::string& sentence) {
    SCOPED_TRACE(key + ": " + sent.substr(0, 200));
    const auto before = engine.hooks.front();
    const auto answer = change(with(key, sent));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body, fault(key, sentence));
    EXPECT_EQ(engine.hooks.front(), before);
  }

  /// Refused by a sentence with this in it.
  void refused_for(const std::string& key, const std::string& sent,
                   const std::string& part) {
    SCOPED_TRACE(key + ": " + sent.substr(0, 200));
    const auto before = engine.hooks.front();
    const auto answer = change(with(key, sent));
    EXPECT_EQ(answer.status, 400) << answer.body;
    const auto said = answer.json();
    ASSERT_TRUE(said.as_object().contains(key)) << answer.body;
    EXPECT_THAT(text_of(said.at(key).at(0)), HasSubstr(part));
    EXPECT_EQ(engine.hooks.front(), before);
  }

  delivery_settings& stored() {
    return engine.hooks.front().delivery;
  }

  /// From here on what is stored is encrypted.
  void use_key() {
    const auto made = protocol::vault::from_text(std::string(64, 'a'));
    ASSERT_TRUE(made);
    engine.seals = *made;
  }

  std::string hook = make_hook();
  std::string settings = hook + "delivery/";
};

// -- all keys -----------------------------------------------------------------

TEST_F(RestDelivery, HasAllKeysWithTheirDefaults) {
  const auto all = get(settings);
  EXPECT_EQ(all.status, 200);
  std::map<std::string, std::string> found;
  const auto parsed = all.json();
  for (const auto& item : parsed.as_object())
    found.emplace(item.key(), compact(item.value()));
  EXPECT_EQ(found, defaults());
}

TEST_F(RestDelivery, TakesBackWhatItShows) {
  const auto all = get(settings).body;
  const auto changed = change(all);
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.body, all);
  EXPECT_EQ(stored(), delivery_settings{});
}

TEST_F(RestDelivery, NullGoesBackToTheDefaultOfEachKey) {
  const std::map<std::string, std::string> others{
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

TEST_F(RestDelivery, RefusesUnknownKeysAtEachPlace) {
  refused("colour", "null", "Unknown key.");
  refused("Method", R"("PUT")", "Unknown key.");
  for (const std::string key : {"timeouts", "limits", "rate_limit",
                                "resume_rate", "batch", "tls", "signing"})
    refused(key, R"({"colour":1})", "Unknown key \"colour\".");
  refused("signing", R"({"legacy":{"header":"X-Sign","colour":1}})",
          "Unknown key \"colour\" in legacy.");
}

TEST_F(RestDelivery, RefusesOtherTypes) {
  const std::map<std::string, std::string> right{
    {"method", "string"},
    {"headers", "object"},
    {"user_agent_suffix", "string"},
    {"signing", "object"},
    {"timeouts", "object"},
    {"limits", "object"},
    {"max_in_flight", "number"},
    {"rate_limit", "object"},
    {"schedule", "array"},
    {"max_age", "number"},
    {"ordered", "bool"},
    {"paused", "bool"},
    {"resume_rate", "object"},
    {"body", "string"},
    {"filter", "object"},
    {"batch", "object"},
    {"tls", "object"},
    {"proxy", "string"},
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

TEST_F(RestDelivery, ReportsAllFaultsAndChangesNothing) {
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

TEST_F(RestDelivery, MergesAtTheTopOnly) {
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

TEST_F(RestDelivery, MustBeAnObject) {
  EXPECT_EQ(change("[]").status, 400);
  EXPECT_EQ(change("null").status, 400);
  EXPECT_EQ(change("{").status, 400);
  EXPECT_EQ(change("{}").status, 200);
  EXPECT_EQ(ask("PUT", settings, "{}").status, 405);
  EXPECT_EQ(ask("DELETE", settings).status, 405);
}

// -- numbers ------------------------------------------------------------------

TEST_F(RestDelivery, LimitsTimeouts) {
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

TEST_F(RestDelivery, LimitsWhatIsTakenOfAnAnswer) {
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

TEST_F(RestDelivery, LimitsWhatIsInFlight) {
  taken("max_in_flight", "1");
  taken("max_in_flight", "64");
  for (const std::string value :
       {"0", "65", "-1", "1.5", "true", R"("1")", "18446744073709551615"})
    refused("max_in_flight", value, "Must be a whole number from 1 to 64.");
}

TEST_F(RestDelivery, LimitsTheSchedule) {
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

TEST_F(RestDelivery, LimitsTheAge) {
  taken("max_age", "0.001");
  taken("max_age", "2592000");
  for (const std::string value : {"0", "-1", "2592000.001"})
    refused("max_age", value, "The age must be 0.001 to 2592000 seconds.");
  refused("max_age", R"("60")", "The age must be a number of seconds.");
}

TEST_F(RestDelivery, LimitsRates) {
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

TEST_F(RestDelivery, LimitsBatches) {
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

TEST_F(RestDelivery, HasChoices) {
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

TEST_F(RestDelivery, HasASuffixForTheUserAgent) {
  taken("user_agent_suffix", json_text(std::string(128, '~')));
  taken("user_agent_suffix", R"("")", "null");
  refused("user_agent_suffix", json_text(std::string(129, 'x')),
          "This must have at most 128 characters.");
  for (const std::string value : {R"("a\r\nX: y")", R"("a\nb")", R"("\u0000")",
                                  R"("a\tb")", R"("\u007f")", R"("\u00e9")"})
    refused("user_agent_suffix", value, "This must be printable ASCII.");
  refused("user_agent_suffix", "5", "This must be a text.");
}

// -- headers ------------------------------------------------------------------

TEST_F(RestDelivery, TakesHeaders) {
  taken("headers", R"({"Authorization":"Bearer a.b-c","x-tenant":"7",)"
                   R"("X_!#$%&'*+-.^`|~":""})");
  taken("headers", R"({"X-Spaced":"a b\tc"})");
  EXPECT_EQ(stored().headers.front().name, "X-Spaced");
}

TEST_F(RestDelivery, ReservesHeadersInAnyCase) {
  for (const std::string name : {"Accept-Encoding",
                                 "Connection",
                                 "Content-Encoding",
                                 "Content-Length",
                                 "Content-Type",
                                 "Date",
                                 "Expect",
                                 "Host",
                                 "Keep-Alive",
                                 "TE",
                                 "Trailer",
                                 "Transfer-Encoding",
                                 "Traceparent",
                                 "Tracestate",
                                 "Upgrade",
                                 "User-Agent",
                                 "Via",
                                 "HTTP2-Settings",
                                 "Webhook-Id",
                                 "Webhook-Timestamp",
                                 "Webhook-Signature",
                                 "Webhook-Anything",
                                 "Proxy-Authorization",
                                 "Proxy-Connection"}) {
    std::string lower = name;
    std::string upper = name;
    for (auto& c : lower)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (auto& c : upper)
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    for (const auto& one : {name, lower, upper}) {
      refused("headers", with(one, R"("x")"),
              "The header \"" + one
                + "\" is reserved: Fanfare sets it, or it must not be set.");
      refused("signing", with("legacy", with("header", json_text(one))),
              "header: The header \"" + one
                + "\" is reserved: Fanfare sets it, or it must not be set.");
    }
  }
}

TEST_F(RestDelivery, LetsNoHeaderEndItsLine) {
  for (const std::string name :
       {"", "X A", "X:", "X\r\nY", "X\n", "X\r", "X\t", "X(", "X\"", "X/Y",
        "X\x7f", "X\xc3\xa9", "{}", "X,Y", "X;"})
    refused_for("headers", with(name, R"("x")"), "is no name of a header");
  refused_for("headers", R"({"X\u0000":"x"})", "is no name of a header");
  for (const std::string value : {R"("a\r\nX: y")", R"("a\nb")", R"("a\rb")",
                                  R"("a\u0000b")", R"("\u0001")", R"("\u001f")",
                                  R"("\u007f")", R"("\u00e9")", R"("\u2028")"})
    refused("headers", with("X-A", value),
            "The value of \"X-A\" must be visible ASCII characters, spaces and "
            "tabs.");
  for (const std::string value : {R"(" a")", R"("a ")", R"("\ta")", R"("a\t")"})
    refused("headers", with("X-A", value),
            "The value of \"X-A\" must not begin or end with a space.");
  for (const std::string value : {"5", "null", "true", "[]", "{}"})
    refused("headers", with("X-A", value),
            "The value of \"X-A\" must be a text.");
}

TEST_F(RestDelivery, LimitsHeaders) {
  const auto many = [](int count, const std::string& value) {
    std::string out = "{";
    for (int i = 0; i < count; ++i)
      out += (i > 0 ? "," : "") + json_text("X-" + std::to_string(10 + i)) + ':'
           + json_text(value);
    return out + '}';
  };
  taken("headers", many(32, "v"));
  refused("headers", many(33, "v"), "Must have at most 32 headers.");
  taken("headers", with(std::string(128, 'n'), R"("v")"));
  refused("headers", with(std::string(129, 'n'), R"("v")"),
          "The name of a header must have at most 128 characters.");
  taken("headers", with("X-A", json_text(std::string(4096, 'v'))));
  refused("headers", with("X-A", json_text(std::string(4097, 'v'))),
          "The value of \"X-A\" must have at most 4096 characters.");
  // Each has 4 characters of its name, ": " and an end of line.
  taken("headers", many(16, std::string(1024 - 8, 'v')));
  refused("headers", many(16, std::string(1024 - 7, 'v')),
          "All headers together must have at most 16384 bytes.");
}

TEST_F(RestDelivery, TakesEachHeaderOnce) {
  refused("headers", R"({"X-Tenant":"1","x-tenant":"2"})",
          "\"x-tenant\" is given twice.");
}

TEST_F(RestDelivery, SealsHeaders) {
  use_key();
  const auto changed = change(
    R"({"headers":{"Authorization":"Bearer secret"}})");
  EXPECT_EQ(changed.header("Cache-Control"), "no-store");
  EXPECT_EQ(shown("headers"), R"({"Authorization":"Bearer secret"})");
  EXPECT_EQ(get(settings).header("Cache-Control"), "no-store");
  const auto& sealed = stored().headers.front().value;
  EXPECT_TRUE(protocol::vault::is_encrypted(sealed.bytes()));
  EXPECT_THAT(sealed.bytes(), Not(HasSubstr("secret")));
  EXPECT_EQ(*engine.reveal(sealed), "Bearer secret");
}

TEST_F(RestDelivery, KeepsWhatNoKeyOpens) {
  use_key();
  const certificate_authority authority;
  const auto mine = authority.good();
  const auto changed = change(
    R"({"headers":{"Authorization":"Bearer secret"},)"
    R"("proxy":"http://user:s3cret@proxy.example:3128",)"
    R"("tls":{"client_certificate":)"
    + json_text(mine.certificate_pem) + R"(,"client_key":)"
    + json_text(mine.key_pem) + "}}");
  ASSERT_EQ(changed.status, 200) << changed.body;
  const auto before = stored();
  engine.seals = {};
  EXPECT_EQ(shown("headers"), R"({"Authorization":"***"})");
  EXPECT_EQ(shown("proxy"), R"("***")");
  const auto all = get(settings).body;
  EXPECT_EQ(change(all).body, all);
  EXPECT_EQ(stored(), before);
  EXPECT_EQ(change(R"({"headers":{"authorization":"***","X-A":"***"}})").status,
            200);
  EXPECT_EQ(stored().headers.front().value, before.headers.front().value);
  refused_for("tls", R"({"client_key":"***"})", "key");
  refused_for("proxy", R"("http://user:***@proxy.example:3128")",
              "The password of another proxy is not known: send it.");
  use_key();
  EXPECT_EQ(shown("proxy"), R"("http://user:***@proxy.example:3128")");
}

TEST_F(RestDelivery, TakesHeadersThatLookMasked) {
  taken("headers", R"({"X-A":"***"})");
  taken("headers", R"({"X-A":"1"})");
  taken("headers", R"({"X-A":"***"})");
}

TEST_F(RestDelivery, KeepsNoHeaderUnderAnIdempotencyKey) {
  use_key();
  const auto plain = change(R"({"max_age":60})", {{"idempotency-key", "a"}});
  EXPECT_EQ(plain.header("Cache-Control"), "");
  EXPECT_EQ(engine.kept.size(), 1U);
  const auto secret = change(R"({"headers":{"X-Key":"secret"}})",
                             {{"idempotency-key", "b"}});
  EXPECT_EQ(secret.status, 200);
  EXPECT_EQ(engine.kept.size(), 1U);
}

// -- signing ------------------------------------------------------------------

TEST_F(RestDelivery, SignsByOneOfThreeWays) {
  for (const std::string one : {"hmac-sha256", "ed25519", "none"})
    taken("signing", with("algorithm", json_text(one)),
          R"({"algorithm":")" + one + R"(","legacy":null})");
  taken("signing", "{}", R"({"algorithm":"hmac-sha256","legacy":null})");
  for (const std::string one : {R"("HMAC-SHA256")", R"("")", "null", "true"})
    refused("signing", with("algorithm", one),
            R"(algorithm must be "hmac-sha256", "ed25519" or "none".)");
}

TEST_F(RestDelivery, SignsTheLegacyWayToo) {
  const auto whole = [](const std::string& legacy) {
    return R"({"algorithm":"hmac-sha256","legacy":)" + legacy + '}';
  };
  for (const std::string hash : {"sha1", "sha256", "sha512"})
    for (const std::string encoding : {"hex", "base64"})
      taken(
        "signing",
        whole(
          R"({"header":"X-Hub-Signature-256","hash":")" + hash
          + R"(","encoding":")" + encoding
          + R"(","prefix":"sha256=","template":"{id}.{timestamp}.{body}"})"));
  taken("signing", whole("null"));
  const std::string prefix = R"({"header":"X-S","prefix":)";
  const std::string content = R"({"header":"X-S","template":)";
  const auto refused_legacy = [&](const std::string& legacy,
                                  const std::string& sentence) {
    refused("signing", whole(legacy), sentence);
  };
  EXPECT_EQ(change(with("signing",
                        whole(prefix + json_text(std::string(64, '=')) + '}')))
              .status,
            200);
  refused_legacy(prefix + json_text(std::string(65, '=')) + '}',
                 "prefix must have at most 64 characters.");
  refused_legacy(prefix + R"("a\r\n"})", "prefix must be printable ASCII.");
  refused_legacy(prefix + "5}", "prefix must be a text.");
  const auto body = [](std::size_t size) {
    return json_text(std::string(size - 6, 'x') + "{body}");
  };
  EXPECT_EQ(change(with("signing", whole(content + body(256) + '}'))).status,
            200);
  refused_legacy(content + body(257) + '}',
                 "template must have at most 256 characters.");
  refused_legacy(content + R"("{id}"})",
                 "template must contain {body}; {id} and {timestamp} are "
                 "replaced as well.");
  refused_legacy("{}", "legacy must name its header.");
  refused_legacy(R"({"hash":"sha1"})", "legacy must name its header.");
  refused_legacy(R"({"header":"X S"})",
                 "header: \"X S\" is no name of a header: use letters, digits "
                 "and hyphens.");
  refused_legacy(R"({"header":"X-S","hash":"md5"})",
                 R"(hash must be "sha1", "sha256" or "sha512".)");
  refused_legacy(R"({"header":"X-S","encoding":"HEX"})",
                 R"(encoding must be "hex" or "base64".)");
  refused_legacy("true", "legacy must be an object.");
  for (const std::string algorithm : {"ed25519", "none"})
    refused("signing",
            R"({"algorithm":")" + algorithm + R"(","legacy":{"header":"X-S"}})",
            "legacy needs the algorithm hmac-sha256.");
}

TEST_F(RestDelivery, HasNoLegacyHeaderTwice) {
  const std::string sentence = "The header \"X-Sign\" of the legacy "
                               "signature is among \"headers\".";
  EXPECT_EQ(change(R"({"headers":{"x-sign":"1"},)"
                   R"("signing":{"legacy":{"header":"X-Sign"}}})")
              .body,
            fault("signing", sentence));
  EXPECT_EQ(stored(), delivery_settings{});
  taken("headers", R"({"x-sign":"1"})");
  refused("signing", R"({"legacy":{"header":"X-Sign"}})", sentence);
  EXPECT_EQ(
    change(R"({"headers":{},"signing":{"legacy":{"header":"X-Sign"}}})").status,
    200);
  const auto before = stored();
  EXPECT_EQ(change(R"({"headers":{"X-SIGN":"1"}})").body,
            fault("signing", sentence));
  EXPECT_EQ(stored(), before);
}

// -- filters ------------------------------------------------------------------

TEST_F(RestDelivery, TakesFilters) {
  for (const std::string filter :
       {"{}", R"({"type":"entry"})", R"({"checkin_list":{"$in":[1,2]}})",
        R"({"$or":[{"gate":{"$exists":false}},{"gate":{"$startsWith":"A"}}]})",
        R"({"a.b":{"c":null},"d":1.5})"})
    taken("filter", filter);
  EXPECT_NE(engine.hooks.front().filter, "");
  taken("filter", "null");
  EXPECT_EQ(engine.hooks.front().filter, "");
}

TEST_F(RestDelivery, RefusesFiltersByTheirPlace) {
  taken("filter", R"({"type":"entry"})");
  refused("filter", R"({"checkin_list":{"$in":1}})",
          "checkin_list.$in must be a list.");
  refused_for("filter", "[]", "must be an object of conditions.");
  refused_for("filter", R"({"a":{"b":{"$regex":"x"}}})",
              "Unknown operator \"$regex\" at a.b");
  refused_for("filter", R"({"a":{"$gt":true}})",
              "a.$gt must be a number or a text.");
  refused_for("filter", R"({"a":{"$exists":1}})",
              "a.$exists must be true or false.");
  refused_for("filter", R"({"$or":[]})",
              "$or must be a list with at least one object.");
  refused_for("filter", R"({"$or":[{"a":{"$in":{}}}]})",
              "$or[0].a.$in must be a list.");
  refused_for("filter", R"({"a":{"$eq":1,"b":2}})",
              "a must hold either operators or plain keys, not both.");
  refused_for("filter", with("a", json_text(std::string(16 * 1024, 'x'))),
              "is longer than 16384 bytes");
  refused_for("filter", with("a", with("$in", list_of(600, "1"))), "512");
  std::string deep = "1";
  for (int i = 0; i < 20; ++i)
    deep = with("a", deep);
  refused_for("filter", deep, "nested deeper than 16 levels");
  EXPECT_EQ(shown("filter"), R"({"type":"entry"})");
}

TEST_F(RestDelivery, PreviewsFilters) {
  const auto path = hook + "filter/preview/";
  engine.preview.looked_at = 3;
  for (const position id : {3U, 1U}) {
    auto n = std::make_shared<notification>();
    n->id = id;
    n->published = timestamp{1s};
    n->action = "pretix.event.checkin";
    engine.preview.passed.push_back(std::move(n));
  }
  const auto found = ask("POST", path, R"({"filter":{"type":"entry"}})");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(
    found.body,
    R"({"looked_at":3,"count":2,"notifications":[)"
    R"({"notification_id":3,"datetime":"1970-01-01T00:00:01.000Z","action_type":"pretix.event.checkin"},)"
    R"({"notification_id":1,"datetime":"1970-01-01T00:00:01.000Z","action_type":"pretix.event.checkin"}]})");
  EXPECT_TRUE(found.blocking);
  EXPECT_NE(engine.previewed, "");
  EXPECT_EQ(engine.hooks.front().filter, ""); // it stays as it is
  EXPECT_EQ(ask("POST", path, R"({"filter":null})").status, 200);
  EXPECT_EQ(engine.previewed, "");

  EXPECT_EQ(ask("POST", path, "{}").body,
            fault("filter", "This field is required."));
  EXPECT_EQ(ask("POST", path, R"({"filter":{"a":{"$in":1}},"x":1})").body,
            R"({"filter":["a.$in must be a list."],"x":["Unknown key."]})");
  EXPECT_EQ(ask("POST", path, "[]").status, 400);
  EXPECT_EQ(ask("GET", path).status, 405);
  EXPECT_EQ(ask("POST", path, R"({"filter":null})", "publisher").status, 403);
  EXPECT_EQ(ask("POST", path, R"({"filter":null})", "theirs").status, 403);
  EXPECT_EQ(
    ask("POST", std::string{hooks_path} + "77/filter/preview/", "{}").status,
    404);
}

// -- papers and proxies -------------------------------------------------------

class RestDeliveryTls : public RestDelivery {
protected:
  std::string papers(const std::string& certificate, const std::string& key) {
    return R"({"client_certificate":)" + certificate + R"(,"client_key":)" + key
         + '}';
  }

  certificate_authority authority;
  certificate mine = authority.good();
  certificate another = authority.good();
  std::string shown_papers = R"({"ca":null,"client_certificate":)"
                           + json_text(mine.certificate_pem)
                           + R"(,"client_key":"***"})";
};

TEST_F(RestDeliveryTls, ShowsNoKeyAndKeepsItSealed) {
  use_key();
  const auto changed = change(with(
    "tls", papers(json_text(mine.certificate_pem), json_text(mine.key_pem))));
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_THAT(changed.body, Not(HasSubstr("PRIVATE KEY")));
  EXPECT_EQ(shown("tls"), shown_papers);
  const auto& sealed = stored().tls->key;
  EXPECT_TRUE(protocol::vault::is_encrypted(sealed.bytes()));
  EXPECT_THAT(sealed.bytes(), Not(HasSubstr("PRIVATE KEY")));
  EXPECT_EQ(*engine.reveal(sealed), mine.key_pem);
}

TEST_F(RestDeliveryTls, KeepsTheKeyThatIsSentBackMasked) {
  taken("tls", papers(json_text(mine.certificate_pem), json_text(mine.key_pem)),
        shown_papers);
  const auto sealed = stored().tls->key;
  taken("tls", shown_papers);
  EXPECT_EQ(stored().tls->key, sealed);
  const auto with_ca = R"({"ca":)" + json_text(authority.pem())
                     + R"(,"client_certificate":)"
                     + json_text(mine.certificate_pem)
                     + R"(,"client_key":"***"})";
  taken("tls", with_ca);
  EXPECT_EQ(stored().tls->key, sealed);
  // It still has to belong to the certificate.
  refused_for("tls", papers(json_text(another.certificate_pem), R"("***")"),
              "does not belong to the client certificate");
  taken("tls", "null");
  refused("tls", papers(json_text(mine.certificate_pem), R"("***")"),
          "There is no client_key to be kept: send it.");
  taken("tls", R"({"ca":null})",
        R"({"ca":null,"client_certificate":null,"client_key":null})");
  refused("tls", papers(json_text(mine.certificate_pem), R"("***")"),
          "There is no client_key to be kept: send it.");
}

TEST_F(RestDeliveryTls, RefusesGarbageWithASentence) {
  refused_for("tls", with("ca", R"("garbage")"), "the certificate authorities");
  refused_for("tls", papers(R"("garbage")", json_text(mine.key_pem)),
              "the client certificate");
  refused_for("tls", papers(json_text(mine.certificate_pem), R"("garbage")"),
              "the client key");
  refused_for("tls", papers(json_text(mine.certificate_pem), "null"),
              "its private key is missing");
  refused_for("tls", papers("null", json_text(mine.key_pem)),
              "its certificate is missing");
  refused_for(
    "tls", papers(json_text(mine.certificate_pem), json_text(another.key_pem)),
    "does not belong to the client certificate");
  for (const std::string name : {"ca", "client_certificate", "client_key"}) {
    const auto sentence = name
                        + " must be a PEM text of at most 65536 bytes, or "
                          "null.";
    refused("tls", with(name, "5"), sentence);
    refused("tls", with(name, "[]"), sentence);
    refused("tls", with(name, json_text(std::string(64 * 1024 + 1, 'x'))),
            sentence);
  }
  refused_for("tls", with("ca", json_text(std::string(64 * 1024, 'x'))),
              "the certificate authorities");
  taken("tls", "{}",
        R"({"ca":null,"client_certificate":null,"client_key":null})");
}

TEST_F(RestDelivery, TakesProxies) {
  taken("proxy", R"("http://proxy.example:3128")");
  taken("proxy", R"("socks5://127.0.0.1:1080")");
  taken("proxy", R"("HTTP://Proxy.Example:3128/")",
        R"("http://proxy.example:3128")");
  refused("proxy", R"("")", "Must be a URL, or null.");
  refused("proxy", "5", "This must be a text.");
  refused("proxy", R"("https://proxy.example:1")",
          "not a proxy that can be used: write http://HOST:PORT or "
          "socks5://HOST:PORT");
  refused("proxy", R"("http://proxy.example")",
          "the port of the proxy is missing: write HOST:PORT");
  refused("proxy", R"("http://proxy.example:1/path")",
          "nothing may come behind the port of the proxy");
  refused_for("proxy", R"("http://a b:1")", "the proxy cannot be used");
  refused("proxy", R"("http://a\r\n:1")", "This must be printable ASCII.");
  refused("proxy", json_text("http://" + std::string(1024, 'a') + ":1"),
          "This must have at most 1024 characters.");
}

TEST_F(RestDelivery, MasksThePasswordOfAProxy) {
  use_key();
  const std::string url = "http://user:s3cret@proxy.example:3128";
  const std::string masked = R"("http://user:***@proxy.example:3128")";
  taken("proxy", json_text(url), masked);
  EXPECT_THAT(get(settings).body, Not(HasSubstr("s3cret")));
  EXPECT_THAT(stored().proxy.bytes(), Not(HasSubstr("s3cret")));
  taken("proxy", masked);
  EXPECT_EQ(*engine.reveal(stored().proxy), url);
  for (const std::string url_of_another :
       {"http://user:***@other.example:3128", "http://user:***@proxy.example:1",
        "http://someone:***@proxy.example:3128",
        "socks5://user:***@proxy.example:3128"})
    refused("proxy", json_text(url_of_another),
            "The password of another proxy is not known: send it.");
  taken("proxy", R"("http://user:new@proxy.example:3128")", masked);
  EXPECT_EQ(*engine.reveal(stored().proxy),
            "http://user:new@proxy.example:3128");
  taken("proxy", R"("http://user@proxy.example:3128")");
  refused("proxy", masked,
          "The password of another proxy is not known: send it.");
  taken("proxy", "null");
  refused("proxy", masked,
          "The password of another proxy is not known: send it.");
}

// -- inside of webhooks -------------------------------------------------------

TEST_F(RestDelivery, IsTakenInsideOfAWebhookAndNeverShownThere) {
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
  EXPECT_EQ(engine.hooks.size(), 2U);
}

// -- secrets ------------------------------------------------------------------

class RestSecret : public RestDelivery {
protected:
  RestSecret() {
    auto& s = engine.secrets[1];
    s.secret = "whsec_b2xk";
    s.created = timestamp{1s};
  }

  reply rotate(std::string_view body = {}, headers more = {}) {
    return ask("POST", secret + "rotate/", body, "hooks", std::move(more));
  }

  std::string secret = hook + "secret/";
};

TEST_F(RestSecret, IsShownAndKeptByNobody) {
  const auto found = get(secret);
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body,
            R"({"secret":"whsec_b2xk","algorithm":"hmac-sha256",)"
            R"("public_key":null,"created":"1970-01-01T00:00:01.000Z",)"
            R"("previous_until":null})");
  EXPECT_EQ(found.header("Cache-Control"), "no-store");
  engine.secrets[1] = {.algorithm = signing_algorithm::ed25519,
                       .secret = {},
                       .public_key = "whpk_cHVi",
                       .created = timestamp{1s},
                       .previous_until = timestamp{2s}};
  EXPECT_EQ(get(secret).body,
            R"({"secret":null,"algorithm":"ed25519",)"
            R"("public_key":"whpk_cHVi","created":"1970-01-01T00:00:01.000Z",)"
            R"("previous_until":"1970-01-01T00:00:02.000Z"})");
  engine.secrets.clear();
  const auto unsigned_one = get(secret);
  EXPECT_EQ(unsigned_one.status, 404);
  EXPECT_EQ(unsigned_one.header("Cache-Control"), "no-store");
  // As from a vault without the right key: not the fault of who asks.
  engine.secret_error = error{ec::invalid_argument, "Give the key."};
  EXPECT_EQ(get(secret).status, 500);
}

TEST_F(RestSecret, IsOfItsOrganizerOnly) {
  EXPECT_EQ(ask("GET", secret, {}, "publisher").status, 403);
  EXPECT_EQ(ask("GET", secret, {}, "theirs").status, 403);
  EXPECT_EQ(ask("GET", secret, {}, "boss").status, 200);
  EXPECT_EQ(get(std::string{hooks_path} + "77/secret/").status, 404);
  EXPECT_EQ(ask("POST", secret, "{}").status, 405);
  EXPECT_EQ(get(secret + "rotate/").status, 405);
  EXPECT_EQ(ask("POST", secret + "rotate/", "{}", "publisher").status, 403);
}

TEST_F(RestSecret, IsRotated) {
  const auto fresh = rotate();
  EXPECT_EQ(fresh.status, 200);
  EXPECT_EQ(fresh.json().at("secret"), "whsec_bmV3");
  EXPECT_EQ(fresh.header("Cache-Control"), "no-store");
  EXPECT_EQ(get(secret).json().at("secret"), "whsec_bmV3");
  EXPECT_EQ(engine.rotations.back().secret, "");
  EXPECT_EQ(engine.rotations.back().overlap, 24h);
  EXPECT_EQ(rotate(R"({"secret":null,"overlap":null})").status, 200);
  EXPECT_EQ(engine.rotations.back().overlap, 24h);
  EXPECT_EQ(
    rotate(R"({"secret":"whsec_b3du","overlap":0.5})").json().at("secret"),
    "whsec_b3du");
  EXPECT_EQ(engine.rotations.back().secret, "whsec_b3du");
  EXPECT_EQ(engine.rotations.back().overlap, 500ms);
  for (const auto& [sent, stored] :
       {std::pair{"0", 0ms}, std::pair{"2592000", 2'592'000'000ms}}) {
    EXPECT_EQ(rotate(with("overlap", sent)).status, 200);
    EXPECT_EQ(engine.rotations.back().overlap, stored);
  }
}

TEST_F(RestSecret, IsNotRotatedByWhatIsWrong) {
  for (const std::string value :
       {"-0.001", "2592000.001", "1e999", R"("60")", "true", "[]"})
    EXPECT_EQ(rotate(with("overlap", value)).body,
              fault("overlap", "Must be a number of seconds from 0 to "
                               "2592000."))
      << value;
  for (const std::string value : {R"("")", "5", "true", "[]", "{}"})
    EXPECT_EQ(rotate(with("secret", value)).body,
              fault("secret", "Must be a secret that begins with whsec_ or "
                              "whsk_, or null for a new one."))
      << value;
  EXPECT_EQ(rotate(R"({"colour":1,"overlap":-1})").body,
            R"({"colour":["Unknown key."],)"
            R"("overlap":["Must be a number of seconds from 0 to 2592000."]})");
  EXPECT_EQ(rotate("[]").status, 400);
  EXPECT_TRUE(engine.rotations.empty());
  // The wrong kind, as the engine says it.
  engine.rotation_error = error{ec::invalid_argument, "A sentence.", "secret"};
  const auto wrong = rotate(R"({"secret":"whsk_b3du"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.body, fault("secret", "A sentence."));
  EXPECT_EQ(wrong.header("Cache-Control"), "no-store");
  engine.rotation_error = error{ec::conflict, "Not signed."};
  EXPECT_EQ(rotate().status, 409);
}

TEST_F(RestSecret, IsNotKeptUnderAnIdempotencyKey) {
  for (const std::string name : {"idempotency-key", "x-idempotency-key"}) {
    EXPECT_EQ(rotate("{}", {{name, "a"}}).status, 200);
    EXPECT_EQ(rotate("{}", {{name, "a"}}).status, 200);
  }
  EXPECT_EQ(engine.rotations.size(), 4U);
  EXPECT_TRUE(engine.kept.empty());
}

// -- networks -----------------------------------------------------------------

class RestNetworks : public RestTest {
protected:
  reply change(std::string_view body, std::string_view key = "root") {
    return ask("PATCH", path, body, key);
  }

  std::string path = "/api/v1/organizers/dummy/networks/";
};

TEST_F(RestNetworks, AreTheServersAdminsOnly) {
  for (const std::string key : {"hooks", "publisher", "boss", "theirs"})
    for (const std::string method : {"GET", "HEAD", "OPTIONS", "PATCH"})
      EXPECT_EQ(ask(method, path, method == "PATCH" ? "{}" : "", key).status,
                403)
        << key << ' ' << method;
  EXPECT_EQ(ask("GET", path, {}, {}).status, 401);
  for (const std::string method : {"GET", "HEAD", "OPTIONS"})
    EXPECT_EQ(ask(method, path, {}, "root").status, 200) << method;
  EXPECT_EQ(ask("PUT", path, "{}", "root").status, 405);
  EXPECT_EQ(
    ask("GET", "/api/v1/organizers/nobody/networks/", {}, "root").status, 403);
}

TEST_F(RestNetworks, AreShownInTheirCanonicalForm) {
  EXPECT_EQ(ask("GET", path, {}, "root").body, R"({"allow":[],"deny":[]})");
  const auto changed = change(
    R"({"allow":["10.0.0.0/8","192.0.2.7","2001:DB8:0::/32","::1"],)"
    R"("deny":["10.1.0.0/16"]})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(
    changed.body,
    R"({"allow":["10.0.0.0/8","192.0.2.7/32","2001:db8::/32","::1/128"],)"
    R"("deny":["10.1.0.0/16"]})");
  EXPECT_EQ(ask("GET", path, {}, "root").body, changed.body);
  EXPECT_EQ(engine.known_organizers[0].allow_networks.size(), 4U);
  EXPECT_TRUE(engine.known_organizers[1].allow_networks.empty());
  // Each list is replaced as a whole, or left.
  EXPECT_EQ(change(R"({"allow":[]})").body,
            R"({"allow":[],"deny":["10.1.0.0/16"]})");
  EXPECT_EQ(change("{}").body, R"({"allow":[],"deny":["10.1.0.0/16"]})");
}

TEST_F(RestNetworks, AreRefusedByWhatIsWrong) {
  for (const std::string bad :
       {R"("")", R"("10.0.0.0/33")", R"("10.0.0.0/")", R"("10.0.0.0/-1")",
        R"("example.com")", R"("10.0.0")", R"("::/129")", R"("fe80::1%eth0")",
        R"("10.0.0.1/8")", R"(" 10.0.0.0/8")", "5", "null", "{}"}) {
    const auto answer = change(R"({"allow":["10.0.0.0/8",)" + bad + "]}");
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_THAT(answer.body, HasSubstr("is not a network")) << bad;
  }
  for (const std::string value : {R"("10.0.0.0/8")", "null", "{}", "5"})
    EXPECT_EQ(
      change(with("deny", value)).body,
      fault("deny", "Must be a list of networks such as \"10.0.0.0/8\"."));
  const auto all = change(R"({"allow":5,"deny":["x"],"colour":1})").json();
  EXPECT_EQ(all.as_object().size(), 3U);
  EXPECT_EQ(change("[]").status, 400);
  EXPECT_EQ(change(with("allow", list_of(257, R"("10.0.0.0/8")"))).body,
            fault("allow", "Must have at most 256 networks."));
  EXPECT_TRUE(engine.known_organizers[0].allow_networks.empty());
  EXPECT_EQ(change(with("allow", list_of(256, R"("10.0.0.0/8")"))).status, 200);
}

// -- what is told of deliveries -----------------------------------------------

TEST_F(RestDelivery, HealthTellsTheStateOfDelivery) {
  const auto path = hook + "health/";
  const auto idle = get(path).json();
  EXPECT_EQ(
    compact(idle.at("breaker")),
    R"({"state":"closed","failures":0,"failing_since":null,"until":null})");
  EXPECT_EQ(idle.at("held_by"), nullptr);
  EXPECT_EQ(idle.at("in_flight"), 0);
  auto& state = engine.states[1];
  state = {.breaker = delivery_state::breaker_state::open,
           .failures = 7,
           .failing_since = timestamp{1s},
           .breaker_until = timestamp{2s},
           .held_by = hold_reason::breaker,
           .held_until = timestamp{2s},
           .in_flight = 3,
           .concurrency = 4,
           .certificate_expires = timestamp{5s}};
  const auto open = get(path).json();
  EXPECT_EQ(compact(open.at("breaker")),
            R"({"state":"open","failures":7,)"
            R"("failing_since":"1970-01-01T00:00:01.000Z",)"
            R"("until":"1970-01-01T00:00:02.000Z"})");
  EXPECT_EQ(open.at("held_until"), "1970-01-01T00:00:02.000Z");
  EXPECT_EQ(open.at("in_flight"), 3);
  EXPECT_EQ(open.at("concurrency"), 4);
  EXPECT_EQ(open.at("certificate_expires"), "1970-01-01T00:00:05.000Z");
  state.breaker = delivery_state::breaker_state::half_open;
  EXPECT_EQ(get(path).json().at("breaker").at("state"), "half_open");
  const std::pair<hold_reason, std::string> names[] = {
    {hold_reason::pause, "pause"},
    {hold_reason::order, "order"},
    {hold_reason::breaker, "breaker"},
    {hold_reason::retry_after, "retry_after"},
    {hold_reason::rate, "rate"},
    {hold_reason::batch, "batch"},
    {hold_reason::concurrency, "concurrency"}};
  for (const auto& [why, name] : names) {
    state.held_by = why;
    EXPECT_EQ(text_of(get(path).json().at("held_by")), name);
  }
}

TEST_F(RestDelivery, HealthDoesWithoutTheStateOfDelivery) {
  engine.inspection_error = error{ec::stopping, "The server is stopping."};
  const auto found = get(hook + "health/");
  EXPECT_EQ(found.status, 200);
  const auto said = found.json();
  for (const auto* key : {"held_by", "held_until", "in_flight", "concurrency",
                          "certificate_expires"})
    EXPECT_EQ(said.at(key), nullptr) << key;
  EXPECT_EQ(
    compact(said.at("breaker")),
    R"({"state":null,"failures":null,"failing_since":null,"until":null})");
}

TEST_F(RestDelivery, ExplanationsNameTheFilterAndWhatHolds) {
  ask("POST", "/api/v1/organizers/dummy/notifications/",
      R"({"action":"pretix.event.added"})", "publisher");
  const auto explained = [&] {
    return get("/api/v1/organizers/dummy/notifications/1/")
      .json()
      .at("webhooks")
      .at(0);
  };
  engine.why.failed = explanation::rule::filter;
  auto said = explained();
  EXPECT_EQ(said.at("rule"), "filter");
  EXPECT_EQ(said.at("matched"), false);
  EXPECT_EQ(said.at("held_by"), nullptr);
  engine.why = {};
  engine.why.state = explanation::fate::waiting;
  const std::pair<hold_reason, std::string> names[] = {
    {hold_reason::none, "queue"},
    {hold_reason::pause, "pause"},
    {hold_reason::order, "order"},
    {hold_reason::breaker, "breaker"},
    {hold_reason::retry_after, "retry_after"},
    {hold_reason::rate, "rate"},
    {hold_reason::batch, "batch"},
    {hold_reason::concurrency, "queue"}};
  for (const auto& [why, name] : names) {
    engine.why.held_by = why;
    EXPECT_EQ(text_of(explained().at("held_by")), name);
  }
  engine.why.state = explanation::fate::retrying;
  engine.why.due = std::chrono::floor<std::chrono::milliseconds>(
                     std::chrono::system_clock::now())
                 + 1h;
  EXPECT_EQ(explained().at("held_by"), "backoff");
  engine.why.due = timestamp{1s};
  engine.why.held_by = hold_reason::pause;
  EXPECT_EQ(explained().at("held_by"), "pause");
}

TEST_F(RestDelivery, CallsHaveTheTraceOfThePublish) {
  const std::string
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto publish = [&](headers more) {
    const auto answer = ask("POST", "/api/v1/organizers/dummy/notifications/",
                            R"({"action":"pretix.event.added"})", "publisher",
                            std::move(more));
    EXPECT_EQ(answer.status, 202) << answer.body;
    return engine.journal.back();
  };
  const auto traced = publish(
    {{"traceparent", parent}, {"tracestate", "a=1,b=2"}});
  EXPECT_EQ(traced->trace, parent + "\na=1,b=2");
  engine.log.push_back({.id = 1, .hook = 1, .subject = traced->id});
  auto call = get(hook + "calls/1/").json();
  EXPECT_EQ(text_of(call.at("traceparent")), parent);
  EXPECT_EQ(call.at("tracestate"), "a=1,b=2");
  EXPECT_EQ(publish({{"traceparent", parent}})->trace, parent);
  engine.log.push_back({.id = 2, .hook = 1, .subject = 2});
  EXPECT_EQ(get(hook + "calls/2/").json().at("tracestate"), nullptr);
  // What is malformed counts as absent, and so does a state by itself.
  for (const std::string& bad :
       {std::string{}, std::string{"x"}, parent + "-x", parent + "0",
        "ff" + parent.substr(2),
        "00-" + std::string(32, '0') + parent.substr(35),
        parent.substr(0, 36) + std::string(16, '0') + "-01",
        std::string{"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"}})
    EXPECT_EQ(publish({{"traceparent", bad}, {"tracestate", "a=1"}})->trace, "")
      << bad;
  EXPECT_EQ(publish({{"tracestate", "a=1"}})->trace, "");
  EXPECT_EQ(
    publish({{"traceparent", parent}, {"tracestate", std::string(513, 'x')}})
      ->trace,
    parent);
  engine.log.push_back({.id = 3, .hook = 1, .subject = 3});
  call = get(hook + "calls/3/").json();
  EXPECT_EQ(call.at("traceparent"), nullptr);
  EXPECT_EQ(call.at("tracestate"), nullptr);
}

} // namespace
} // namespace fanfare::test
