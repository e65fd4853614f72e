// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The signing secret of a webhook.

#include "tests/protocol/rest/delivery_test.hpp"

namespace fanfare::test {
namespace {

class RestSecretTest : public RestDeliveryTest {
protected:
  RestSecretTest() {
    auto& s = service.secrets[1];
    s.secret = "whsec_b2xk";
    s.created = timestamp{1s};
  }

  reply rotate(std::string_view body = {}, headers more = {}) {
    return ask("POST", secret + "rotate/", body, "hooks", std::move(more));
  }

  std::string secret = hook + "secret/";
};

TEST_F(RestSecretTest, IsShownAndKeptByNobody) {
  const auto found = get(secret);
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body,
            R"({"secret":"whsec_b2xk","algorithm":"hmac-sha256",)"
            R"("public_key":null,"created":"1970-01-01T00:00:01.000Z",)"
            R"("previous_until":null})");
  EXPECT_EQ(found.header("Cache-Control"), "no-store");
  service.secrets[1] = {.algorithm = signing_algorithm::ed25519,
                        .secret = {},
                        .public_key = "whpk_cHVi",
                        .created = timestamp{1s},
                        .previous_until = timestamp{2s}};
  EXPECT_EQ(get(secret).body,
            R"({"secret":null,"algorithm":"ed25519",)"
            R"("public_key":"whpk_cHVi","created":"1970-01-01T00:00:01.000Z",)"
            R"("previous_until":"1970-01-01T00:00:02.000Z"})");
  service.secrets.clear();
  const auto unsigned_one = get(secret);
  EXPECT_EQ(unsigned_one.status, 404);
  EXPECT_EQ(unsigned_one.header("Cache-Control"), "no-store");
  // As from a vault without the right key: not the fault of who asks.
  service.secret_error = error{ec::invalid_argument, "Give the key."};
  EXPECT_EQ(get(secret).status, 500);
}

TEST_F(RestSecretTest, IsOfItsOrganizerOnly) {
  EXPECT_EQ(ask("GET", secret, {}, "publisher").status, 403);
  EXPECT_EQ(ask("GET", secret, {}, "theirs").status, 403);
  EXPECT_EQ(ask("GET", secret, {}, "boss").status, 200);
  EXPECT_EQ(get(std::string{hooks_path} + "77/secret/").status, 404);
  EXPECT_EQ(ask("POST", secret, "{}").status, 405);
  EXPECT_EQ(get(secret + "rotate/").status, 405);
  EXPECT_EQ(ask("POST", secret + "rotate/", "{}", "publisher").status, 403);
}

TEST_F(RestSecretTest, IsRotated) {
  const auto fresh = rotate();
  EXPECT_EQ(fresh.status, 200);
  EXPECT_EQ(fresh.json().at("secret"), "whsec_bmV3");
  EXPECT_EQ(fresh.header("Cache-Control"), "no-store");
  EXPECT_EQ(get(secret).json().at("secret"), "whsec_bmV3");
  EXPECT_EQ(service.rotations.back().secret, "");
  EXPECT_EQ(service.rotations.back().overlap, 24h);
  EXPECT_EQ(rotate(R"({"secret":null,"overlap":null})").status, 200);
  EXPECT_EQ(service.rotations.back().overlap, 24h);
  EXPECT_EQ(
    rotate(R"({"secret":"whsec_b3du","overlap":0.5})").json().at("secret"),
    "whsec_b3du");
  EXPECT_EQ(service.rotations.back().secret, "whsec_b3du");
  EXPECT_EQ(service.rotations.back().overlap, 500ms);
  for (const auto& [sent, stored] :
       {std::pair{"0", 0ms}, std::pair{"2592000", 2'592'000'000ms}}) {
    EXPECT_EQ(rotate(with("overlap", sent)).status, 200);
    EXPECT_EQ(service.rotations.back().overlap, stored);
  }
}

TEST_F(RestSecretTest, IsNotRotatedByWhatIsWrong) {
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
  EXPECT_TRUE(service.rotations.empty());
  // The wrong kind, as the engine says it.
  service.rotation_error = error{ec::invalid_argument, "A sentence.", "secret"};
  const auto wrong = rotate(R"({"secret":"whsk_b3du"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.body, fault("secret", "A sentence."));
  EXPECT_EQ(wrong.header("Cache-Control"), "no-store");
  service.rotation_error = error{ec::conflict, "Not signed."};
  EXPECT_EQ(rotate().status, 409);
}

TEST_F(RestSecretTest, IsNotKeptUnderAnIdempotencyKey) {
  for (const std::string name : {"idempotency-key", "x-idempotency-key"}) {
    EXPECT_EQ(rotate("{}", {{name, "a"}}).status, 200);
    EXPECT_EQ(rotate("{}", {{name, "a"}}).status, 200);
  }
  EXPECT_EQ(service.rotations.size(), 4U);
  EXPECT_TRUE(service.kept.empty());
}

} // namespace
} // namespace fanfare::test
