// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// How many requests the pace keeps in flight at receivers of many kinds, which
/// are simulated by a virtual clock.

#include "actors/webhook/pace.hpp"
#include "tests/actors/support/start.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using micros = std::chrono::microseconds;

/// When a request that arrives then is answered, and how.
struct answer {
  micros at{0};
  std::uint16_t status = 200;
};

/// Requests arrive in order.
class receiver {
public:
  virtual ~receiver() = default;
  virtual answer take(micros arrived) = 0;
};

/// Takes as long for any number of requests; the first ones fail.
class constant final : public receiver {
public:
  explicit constant(micros latency, std::size_t failing = 0)
    : latency_(latency),
      failing_(failing) {}

  answer take(micros arrived) override {
    if (failing_ == 0)
      return {.at = arrived + latency_};
    --failing_;
    return {.at = arrived + latency_, .status = 500};
  }

  void set_latency(micros latency) {
    latency_ = latency;
  }

private:
  micros latency_;
  std::size_t failing_;
};

/// Its latencies vary without any load: log-normally around a median.
class unsteady final : public receiver {
public:
  unsteady(micros median, double sigma)
    : latency_(std::log(static_cast<double>(median.count())), sigma) {}

  answer take(micros arrived) override {
    const auto took = static_cast<std::int64_t>(latency_(random_));
    return {.at = arrived + micros{took}};
  }

private:
  std::mt19937_64 random_{7};
  std::lognormal_distribution<double> latency_;
};

/// One of so many takes much longer.
class mixed final : public receiver {
public:
  mixed(micros usual, micros rare, std::size_t one_of)
    : usual_(usual),
      rare_(rare),
      is_rare_(1.0 / static_cast<double>(one_of)) {}

  answer take(micros arrived) override {
    return {.at = arrived + (is_rare_(random_) ? rare_ : usual_)};
  }

private:
  micros usual_;
  micros rare_;
  std::mt19937_64 random_{7};
  std::bernoulli_distribution is_rare_;
};

/// So many workers; what they cannot take yet waits in a queue, and is worked
/// on even if its client has given up meanwhile.
class queue_of_workers final : public receiver {
public:
  queue_of_workers(std::size_t workers, micros each)
    : free_(workers),
      each_(each) {}

  answer take(micros arrived) override {
    auto first = std::ranges::min_element(free_);
    *first = std::max(*first, arrived) + each_;
    return {.at = *first};
  }

private:
  std::vector<micros> free_;
  micros each_;
};

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// A webhook that always has something to send.
class simulation {
public:
  explicit simulation(receiver& to, std::size_t cap) : to_(to) {
    pace_.configure({.cap = cap});
  }
  /// A webhook with so many places, whatever happens.
  simulation(receiver& to, std::size_t cap, std::size_t always)
    : simulation(to, cap) {
    always_ = always;
  }

  void run(micros until) {
    while (true) {
      fill();
      if (ends_.empty()) {
        if (left == 0)
          break;
        // Only the breaker holds all of them.
        const auto then = std::chrono::duration_cast<micros>(pace_.open_until()
                                                             - start);
        ASSERT_GT(then, now_) << "it is held, and nothing will end that";
        now_ = then;
        if (now_ > until)
          break;
        continue;
      }
      if (ends_.begin()->first > until)
        break;
      end_one();
    }
    now_ = std::max(now_, until);
  }

  [[nodiscard]] std::size_t delivered() const {
    return delivered_;
  }
  [[nodiscard]] std::size_t concurrency() const {
    return pace_.concurrency();
  }
  [[nodiscard]] std::size_t least_in_flight() const {
    return least_;
  }

  std::size_t left = unlimited; ///< to be sent
  micros handshake{0};          ///< before each request

private:
  static constexpr micros total = 30s;

  struct ending {
    timestamp started;
    micros took;
    std::uint16_t status;
  };

  [[nodiscard]] timestamp clock() const {
    return start + std::chrono::duration_cast<std::chrono::milliseconds>(now_);
  }

  [[nodiscard]] bool may_start() {
    return always_ != 0
           ? ends_.size() < always_
           : static_cast<bool>(pace_.ask(clock(), ends_.size(), false));
  }

  void fill() {
    for (; left > 0 && may_start(); --left) {
      pace_.started(clock(), false);
      const auto a = to_.take(now_ + handshake);
      const bool late = a.at > now_ + total;
      const auto took = late ? total : a.at - now_;
      ends_.emplace(now_ + took,
                    ending{.started = clock(),
                           .took = took,
                           .status = late ? std::uint16_t{0} : a.status});
    }
    if (left > 0)
      least_ = std::min(least_, ends_.size());
  }

  void end_one() {
    const auto [at, how] = *ends_.begin();
    ends_.erase(ends_.begin());
    now_ = at;
    const pace::ending told{.status = how.status,
                            .started = how.started,
                            .took = how.took,
                            .answer = how.took - handshake};
    if (how.status == 200) {
      ++delivered_;
      pace_.succeeded(told);
    } else {
      ++left;
      pace_.failed(clock(), told);
    }
  }

  receiver& to_;
  pace pace_;
  std::size_t always_ = 0;
  micros now_{0};
  std::multimap<micros, ending> ends_;
  std::size_t delivered_ = 0;
  std::size_t least_ = unlimited;
};

std::size_t nine_tenths(std::size_t of) {
  return of - of / 10;
}

/// Delivered until then with the best constant number of places.
template <class Receiver, class... Known>
std::size_t best_constant(std::size_t cap, micros until, Known... known) {
  std::size_t best = 0;
  for (std::size_t places = 1; places <= cap; ++places) {
    Receiver to{known...};
    simulation with{to, cap, places};
    with.run(until);
    best = std::max(best, with.delivered());
  }
  return best;
}

TEST(PaceSimulationTest, AConstantLatencyLeavesAllPlacesToIt) {
  for (const micros latency : {1'000us, 20'000us, 300'000us, 1'500'000us,
                               6'000'000us, 12'000'000us, 25'000'000us}) {
    constant to{latency};
    simulation s{to, 16};
    s.run(400 * latency);
    EXPECT_EQ(s.least_in_flight(), 16U) << latency.count();
    EXPECT_EQ(s.delivered(),
              best_constant<constant>(16, 400 * latency, latency));
  }
}

TEST(PaceSimulationTest, PlacesComeBackAfterAHiccupHoweverLongAnswersTake) {
  for (const micros latency :
       {1'000us, 20'000us, 300'000us, 1'500'000us, 6'000'000us, 25'000'000us}) {
    constant to{latency, 10};
    simulation s{to, 8};
    s.run(40 * latency);
    EXPECT_EQ(s.concurrency(), 8U) << latency.count();
    // Within a tenth of the best, the hiccup included.
    s.run(400 * latency);
    EXPECT_GE(s.delivered(), nine_tenths(best_constant<constant>(
                               8, 400 * latency, latency, std::size_t{10})))
      << latency.count();
  }
}

TEST(PaceSimulationTest, C1AlwaysSixSecondsGoesSixteenAtATimeToTheEnd) {
  constant to{6s};
  simulation s{to, 16};
  s.left = 160;
  s.run(60s);
  EXPECT_EQ(s.delivered(), 160U);
}

TEST(PaceSimulationTest, C2AfterTenFailuresAllPlacesAreBackWithinAMinute) {
  constant to{1'500ms, 10};
  simulation s{to, 8};
  s.run(60s);
  EXPECT_EQ(s.concurrency(), 8U);
}

TEST(PaceSimulationTest, AHandshakeIsNoPartOfTheLatency) {
  constant to{50ms, 4};
  simulation s{to, 8};
  s.handshake = 1'200ms;
  s.run(60s);
  EXPECT_EQ(s.concurrency(), 8U);
}

TEST(PaceSimulationTest, AQueueOfOneWorkerGetsAsMuchAsItCanTake) {
  for (const std::size_t cap : {8U, 16U})
    for (const micros each :
         {1'000us, 20'000us, 100'000us, 500'000us, 1'000'000us, 3'000'000us,
          5'000'000us, 8'000'000us, 12'000'000us, 25'000'000us}) {
      queue_of_workers to{1, each};
      simulation s{to, cap};
      s.run(2'000 * each);
      EXPECT_GE(s.delivered(), nine_tenths(best_constant<queue_of_workers>(
                                 cap, 2'000 * each, std::size_t{1}, each)))
        << each.count() << " us, cap " << cap;
    }
}

TEST(PaceSimulationTest, AQueueOfSeveralWorkersGetsAsMuchAsItCanTake) {
  for (const std::size_t workers : {2U, 5U, 8U, 20U})
    for (const micros each : {20'000us, 300'000us, 2'000'000us, 6'000'000us}) {
      queue_of_workers to{workers, each};
      simulation s{to, 64};
      s.run(2'000 * each);
      EXPECT_GE(s.delivered(), nine_tenths(best_constant<queue_of_workers>(
                                 64, 2'000 * each, workers, each)))
        << workers << " workers, " << each.count() << " us";
    }
}

TEST(PaceSimulationTest, OfAQueueWhoseLatencyWithoutLoadIsKnownOnlyAFewWait) {
  queue_of_workers to{1, 1s};
  simulation s{to, 16};
  for (int i = 1; i <= 20; ++i) { // now and then one
    s.left = 1;
    s.run(i * 5s);
  }
  ASSERT_EQ(s.concurrency(), 16U);
  s.left = unlimited;
  s.run(10min);
  EXPECT_LE(s.concurrency(), 5U);
}

TEST(PaceSimulationTest, LatenciesThatVaryByThemselvesCostNoPlaces) {
  for (const double sigma : {0.3, 0.6})
    for (const micros median : {20'000us, 300'000us, 2'000'000us})
      for (const std::size_t cap : {4U, 8U, 32U, 200U}) {
        unsteady to{median, sigma};
        simulation s{to, cap};
        s.run(2'000 * median);
        unsteady same{median, sigma};
        simulation all{same, cap, cap};
        all.run(2'000 * median);
        EXPECT_GE(s.delivered(), nine_tenths(all.delivered()))
          << sigma << ", " << median.count() << " us, cap " << cap;
      }
}

TEST(PaceSimulationTest, AFewAnswersThatTakeMuchLongerCostNoPlaces) {
  for (const std::size_t one_of : {10U, 20U, 100U})
    for (const micros usual : {50'000us, 500'000us})
      for (const std::size_t cap : {4U, 8U, 16U, 64U}) {
        mixed to{usual, 10s, one_of};
        simulation s{to, cap};
        s.run(30min);
        mixed same{usual, 10s, one_of};
        simulation all{same, cap, cap};
        all.run(30min);
        EXPECT_GE(s.delivered(), nine_tenths(all.delivered()))
          << "1 of " << one_of << ", " << usual.count() << " us, cap " << cap;
      }
}

TEST(PaceSimulationTest, AReceiverThatBecomesSlowerForGoodGetsItsPlacesBack) {
  constant to{300ms};
  simulation s{to, 16};
  s.run(5min);
  to.set_latency(3s);
  s.run(6min);
  EXPECT_LT(s.concurrency(), 16U);
  s.run(15min);
  EXPECT_EQ(s.concurrency(), 16U);
}

} // namespace

} // namespace fanfare::test
