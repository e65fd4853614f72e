// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Who tries wrong keys has to wait; who has a valid one never.

#include "protocol/rest/access/auth_limiter.hpp"

#include "tests/protocol/rest/rest_test.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using protocol::rest::auth_limiter;

constexpr std::string_view peer = "192.0.2.1";

class AuthLimiterTest : public ::testing::Test {
protected:
  static constexpr std::size_t burst = 5;

  void fail(std::size_t times, std::string_view from = peer) {
    for (std::size_t i = 0; i < times; ++i)
      EXPECT_FALSE(limiter_.count_failure(from)) << from << ", " << i;
  }

  auth_limiter::clock::time_point now_{1h};
  auth_limiter limiter_{burst, [this] { return now_; }};
};

TEST_F(AuthLimiterTest, BearsABurstAndNoMore) {
  fail(burst);
  EXPECT_EQ(limiter_.count_failure(peer), 1s);
}

TEST_F(AuthLimiterTest, BearsOneMoreEachSecond) {
  fail(burst);
  now_ += 999ms;
  EXPECT_EQ(limiter_.count_failure(peer), 1s);
  now_ += 1ms;
  fail(1);
  EXPECT_EQ(limiter_.count_failure(peer), 1s);
  now_ += 3s;
  fail(3);
  EXPECT_TRUE(limiter_.count_failure(peer));
}

TEST_F(AuthLimiterTest, DoesNotCountWhatItRefuses) {
  fail(burst);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(limiter_.count_failure(peer), 1s);
  now_ += 1s;
  fail(1);
}

TEST_F(AuthLimiterTest, SavesUpNoMoreThanABurst) {
  fail(burst);
  now_ += 24h;
  fail(burst);
  EXPECT_TRUE(limiter_.count_failure(peer));
}

TEST_F(AuthLimiterTest, IsOfOneAddressEach) {
  fail(burst);
  fail(burst, "192.0.2.2");
  fail(burst, "::1");
  fail(burst, "not an address");
  for (const auto who :
       {peer, std::string_view{"192.0.2.2"}, std::string_view{"::1"},
        std::string_view{"not an address"}})
    EXPECT_TRUE(limiter_.count_failure(who)) << who;
}

TEST_F(AuthLimiterTest, TakesANetworkOf64BitsForOneAddress) {
  fail(burst, "2001:db8:0:1::1");
  EXPECT_TRUE(limiter_.count_failure("2001:db8:0:1:ffff:ffff:ffff:ffff"));
  fail(burst, "2001:db8:0:2::1");
}

TEST_F(AuthLimiterTest, HasNoLimitIfToldSo) {
  auth_limiter none{0, [this] { return now_; }};
  for (int i = 0; i < 1'000; ++i)
    EXPECT_FALSE(none.count_failure(peer));
}

TEST_F(AuthLimiterTest, ForgetsTheAddressThatFailedLongestAgo) {
  auto other = [](std::size_t n) {
    return "10.1." + std::to_string(n / 250) + '.' + std::to_string(n % 250);
  };
  fail(burst);
  fail(burst, "192.0.2.2");
  for (std::size_t i = 2; i < auth_limiter::max_addresses; ++i)
    fail(1, other(i));
  // All are remembered, and this one is the newest again.
  EXPECT_TRUE(limiter_.count_failure(peer));
  fail(1, other(0)); // one too many
  EXPECT_TRUE(limiter_.count_failure(peer));
  fail(1, "192.0.2.2"); // forgotten
}

TEST_F(AuthLimiterTest, CountsRightFromManyThreads) {
  constexpr std::size_t each = 1'000;
  constexpr std::size_t most = 1'500;
  auth_limiter shared{most, [this] { return now_; }};
  std::atomic<std::size_t> borne{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < each; ++i)
        if (!shared.count_failure(peer))
          ++borne;
    });
  for (auto& t : threads)
    t.join();
  EXPECT_EQ(borne, most);
}

// -- in the API ---------------------------------------------------------------

class FailedLoginsTest : public RestTest {
protected:
  static constexpr std::size_t burst = 50; ///< the API's default

  reply from(std::string_view peer_address, std::string authorization) {
    protocol::http_request request;
    request.method = "GET";
    request.target = "/api/v1/action-types/";
    request.headers.emplace_back("authorization", std::move(authorization));
    request.peer_address = peer_address;
    return send(std::move(request));
  }
  reply from_peer(std::string authorization) {
    return from(peer, std::move(authorization));
  }
  /// The first answer that is no 401. The bucket fills up meanwhile, by real
  /// seconds: there may be more than the burst before it.
  reply from_peer_until_refused(const std::string& authorization) {
    constexpr std::size_t most = 100 * burst;
    for (std::size_t i = 0; i < most; ++i) {
      auto answer = from_peer(authorization);
      if (answer.status != 401) {
        EXPECT_GE(i, burst);
        return answer;
      }
    }
    return {};
  }
};

TEST_F(FailedLoginsTest, AreAnswered429BehindTheBurst) {
  const auto refused = from_peer_until_refused("Token nobody");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(refused.body,
            R"({"detail":"Too many failed logins from this address. )"
            R"(Try again in 1 second."})");
  EXPECT_EQ(from("192.0.2.2", "Token nobody").status, 401);
}

TEST_F(FailedLoginsTest, OfARevokedKeyCountToo) {
  service.known_tokens[0].second.revoked = true;
  EXPECT_EQ(from_peer_until_refused("Token hooks").status, 429);
}

TEST_F(FailedLoginsTest, DoNotKeepAValidKeyOut) {
  EXPECT_EQ(from_peer_until_refused("Token nobody").status, 429);
  for (std::size_t i = 0; i < 2 * burst; ++i) {
    EXPECT_EQ(from_peer("Token boss").status, 200);
    EXPECT_EQ(from_peer("Token root").status, 200);
  }
}

TEST_F(FailedLoginsTest, AreNoneWithoutAKey) {
  for (std::size_t i = 0; i < 2 * burst; ++i)
    for (const auto* value : {"", "Basic Ym9zcw==", "Token", "Token a b"})
      EXPECT_EQ(from_peer(value).status, 401);
  EXPECT_EQ(from_peer("Token nobody").status, 401);
}

} // namespace

} // namespace fanfare::test
