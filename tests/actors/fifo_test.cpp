// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The fifo against std::deque, and what it keeps when it is empty.

#include "actors/webhook/fifo.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>

namespace fanfare::test {

namespace {

TEST(FifoTest, DoesWhatADequeDoes) {
  std::minstd_rand random{7};
  fifo<int> subject;
  std::deque<int> model;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
      case 3:
        subject.push_back(step);
        model.push_back(step);
        break;
      case 4:
      case 5:
      case 6:
        if (!model.empty()) {
          subject.pop_front();
          model.pop_front();
        }
        break;
      default: {
        const auto third = [](int i) { return i % 3 == 0; };
        EXPECT_EQ(subject.erase_if(third), std::erase_if(model, third));
      }
    }
    ASSERT_EQ(subject.size(), model.size());
    ASSERT_EQ(subject.empty(), model.empty());
    if (!model.empty()) {
      ASSERT_EQ(subject.front(), model.front());
      ASSERT_EQ(subject.back(), model.back());
      const auto at = random() % model.size();
      ASSERT_EQ(subject[at], model[at]);
    }
  }
  EXPECT_TRUE(
    std::equal(subject.begin(), subject.end(), model.begin(), model.end()));
}

TEST(FifoTest, LetsGoOfWhatWasTakenOff) {
  fifo<std::shared_ptr<int>> subject;
  const auto one = std::make_shared<int>(1);
  subject.push_back(one);
  subject.push_back(std::make_shared<int>(2));
  subject.pop_front();
  EXPECT_EQ(one.use_count(), 1) << "the queue still holds it";
}

TEST(FifoTest, DoesNotGrowWhileItIsAsLongAsBefore) {
  // The window of a webhook that is always busy is never empty.
  fifo<int> subject;
  for (int i = 0; i < 100; ++i)
    subject.push_back(i);
  for (int i = 0; i < 1'000'000; ++i) {
    subject.push_back(i);
    subject.pop_front();
  }
  EXPECT_LT(subject.capacity(), 1'000U);
}

TEST(FifoTest, GivesItsMemoryBackWhenItIsEmpty) {
  fifo<int> subject;
  EXPECT_EQ(subject.capacity(), 0U);
  for (int i = 0; i < 10'000; ++i)
    subject.push_back(i);
  while (!subject.empty())
    subject.pop_front();
  EXPECT_LE(subject.capacity() * sizeof(int), 128U);
}

} // namespace

} // namespace fanfare::test
