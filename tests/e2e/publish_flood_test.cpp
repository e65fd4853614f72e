// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// A flood of publishes next to the rest of the API.

#include "tests/e2e/support/e2e_test.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// Requests of each kind that are measured.
constexpr std::size_t rounds = 15;

class PublishFloodTest : public E2eTest {
protected:
  PublishFloodTest() {
    start();
    add_organizer("acme");
    add_event("acme", "democon");
    add_webhook("acme", {.url = "http://127.0.0.1:1/", .enabled = false});
  }

  ~PublishFloodTest() override {
    end_flood();
  }

  /// Publishes over and over from so many connections.
  void flood(std::size_t connections, const std::string& body) {
    for (std::size_t i = 0; i < connections; ++i)
      publishers_.emplace_back(
        [this, body, client = running().client()]() mutable {
          while (!stopping_) {
            const auto status = client.send("POST", publish_path("acme"), body)
                                  .status;
            // 503: more waits for the disk than is good.
            if (status != 202 && status != 503)
              ++failures_;
            if (status == 202)
              ++published_;
          }
        });
  }

  void end_flood() {
    stopping_ = true;
    for (auto& each : publishers_)
      each.join();
    publishers_.clear();
  }

  /// The slowest tenth of the requests takes at least this.
  std::chrono::milliseconds latency_of(const std::string& method,
                                       const std::string& target,
                                       const boost::json::value& body = {}) {
    auto client = running().client();
    std::vector<clock::duration> spans;
    for (std::size_t i = 0; i < rounds; ++i) {
      const auto before = clock::now();
      const auto answer = method == "GET" ? client.get(target)
                                          : client.post(target, body);
      spans.push_back(clock::now() - before);
      EXPECT_EQ(answer.status, method == "GET" ? 200U : 201U) << answer.body;
    }
    std::ranges::sort(spans);
    return std::chrono::duration_cast<std::chrono::milliseconds>(
      spans[rounds * 9 / 10]);
  }

  void expect_quick(const char* when) {
    const auto health = latency_of("GET", "/healthz");
    const auto list = latency_of("GET", organizer_path("acme") + "webhooks/");
    const auto create = latency_of(
      "POST", organizer_path("acme") + "webhooks/",
      boost::json::parse(R"({"target_url": "http://127.0.0.1:1/",
        "enabled": false, "all_events": true, "limit_events": [],
        "action_types": ["pretix.event.order.placed"]})"));
    std::cout << when << ": healthz " << health.count() << " ms, list "
              << list.count() << " ms, create " << create.count() << " ms\n";
    // What needs no commit waits for processors only, the others also for the
    // commits before theirs.
    constexpr auto scale = sanitized ? 4 : 1;
    EXPECT_LT(health, 250ms * scale) << when;
    EXPECT_LT(list, 250ms * scale) << when;
    EXPECT_LT(create, 1'000ms * scale) << when;
  }

  void wait_for_publishes() {
    const auto limit = clock::now() + patience;
    while (published_ < 50 && clock::now() < limit)
      latency_of("GET", "/healthz");
    ASSERT_GE(published_, 50U);
  }

  std::atomic<std::size_t> published_{0};
  std::atomic<std::size_t> failures_{0};

private:
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> publishers_;
};

std::string batch(std::size_t count, std::size_t padding) {
  std::string body;
  for (std::size_t i = 0; i < count; ++i)
    body += (i == 0 ? "[" : ",")
          + (R"({"action": "pretix.event.order.placed", "event": "democon",)"
             R"( "code": ")"
             + std::string(padding, 'x') + "\"}");
  return body + ']';
}

TEST_F(PublishFloodTest, LeavesRoomForOthersBesideSingleNotifications) {
  expect_quick("without a flood");
  flood(32, R"({"action": "pretix.event.order.placed", "event": "democon"})");
  wait_for_publishes();
  expect_quick("beside singles");
  end_flood();
  EXPECT_EQ(failures_, 0U);
}

TEST_F(PublishFloodTest, LeavesRoomForOthersBesideLargeBatches) {
  expect_quick("without a flood");
  flood(16, batch(1'000, 900));
  wait_for_publishes();
  expect_quick("beside batches of 1 MB");
  end_flood();
  EXPECT_EQ(failures_, 0U);
}

} // namespace

} // namespace fanfare::test
