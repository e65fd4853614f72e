// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What a token's owner sees of it, and how it ends.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::system_clock;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* tokens_path = "/api/v1/organizers/acme/tokens/";

std::int64_t now() {
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch())
    .count();
}

class TokensTest : public E2eTest {
protected:
  void serve(std::vector<std::string> args = {}) {
    start(std::move(args));
    add_organizer("acme");
  }

  struct issued {
    std::uint64_t id;
    std::string key;
  };

  issued issue(const std::string& name) {
    const auto made = api().post(
      tokens_path, {{"name", name}, {"permissions", json::array{"webhooks"}}});
    EXPECT_EQ(made.status, 201U) << made.body;
    const auto body = made.json();
    EXPECT_TRUE(body.at("last_used").is_null());
    return {number_of(body, "id"), text_of(body, "key")};
  }

  /// In the list of the organizer's tokens.
  json::value listed(const std::string& name) {
    const auto list = api().get(tokens_path);
    EXPECT_EQ(list.status, 200U) << list.body;
    const auto body = list.json();
    for (const auto& one : body.at("results").as_array())
      if (text_of(one, "name") == name)
        return one;
    ADD_FAILURE() << name << " is not in " << list.body;
    return {};
  }

  static std::string token_path(std::uint64_t id) {
    return tokens_path + std::to_string(id) + '/';
  }
};

TEST_F(TokensTest, SayWhenTheyWereLastUsedAlsoAfterARestart) {
  serve();
  const auto used = issue("used");
  const auto unused = issue("unused");
  const auto before = now();
  EXPECT_EQ(
    running().client(used.key).get("/api/v1/organizers/acme/webhooks/").status,
    200U);
  const auto after = now();
  const auto last_used = text_of(listed("used"), "last_used");
  EXPECT_GE(milliseconds_of(last_used), before);
  EXPECT_LE(milliseconds_of(last_used), after);
  EXPECT_TRUE(listed("unused").at("last_used").is_null());

  stop();
  start();
  EXPECT_EQ(text_of(listed("used"), "last_used"), last_used);
  EXPECT_TRUE(listed("unused").at("last_used").is_null());
}

TEST_F(TokensTest, ShowTheirKeyOnceAndNeverAgain) {
  serve();
  const auto made = issue("ci");
  ASSERT_EQ(made.key.size(), 64U);
  auto client = running().client(made.key);
  EXPECT_EQ(client.get("/api/v1/organizers/acme/webhooks/").status, 200U);
  const auto list = api().get(tokens_path);
  EXPECT_EQ(list.status, 200U);
  EXPECT_THAT(list.body, HasSubstr("\"ci\""));
  EXPECT_THAT(list.body, Not(HasSubstr(made.key)));
  EXPECT_THAT(list.body, Not(HasSubstr("key")));
}

TEST_F(TokensTest, AreRevokedAtOnceOnAllConnections) {
  serve({"--failed-logins", "0"});
  const auto made = issue("short-lived");
  constexpr int connections = 4;
  constexpr int more = 20; ///< requests of each after the revocation
  std::atomic<bool> revoked{false};
  std::atomic<int> served{0};
  std::atomic<int> served_late{0};
  std::atomic<int> refused_late{0};
  std::atomic<int> reconnected{0};
  std::atomic<bool> failed{false};
  std::vector<std::thread> clients;
  for (int i = 0; i < connections; ++i)
    clients.emplace_back([&] {
      try {
        auto client = running().client(made.key);
        for (int late = 0; late < more;) {
          // Looked at before the request is sent.
          const bool too_late = revoked;
          const auto status = client.get("/api/v1/organizers/acme/webhooks/")
                                .status;
          if (too_late) {
            ++late;
            ++(status == 401 ? refused_late : served_late);
          } else if (status == 200) {
            ++served;
          }
        }
        if (client.connections() != 1)
          ++reconnected;
      } catch (const std::exception&) {
        failed = true;
      }
    });
  const bool busy = eventually(
    patience, [&] { return failed || served >= 50 * connections; });
  unsigned status = 0;
  try {
    status = api().erase(token_path(made.id)).status;
  } catch (const std::exception&) {
    failed = true;
  }
  revoked = true;
  for (auto& c : clients)
    c.join();
  EXPECT_FALSE(failed);
  EXPECT_TRUE(busy);
  EXPECT_EQ(status, 204U);
  EXPECT_EQ(served_late, 0);
  EXPECT_EQ(refused_late, connections * more);
  EXPECT_EQ(reconnected, 0) << "they were to keep their connections";
}

TEST_F(TokensTest, MakeThoseWaitWhoTryWrongOnes) {
  constexpr int burst = 5;
  serve({"--failed-logins", std::to_string(burst)});
  const auto valid = issue("valid");
  auto stranger = running().client("wrong");
  // The bucket fills up by one a second meanwhile: no more than that is served
  // on top of the burst.
  const auto until = std::chrono::steady_clock::now() + patience;
  int refused = 0;
  rest_response answer;
  while (std::chrono::steady_clock::now() < until) {
    answer = stranger.get(tokens_path);
    if (answer.status != 401)
      break;
    ++refused;
  }
  EXPECT_GE(refused, burst);
  ASSERT_EQ(answer.status, 429U) << answer.body;
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_EQ(text_of(answer.json(), "detail"),
            "Too many failed logins from this address. Try again in 1 "
            "second.");
  auto client = running().client(valid.key);
  EXPECT_EQ(client.get("/api/v1/organizers/acme/webhooks/").status, 200U);
  EXPECT_EQ(api().get(tokens_path).status, 200U);

  // After that time it may try again.
  EXPECT_TRUE(eventually(
    patience, [&] { return stranger.get(tokens_path).status == 401U; }));
}

} // namespace

} // namespace fanfare::test
