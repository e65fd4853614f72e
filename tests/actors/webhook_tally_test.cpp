// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/webhook_tally.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace fanfare {
namespace {

TEST(WebhookTalliesTest, HasNothingOfThoseThatWereNeverCounted) {
  webhook_tallies all;
  EXPECT_EQ(all.find(1), nullptr);
  webhook_tally::add(all.of(1).calls[2], std::uint32_t{5});
  EXPECT_EQ(webhook_tally::read(all.find(1)->calls[2]), 5U);
  EXPECT_EQ(webhook_tally::read(all.find(2)->calls[2]), 0U);
  EXPECT_EQ(all.find(1'000'000'000), nullptr);
}

TEST(WebhookTalliesTest, GivesEachWebhookItsOwnPlace) {
  webhook_tallies all;
  std::set<const webhook_tally*> places;
  for (webhook_id id = 1; id <= 10'000; ++id)
    ASSERT_TRUE(places.insert(&all.of(id)).second) << id;
  for (webhook_id id = 1; id <= 10'000; ++id)
    ASSERT_TRUE(places.contains(all.find(id))) << id;
}

TEST(WebhookTalliesTest, MayBeReachedByManyThreadsAtOnce) {
  webhook_tallies all;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < 4; ++i)
    threads.emplace_back([&all, i] {
      for (webhook_id id = 1; id <= 50'000; ++id)
        webhook_tally::add(all.of(id).calls[i], std::uint32_t{1});
    });
  threads.clear();
  for (webhook_id id = 1; id <= 50'000; ++id)
    for (auto& count : all.of(id).calls)
      ASSERT_EQ(webhook_tally::read(count), 1U) << id;
}

} // namespace
} // namespace fanfare
