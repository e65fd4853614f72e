// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// One idempotency key, one request.

#include "protocol/rest/access/idempotency.hpp"

#include "tests/protocol/rest/rest_test.hpp"

namespace fanfare::test {
namespace {

using protocol::http_request;
using protocol::rest::fingerprint_of;

constexpr std::string_view notes = "/api/v1/organizers/dummy/notifications/";
constexpr std::string_view webhook_a =
  R"({"target_url":"https://a.com","limit_events":[],"action_types":[]})";
constexpr std::string_view webhook_b =
  R"({"target_url":"https://b.com","limit_events":[],"action_types":[]})";
constexpr std::string_view
  publication_a = R"({"action":"pretix.event.order.placed","code":"A"})";
constexpr std::string_view
  publication_b = R"({"action":"pretix.event.order.placed","code":"B"})";
constexpr std::string_view replayed = "Idempotency-Replayed";

class RestIdempotencyTest : public RestTest {
protected:
  static headers key(std::string_view text) {
    return {{"idempotency-key", std::string{text}}};
  }
  static headers compatible_key(std::string_view text) {
    return {{"x-idempotency-key", std::string{text}}};
  }
  reply publish(std::string_view body, headers more) {
    return ask("POST", notes, body, "publisher", std::move(more));
  }
};

TEST_F(RestIdempotencyTest, MarksARepeatedAnswer) {
  const auto made = post(webhook_a, key("k"));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.header(replayed), "");
  const auto again = post(webhook_a, key("k"));
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, made.body);
  EXPECT_EQ(again.header(replayed), "true");
  EXPECT_EQ(service.hooks.size(), 1U);
}

TEST_F(RestIdempotencyTest, MarksARepeatedPublish) {
  const auto first = publish(publication_a, key("k"));
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(first.header(replayed), "");
  const auto again = publish(publication_a, key("k"));
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header(replayed), "true");
  EXPECT_EQ(service.journal.size(), 1U);
}

TEST_F(RestIdempotencyTest, RefusesAnotherRequestUnderTheKeyOfAWebhook) {
  const auto path = make_hook();
  EXPECT_EQ(ask("PATCH", path, R"({"comment":"a"})", "hooks", key("k")).status,
            200);
  const auto body = ask("PATCH", path, R"({"comment":"b"})", "hooks", key("k"));
  EXPECT_EQ(body.status, 422);
  EXPECT_NE(body.body.find("was used for another request"), std::string::npos);
  EXPECT_EQ(ask("PUT", path, R"({"comment":"a"})", "hooks", key("k")).status,
            422);
  EXPECT_EQ(
    ask("PATCH", path + "?x=1", R"({"comment":"a"})", "hooks", key("k")).status,
    422);
  EXPECT_EQ(ask("DELETE", path, {}, "hooks", key("k")).status, 422);
  // Nothing of it was carried out, and the first answer is still there.
  const auto again = ask("PATCH", path, R"({"comment":"a"})", "hooks",
                         key("k"));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.header(replayed), "true");
  EXPECT_EQ(get(path).json().at("comment"), "a");
}

TEST_F(RestIdempotencyTest, RefusesAnotherPublishUnderTheKey) {
  EXPECT_EQ(publish(publication_a, key("k")).status, 202);
  EXPECT_EQ(publish(publication_b, key("k")).status, 422);
  EXPECT_EQ(publish("[" + std::string{publication_a} + "]", key("k")).status,
            422);
  EXPECT_EQ(service.journal.size(), 1U);
  EXPECT_EQ(publish(publication_b, key("another")).status, 202);
  EXPECT_EQ(service.journal.size(), 2U);
}

TEST_F(RestIdempotencyTest, RefusesAPublishUnderTheKeyOfAnotherKindOfRequest) {
  const auto root = [this](std::string_view target, std::string_view body) {
    return ask("POST", target, body, "root", key("k"));
  };
  EXPECT_EQ(root(hooks_path, webhook_a).status, 201);
  EXPECT_EQ(root(notes, publication_a).status, 422);
  EXPECT_TRUE(service.journal.empty());
}

TEST_F(RestIdempotencyTest, KeepsNoRefusal) {
  EXPECT_EQ(post("{", key("k")).status, 400);
  EXPECT_EQ(post(R"({"target_url":"nonsense"})", key("k")).status, 400);
  EXPECT_EQ(
    ask("DELETE", std::string{hooks_path} + "99/", {}, "hooks", key("k"))
      .status,
    404);
  EXPECT_TRUE(service.kept.empty());
  EXPECT_EQ(post(webhook_a, key("k")).status, 201);
  EXPECT_EQ(publish(R"({"action":"unknown"})", key("p")).status, 400);
  EXPECT_EQ(publish(publication_a, key("p")).status, 202);
  EXPECT_EQ(service.kept.size(), 2U);
}

TEST_F(RestIdempotencyTest, KeepsNoRedirect) {
  const auto path = make_hook();
  const auto slashless = path.substr(0, path.size() - 1);
  const auto remove = [this](std::string_view target, headers more) {
    return ask("DELETE", target, {}, "hooks", std::move(more));
  };
  EXPECT_EQ(remove(slashless, key("k")).status, 301);
  EXPECT_EQ(remove(slashless, key("k")).status, 301);
  EXPECT_TRUE(service.kept.empty());
  EXPECT_EQ(remove(path, key("k")).status, 204);
  const auto again = remove(path, key("k"));
  EXPECT_EQ(again.status, 204);
  EXPECT_EQ(again.header(replayed), "true");
  // The compatible API has it otherwise.
  const auto second = make_hook();
  EXPECT_EQ(
    remove(second.substr(0, second.size() - 1), compatible_key("c")).status,
    301);
  EXPECT_EQ(remove(second, compatible_key("c")).status, 301);
}

TEST_F(RestIdempotencyTest, KeepsWithEachAnswerWhatWasAsked) {
  const auto path = make_hook();
  const auto slashless = path.substr(0, path.size() - 1);
  const auto with = [](std::string_view name, headers more) {
    more.emplace_back("x-idempotency-key", std::string{name});
    return more;
  };
  EXPECT_EQ(ask("DELETE", slashless, {}, "hooks", with("1", {})).status, 301);
  EXPECT_EQ(ask("PUT", slashless, {}, "hooks", with("2", {})).status, 404);
  EXPECT_EQ(ask("DELETE", hooks_path, {}, "hooks", with("3", {})).status, 405);
  EXPECT_EQ(ask("DELETE", path, {}, "publisher", with("4", {})).status, 403);
  EXPECT_EQ(
    ask("DELETE", path, {}, "hooks", with("5", {{"accept", "text/csv"}}))
      .status,
    406);
  EXPECT_EQ(publish("{", with("6", {})).status, 400);
  EXPECT_EQ(publish("a=b", with("7", {{"content-type", "text/plain"}})).status,
            415);
  EXPECT_EQ(post("{", with("8", {})).status, 400);
  EXPECT_EQ(service.kept.size(), 8U);
  for (const auto& [name, kept] : service.kept)
    EXPECT_TRUE(std::visit(
      [](const auto& answer) { return answer.asked.has_value(); }, kept));
  // So none of them is taken for the answer to another request.
  EXPECT_EQ(ask("DELETE", path, {}, "hooks", key("1")).status, 422);
  EXPECT_EQ(ask("DELETE", slashless, {}, "hooks", key("1")).status, 301);
}

TEST_F(RestIdempotencyTest, DoesUnderTheCompatibleHeaderAsTheCompatibleApi) {
  const auto refused = post("{", compatible_key("r"));
  EXPECT_EQ(refused.status, 400);
  const auto again = post(webhook_a, compatible_key("r"));
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(again.body, refused.body);
  EXPECT_EQ(again.header(replayed), "true");
  const auto made = post(webhook_a, compatible_key("k"));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(post(webhook_b, compatible_key("k")).body, made.body);
  const auto first = publish(publication_a, compatible_key("p"));
  const auto second = publish(publication_b, compatible_key("p"));
  EXPECT_EQ(second.status, 202);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.header(replayed), "true");
  // By either name it is the same key.
  EXPECT_EQ(publish(publication_a, key("p")).body, first.body);
  EXPECT_EQ(publish(publication_b, key("p")).status, 422);
  EXPECT_EQ(service.journal.size(), 1U);
}

TEST_F(RestIdempotencyTest, GivesAnAnswerOfWhichNothingElseIsKnown) {
  // As a store of Fanfare 0.1 has them.
  service.kept.emplace(protocol::rest::make_idempotency_key("Token hooks", "k"),
                       plain_answer{.status = 201, .body = "old"});
  const auto got = post(webhook_a, key("k"));
  EXPECT_EQ(got.status, 201);
  EXPECT_EQ(got.body, "old");
}

TEST(RequestFingerprintTest, TellsRequestsApart) {
  const http_request plain{
    .method = "POST", .target = "/a", .body = "b", .peer_address = "1.2.3.4"};
  auto same = plain;
  same.headers.emplace_back("x", "y");
  same.peer_address = "5.6.7.8";
  EXPECT_EQ(fingerprint_of(plain), fingerprint_of(same));
  for (const auto member :
       {&http_request::method, &http_request::target, &http_request::body}) {
    auto other = plain;
    other.*member += 'x';
    EXPECT_NE(fingerprint_of(plain), fingerprint_of(other));
  }
}

} // namespace
} // namespace fanfare::test
