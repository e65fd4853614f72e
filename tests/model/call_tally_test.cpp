// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/call_tally.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string_view>
#include <vector>

namespace fanfare {
namespace {

using std::chrono::microseconds;

call answered(std::uint16_t status, std::int64_t us) {
  call c;
  c.status = status;
  c.timings.total = microseconds{us};
  return c;
}

std::size_t kind_named(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(failure_kinds, name)
                                  - failure_kinds.begin());
}

TEST(DurationBinsTest, HasBinsWhoseMiddleIsWithinTenPercent) {
  for (std::int64_t us = 128; us < std::int64_t{1} << 32; us += 1 + us / 97) {
    const auto bin = duration_bins::bin_of(microseconds{us});
    ASSERT_GT(bin, 0) << us;
    ASSERT_LT(bin, duration_bins::bins) << us;
    const auto middle = static_cast<double>(
      duration_bins::middle_of(bin).count());
    ASSERT_LT(std::abs(middle / static_cast<double>(us) - 1), 0.1) << us;
  }
}

TEST(DurationBinsTest, HasOneBinBelowAndOneAbove) {
  EXPECT_EQ(duration_bins::bin_of(microseconds{-1}), 0);
  EXPECT_EQ(duration_bins::bin_of(microseconds{0}), 0);
  EXPECT_EQ(duration_bins::bin_of(microseconds{127}), 0);
  EXPECT_EQ(duration_bins::bin_of(microseconds{128}), 1);
  EXPECT_EQ(duration_bins::bin_of(microseconds::max()),
            duration_bins::bins - 1);
}

TEST(DurationBinsTest, BinsAscendWithoutGaps) {
  auto last = duration_bins::bin_of(microseconds{0});
  for (std::int64_t us = 1; us < std::int64_t{1} << 32; us += 1 + us / 64) {
    const auto bin = duration_bins::bin_of(microseconds{us});
    ASSERT_TRUE(bin == last || bin == last + 1) << us;
    last = bin;
  }
  EXPECT_EQ(last, duration_bins::bins - 1);
}

TEST(DurationBinsTest, FindsQuantilesOfWhatWasAdded) {
  EXPECT_EQ(duration_bins{}.quantile(0.5), microseconds{0});
  std::mt19937_64 random{7};
  std::lognormal_distribution<double> spread{std::log(30'000), 0.8};
  duration_bins all;
  std::vector<std::int64_t> durations;
  for (int i = 0; i < 10'000; ++i) {
    durations.push_back(static_cast<std::int64_t>(spread(random)));
    all.add(duration_bins::bin_of(microseconds{durations.back()}));
  }
  std::ranges::sort(durations);
  for (const double part : {0.5, 0.9, 0.99}) {
    const auto rank = std::ceil(part * 10'000) - 1;
    const auto exact = static_cast<double>(
      durations[static_cast<std::size_t>(rank)]);
    const auto found = static_cast<double>(all.quantile(part).count());
    EXPECT_LT(std::abs(found / exact - 1), 0.1) << part;
  }
}

TEST(DurationBinsTest, OneValueIsEveryQuantile) {
  duration_bins one;
  one.add(40);
  EXPECT_EQ(one.quantile(0.5), duration_bins::middle_of(40));
  EXPECT_EQ(one.quantile(0.99), duration_bins::middle_of(40));
}

TEST(CallTallyTest, CountsSuccessesAndAnswersThatAreNone) {
  call_tally sum;
  sum.add(classify(answered(200, 1'000)));
  sum.add(classify(answered(204, 1'000)));
  sum.add(classify(answered(503, 1'000)));
  EXPECT_EQ(sum.calls(), 3U);
  EXPECT_EQ(sum.successes(), 2U);
  EXPECT_EQ(sum.all_failures(), 1U);
  EXPECT_EQ(sum.failures[kind_named("http_5xx")], 1U);
  EXPECT_EQ(sum.answers.total(), 3U) << "a 503 is an answer";
}

TEST(CallTallyTest, WhatWasNotAnsweredHasNoDuration) {
  auto c = answered(0, 5'000'000);
  c.reason = "timeout: no answer";
  call_tally sum;
  sum.add(classify(c));
  EXPECT_EQ(sum.calls(), 1U);
  EXPECT_EQ(sum.successes(), 0U);
  EXPECT_EQ(sum.failures[kind_named("timeout")], 1U);
  EXPECT_EQ(sum.answers.total(), 0U);
}

TEST(CallTallyTest, CountsRetriesAndWhatWasGivenUp) {
  auto second = answered(500, 1);
  second.attempt = 2;
  second.result = outcome::given_up;
  auto unsent = answered(0, 0);
  unsent.attempt = 3;
  unsent.unsent = true;
  unsent.result = outcome::given_up;
  call_tally sum;
  sum.add(classify(answered(200, 1)));
  sum.add(classify(second));
  sum.add(classify(unsent));
  EXPECT_EQ(sum.retries, 1U) << "what was not sent was no attempt";
  EXPECT_EQ(sum.given_up, 2U);
  EXPECT_EQ(sum.failures[kind_named("unsent")], 1U);
}

TEST(CallTallyTest, SumsAreThoseOfTheParts) {
  call_tally a;
  call_tally b;
  call_tally both;
  for (const auto status : {200, 404, 410, 429, 500}) {
    const auto one = classify(
      answered(static_cast<std::uint16_t>(status), status * 100));
    (status < 420 ? a : b).add(one);
    both.add(one);
  }
  a.add(b);
  EXPECT_EQ(a, both);
}

TEST(TallyQueryTest, KnowsTheStepOfATime) {
  using namespace std::chrono_literals;
  const tally_query which{.since = timestamp{600s}, .step = 300s, .steps = 2};
  EXPECT_EQ(which.place_of(timestamp{599s}), 2U) << "too early";
  EXPECT_EQ(which.place_of(timestamp{600s}), 0U);
  EXPECT_EQ(which.place_of(timestamp{899999ms}), 0U);
  EXPECT_EQ(which.place_of(timestamp{900s}), 1U);
  EXPECT_EQ(which.place_of(timestamp{1200s}), 2U) << "too late";
}

} // namespace
} // namespace fanfare
