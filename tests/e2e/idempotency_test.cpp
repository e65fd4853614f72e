// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// A client that asks again after a crash or a lost answer never publishes
/// twice.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace fanfare::test {
namespace {

class IdempotentPublishTest : public E2eTest {
protected:
  static rest_client::fields keyed(const std::string& key) {
    return {{"Idempotency-Key", key}};
  }

  static std::string body_of(const std::string& code) {
    return boost::json::serialize(
      boost::json::object{{"action", order_placed}, {"code", code}});
  }

  /// One client with a connection of its own: publishes one key after the other
  /// and asks again until each is answered, whatever happens to the server.
  /// Every third time it leaves before it has read the answer.
  void run_client(int number, int count) {
    for (int i = 0; i < count; ++i) {
      const auto code = std::to_string(number) + '-' + std::to_string(i);
      for (int tries = 0;; ++tries) {
        ASSERT_LT(tries, 10'000) << "no answer to " << code;
        try {
          rest_client client{port_.load(), server::admin_key};
          const auto answer = client.send("POST", publish_path("acme"),
                                          body_of(code), keyed("key-" + code));
          if (answer.status == 202) {
            const auto id = number_of(answer.json(), "notification_id");
            const std::lock_guard guard{mutex_};
            ids_[code].insert(id);
            if (tries == 0 && i % 3 == 0)
              continue; // as if the answer had been lost
            break;
          }
          ASSERT_TRUE(answer.status == 409 || answer.status == 503)
            << answer.status << answer.body;
        } catch (const boost::system::system_error&) {
          std::this_thread::yield(); // down: ask again
        }
      }
      ++done_;
    }
  }

  std::atomic<std::uint16_t> port_{0};
  std::atomic<int> done_{0};
  std::mutex mutex_;
  std::map<std::string, std::set<std::uint64_t>> ids_; ///< by code
};

TEST_F(IdempotentPublishTest, IsPublishedOnceHoweverOftenTheServerIsKilled) {
  constexpr int clients = 8;
  constexpr int each = 150;
  constexpr int kills = 4;
  http_sink sink;
  start();
  add_organizer("acme");
  add_webhook("acme", {.url = sink.url("/")});
  port_ = running().port();
  std::vector<std::thread> threads;
  for (int n = 0; n < clients; ++n)
    threads.emplace_back([this, n] { run_client(n, each); });
  for (int k = 1; k <= kills; ++k) {
    EXPECT_TRUE(eventually(
      patience, [&] { return done_ >= k * clients * each / (kills + 1); }));
    kill();
    start();
    port_ = running().port();
  }
  for (auto& t : threads)
    t.join();
  ASSERT_EQ(done_, clients * each);
  ASSERT_EQ(ids_.size(), static_cast<std::size_t>(clients * each));
  std::set<std::uint64_t> all;
  for (const auto& [code, ids] : ids_) {
    EXPECT_EQ(ids.size(), 1U) << code << " was published more than once";
    all.insert(ids.begin(), ids.end());
  }
  EXPECT_EQ(all.size(), ids_.size());
  // What receivers saw says the same: a crash may repeat a call, but not under
  // another id.
  EXPECT_TRUE(eventually(patience, [&] {
    std::set<std::uint64_t> seen;
    for (const auto& r : sink.records())
      seen.insert(id_in(r.body));
    return seen.size() >= ids_.size();
  }));
  std::map<std::string, std::set<std::uint64_t>> received;
  for (const auto& r : sink.records())
    received[text_of(boost::json::parse(r.body), "code")].insert(id_in(r.body));
  EXPECT_EQ(received, ids_);
}

TEST_F(IdempotentPublishTest, ABatchIsAnsweredTheSameAfterACrash) {
  start();
  add_organizer("acme");
  const std::string batch = '[' + body_of("a") + ',' + body_of("b") + ']';
  const auto first = api().send("POST", publish_path("acme"), batch,
                                keyed("batch"));
  ASSERT_EQ(first.status, 202U);
  kill();
  start();
  const auto again = api().send("POST", publish_path("acme"), batch,
                                keyed("batch"));
  EXPECT_EQ(again.status, 202U);
  EXPECT_EQ(again.body, first.body);
  // Another request under the key is refused, whatever it is.
  EXPECT_EQ(api()
              .send("POST", publish_path("acme"), body_of("a"), keyed("batch"))
              .status,
            422U);
  EXPECT_EQ(
    api().send("POST", publish_path("acme"), "{", keyed("batch")).status, 400U);
  EXPECT_EQ(
    api()
      .send("POST", publish_path("acme"), "{", {{"X-Idempotency-Key", "batch"}})
      .body,
    first.body);
  EXPECT_EQ(publish(), 3U);
}

TEST_F(IdempotentPublishTest, ARefusedOneMayBeCorrected) {
  start();
  add_organizer("acme");
  const auto refused = api().send("POST", publish_path("acme"),
                                  R"({"action": "no.such.thing"})",
                                  keyed("typo"));
  ASSERT_EQ(refused.status, 400U);
  const auto again = api().send("POST", publish_path("acme"), body_of("a"),
                                keyed("typo"));
  EXPECT_EQ(again.status, 202U) << again.body;
  EXPECT_EQ(publish(), 2U);
}

} // namespace
} // namespace fanfare::test
