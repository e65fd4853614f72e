// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Settings of what is sent: headers, signatures, filters.

#include "tests/protocol/rest/delivery_test.hpp"
#include "tests/support/certs.hpp"

#include <cctype>

namespace fanfare::test {
namespace {

// -- headers ------------------------------------------------------------------

TEST_F(RestDeliveryTest, TakesHeaders) {
  taken("headers", R"({"Authorization":"Bearer a.b-c","x-tenant":"7",)"
                   R"("X_!#$%&'*+-.^`|~":""})");
  taken("headers", R"({"X-Spaced":"a b\tc"})");
  EXPECT_EQ(stored().headers.front().name, "X-Spaced");
}

TEST_F(RestDeliveryTest, ReservesHeadersInAnyCase) {
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

TEST_F(RestDeliveryTest, LetsNoHeaderEndItsLine) {
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

TEST_F(RestDeliveryTest, LimitsHeaders) {
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

TEST_F(RestDeliveryTest, TakesEachHeaderOnce) {
  refused("headers", R"({"X-Tenant":"1","x-tenant":"2"})",
          "\"x-tenant\" is given twice.");
}

TEST_F(RestDeliveryTest, SealsHeaders) {
  use_key();
  const auto changed = change(
    R"({"headers":{"Authorization":"Bearer secret"}})");
  EXPECT_EQ(changed.header("Cache-Control"), "no-store");
  EXPECT_EQ(shown("headers"), R"({"Authorization":"Bearer secret"})");
  EXPECT_EQ(get(settings).header("Cache-Control"), "no-store");
  const auto& sealed = stored().headers.front().value;
  EXPECT_TRUE(protocol::vault::is_encrypted(sealed.bytes()));
  EXPECT_THAT(sealed.bytes(), Not(HasSubstr("secret")));
  EXPECT_EQ(*service.reveal(sealed), "Bearer secret");
}

TEST_F(RestDeliveryTest, KeepsWhatNoKeyOpens) {
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
  service.seals = {};
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

TEST_F(RestDeliveryTest, TakesHeadersThatLookMasked) {
  taken("headers", R"({"X-A":"***"})");
  taken("headers", R"({"X-A":"1"})");
  taken("headers", R"({"X-A":"***"})");
}

TEST_F(RestDeliveryTest, KeepsNoHeaderUnderAnIdempotencyKey) {
  use_key();
  const auto plain = change(R"({"max_age":60})", {{"idempotency-key", "a"}});
  EXPECT_EQ(plain.header("Cache-Control"), "");
  EXPECT_EQ(service.kept.size(), 1U);
  const auto secret = change(R"({"headers":{"X-Key":"secret"}})",
                             {{"idempotency-key", "b"}});
  EXPECT_EQ(secret.status, 200);
  EXPECT_EQ(service.kept.size(), 1U);
}

// -- signing ------------------------------------------------------------------

TEST_F(RestDeliveryTest, SignsByOneOfThreeWays) {
  for (const std::string one : {"hmac-sha256", "ed25519", "none"})
    taken("signing", with("algorithm", json_text(one)),
          R"({"algorithm":")" + one + R"(","legacy":null})");
  taken("signing", "{}", R"({"algorithm":"hmac-sha256","legacy":null})");
  for (const std::string one : {R"("HMAC-SHA256")", R"("")", "null", "true"})
    refused("signing", with("algorithm", one),
            R"(algorithm must be "hmac-sha256", "ed25519" or "none".)");
}

TEST_F(RestDeliveryTest, SignsTheLegacyWayToo) {
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

TEST_F(RestDeliveryTest, HasNoLegacyHeaderTwice) {
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

TEST_F(RestDeliveryTest, TakesFilters) {
  for (const std::string filter :
       {"{}", R"({"type":"entry"})", R"({"checkin_list":{"$in":[1,2]}})",
        R"({"$or":[{"gate":{"$exists":false}},{"gate":{"$startsWith":"A"}}]})",
        R"({"a.b":{"c":null},"d":1.5})"})
    taken("filter", filter);
  EXPECT_NE(service.hooks.front().filter, "");
  taken("filter", "null");
  EXPECT_EQ(service.hooks.front().filter, "");
}

TEST_F(RestDeliveryTest, RefusesFiltersByTheirPlace) {
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

TEST_F(RestDeliveryTest, PreviewsFilters) {
  const auto path = hook + "filter/preview/";
  service.preview.looked_at = 3;
  for (const position id : {3U, 1U}) {
    auto n = std::make_shared<notification>();
    n->id = id;
    n->published = timestamp{1s};
    n->action = "pretix.event.checkin";
    service.preview.passed.push_back(std::move(n));
  }
  const auto found = ask("POST", path, R"({"filter":{"type":"entry"}})");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(
    found.body,
    R"({"looked_at":3,"count":2,"notifications":[)"
    R"({"notification_id":3,"datetime":"1970-01-01T00:00:01.000Z","action_type":"pretix.event.checkin"},)"
    R"({"notification_id":1,"datetime":"1970-01-01T00:00:01.000Z","action_type":"pretix.event.checkin"}]})");
  EXPECT_TRUE(found.blocking);
  EXPECT_NE(service.previewed, "");
  EXPECT_EQ(service.hooks.front().filter, ""); // it stays as it is
  EXPECT_EQ(ask("POST", path, R"({"filter":null})").status, 200);
  EXPECT_EQ(service.previewed, "");

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

} // namespace
} // namespace fanfare::test
