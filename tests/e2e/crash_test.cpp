// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Five crashes in a row under load: what was acknowledged arrives.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>
#include <boost/system/system_error.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::size_t kills = 5;
constexpr std::size_t hooks_per_organizer = 10;
constexpr std::size_t publishers_per_organizer = 2;
constexpr std::size_t max_in_flight = 8;
/// Deliveries that a round waits for before its server is killed.
constexpr std::size_t deliveries_per_round = sanitized ? 700 : 3500;
/// Publishers wait while so many deliveries are outstanding: it bounds what the
/// last server has to catch up with.
constexpr std::size_t most_outstanding = sanitized ? 1500 : 6000;

const std::vector<std::string> organizers{"acme", "bmce"};

/// What the test knows of one publish that was answered.
struct acknowledged {
  std::uint64_t id = 0;
  std::string code;
};

class CrashTest : public E2eTest {
protected:
  ~CrashTest() override {
    finish_publishers();
    sink_.stop(); // it uses what is destroyed before it
  }

  void start_publishers() {
    for (const auto& organizer : organizers)
      for (std::size_t i = 0; i < publishers_per_organizer; ++i)
        publishers_.emplace_back([this, organizer, i] {
          try {
            publish_on_and_on(organizer, i);
          } catch (const std::exception& e) {
            const std::lock_guard guard{mutex_};
            complaints_.emplace_back(e.what());
          }
        });
  }

  void finish_publishers() {
    done_ = true;
    for (auto& publisher : publishers_)
      publisher.join();
    publishers_.clear();
  }

  std::size_t count_acknowledged() {
    const std::lock_guard guard{mutex_};
    std::size_t count = 0;
    for (const auto& [organizer, list] : acknowledged_)
      count += list.size();
    return count;
  }

  std::atomic<std::uint16_t> port_{0};
  std::atomic<bool> done_{false};
  http_sink sink_{[this](const request_record& r) { return plan(r); },
                  {.threads = 2}};
  std::mutex mutex_;
  std::map<std::string, std::vector<acknowledged>> acknowledged_;
  std::vector<std::string> complaints_;
  /// When the latest of those publishes that were answered was sent.
  clock::time_point last_sent_;

  /// The first webhook of each organizer refuses everything once.
  static bool fails_first(const std::string& target) {
    return target.ends_with("/0");
  }

private:
  response_plan plan(const request_record& r) {
    if (!fails_first(r.target))
      return {};
    const std::lock_guard guard{refused_mutex_};
    const bool first = refused_.emplace(r.target, id_in(r.body)).second;
    return response_plan::answer(first ? 503 : 200);
  }

  void publish_on_and_on(const std::string& organizer, std::size_t who) {
    std::optional<rest_client> client;
    std::uint16_t connected_to = 0;
    std::uint64_t last = 0;
    for (std::size_t n = 0; !done_; ++n) {
      eventually(patience, [&] {
        return done_
            || count_acknowledged() * hooks_per_organizer
                 < sink_.size() + most_outstanding;
      });
      const auto code = organizer + '-' + std::to_string(who) + '-'
                      + std::to_string(n);
      const json::value body{
        {"action", order_placed}, {"event", "democon"}, {"code", code}};
      // Again and again until somebody has answered.
      eventually(patience, [&] {
        if (done_)
          return true;
        try {
          if (!client || connected_to != port_) {
            connected_to = port_;
            client.emplace(connected_to, server::admin_key);
          }
          const auto before = clock::now();
          const auto answer = client->post(publish_path(organizer), body);
          if (answer.status == 503)
            return false;
          if (answer.status != 202)
            throw std::runtime_error{"publishing was answered "
                                     + std::to_string(answer.status) + ' '
                                     + answer.body};
          const auto id = number_of(answer.json(), "notification_id");
          if (id <= last)
            throw std::runtime_error{"id " + std::to_string(id) + " came after "
                                     + std::to_string(last)};
          last = id;
          const std::lock_guard guard{mutex_};
          last_sent_ = std::max(last_sent_, before);
          acknowledged_[organizer].push_back({id, code});
          return true;
        } catch (const boost::system::system_error&) {
          client.reset();
          return false;
        }
      });
    }
  }

  std::vector<std::thread> publishers_;
  std::mutex refused_mutex_;
  std::set<std::pair<std::string, std::uint64_t>> refused_;
};

TEST_F(CrashTest, EverythingAcknowledgedArrivesThoughItIsKilledFiveTimes) {
  // Some crashes soon after a checkpoint, others long after the last one.
  const auto options = [](std::size_t round) {
    return std::vector<std::string>{"--schedule", "50ms,50ms,50ms,50ms",
                                    "--checkpoint-interval",
                                    round % 2 == 0 ? "30ms" : "10s"};
  };
  start(options(0));
  for (const auto& organizer : organizers) {
    add_organizer(organizer);
    for (std::size_t i = 0; i < hooks_per_organizer; ++i)
      add_webhook(organizer, {.url = sink_.url('/' + organizer + '/'
                                               + std::to_string(i))});
  }
  port_ = running().port();
  start_publishers();

  // What can be sent twice by a crash: attempts in flight, and those whose
  // records were not committed yet. Records and publishes are committed in the
  // order in which they come. So once a publish is answered, the calls that had
  // ended when it was sent are on disk: the others arrived after that, or were
  // in flight then.
  std::vector<std::pair<clock::time_point, clock::time_point>> uncommitted;
  std::size_t in_uncommitted = 0;
  std::uint64_t highest = 0;
  for (std::size_t round = 0; round < kills; ++round) {
    SCOPED_TRACE(round);
    const auto arrived = sink_.size();
    const auto published = count_acknowledged();
    // At another point of the work each time.
    const auto wanted = deliveries_per_round + round * deliveries_per_round / 7;
    ASSERT_TRUE(sink_.wait_for(arrived + wanted, patience))
      << running().log_tail();
    ASSERT_TRUE(eventually(
      patience, [&] { return count_acknowledged() >= published + 50; }));
    kill();
    const auto killed = clock::now();
    {
      const std::lock_guard guard{mutex_};
      uncommitted.emplace_back(last_sent_, killed);
      // Nobody is answered between the kill and the next start.
      std::uint64_t now_highest = 0;
      for (const auto& [organizer, list] : acknowledged_)
        for (const auto& one : list)
          now_highest = std::max(now_highest, one.id);
      EXPECT_GT(now_highest, highest);
      highest = now_highest;
    }
    start(options(round + 1));
    std::printf("kill %zu: listens again after %lld ms\n", round + 1,
                static_cast<long long>(running().startup_time().count()));
    EXPECT_LT(running().startup_time(), 10s);
    EXPECT_GT(publish("acme", "after-the-crash"), highest);
    port_ = running().port();
  }
  const auto published = count_acknowledged();
  ASSERT_TRUE(eventually(
    patience, [&] { return count_acknowledged() >= published + 50; }));
  finish_publishers();
  EXPECT_THAT(complaints_, ::testing::IsEmpty());

  // Everything that was acknowledged has reached every webhook of its
  // organizer. What was not may have, too: its answer was lost in a crash.
  const auto total = count_acknowledged();
  std::map<std::string, std::map<std::uint64_t, std::size_t>> times;
  std::map<std::uint64_t, std::string> bodies;
  std::size_t looked_at = 0;
  std::size_t duplicates = 0;
  std::vector<std::string> missing;
  const auto everything_arrived = [&] {
    const auto records = sink_.records();
    for (; looked_at < records.size(); ++looked_at) {
      const auto& record = records[looked_at];
      const auto id = id_in(record.body);
      const std::size_t needed = fails_first(record.target) ? 2 : 1;
      if (++times[record.target][id] > needed)
        ++duplicates;
      EXPECT_EQ(bodies.try_emplace(id, record.body).first->second, record.body);
    }
    missing.clear();
    for (const auto& organizer : organizers)
      for (std::size_t i = 0; i < hooks_per_organizer; ++i) {
        const auto target = '/' + organizer + '/' + std::to_string(i);
        const std::size_t needed = fails_first(target) ? 2 : 1;
        for (const auto& one : acknowledged_[organizer])
          if (times[target][one.id] < needed)
            missing.push_back(target + ": " + std::to_string(one.id));
      }
    return missing.empty();
  };
  EXPECT_TRUE(eventually(patience, everything_arrived))
    << missing.size() << " deliveries are missing, like " << missing.front();
  stop();
  everything_arrived(); // also what came last
  for (const auto& [organizer, list] : acknowledged_)
    for (const auto& one : list) {
      EXPECT_EQ(text_of(json::parse(bodies[one.id]), "code"), one.code);
      EXPECT_EQ(text_of(json::parse(bodies[one.id]), "organizer"), organizer);
    }

  for (const auto& record : sink_.records())
    for (const auto& [from, to] : uncommitted)
      if (record.time >= from && record.time <= to)
        ++in_uncommitted;
  const auto bound = kills * organizers.size() * hooks_per_organizer
                     * max_in_flight
                   + in_uncommitted;
  std::printf("%zu notifications acknowledged, %zu calls arrived, %zu of them "
              "duplicates (bound: %zu, of which %zu arrived after the last "
              "publish before a kill)\n",
              total, looked_at, duplicates, bound, in_uncommitted);
  EXPECT_LE(duplicates, bound);
}

} // namespace

} // namespace fanfare::test
