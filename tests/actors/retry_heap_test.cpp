// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The retries of a webhook against a sorted list of them.

#include "actors/webhook/retry_heap.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

retry entry(position subject, int due, std::uint16_t attempt) {
  return {.subject = subject,
          .due = timestamp{std::chrono::milliseconds{due}},
          .attempt = attempt};
}

TEST(RetryHeapTest, GivesTheEarliestOfAllAndOfThoseThatFailed) {
  std::minstd_rand random{11};
  retry_heap subject;
  std::vector<retry> model;
  position next = 0;
  const auto take = [&model](auto i) {
    const auto r = *i;
    model.erase(i);
    return r;
  };
  for (int step = 0; step < 5'000; ++step) {
    const auto earliest = std::ranges::min_element(model, {}, &retry::due);
    switch (random() % 5) {
      case 0:
      case 1:
      case 2: {
        // Each due time once, so that the order is known.
        const auto due = static_cast<int>(random() % 1'000) * 10'000 + step;
        const auto attempt = static_cast<std::uint16_t>(1 + random() % 3);
        subject.put(entry(++next, due, attempt));
        model.push_back(entry(next, due, attempt));
        break;
      }
      case 3:
        if (!model.empty()) {
          ASSERT_EQ(subject.earliest(), *earliest);
          ASSERT_EQ(subject.pop(), take(earliest));
        }
        break;
      default: {
        auto failed = model.end();
        for (auto i = model.begin(); i != model.end(); ++i)
          if (i->attempt > 1
              && (failed == model.end() || i->subject < failed->subject))
            failed = i;
        ASSERT_EQ(subject.oldest_failed() == nullptr, failed == model.end());
        if (failed != model.end()) {
          ASSERT_EQ(*subject.oldest_failed(), *failed);
          ASSERT_THAT(subject.pop_oldest_failed(1, failed->due - 1ms),
                      IsEmpty());
          const auto due = failed->due;
          ASSERT_THAT(subject.pop_oldest_failed(1, due),
                      ElementsAre(take(failed)));
        }
      }
    }
    ASSERT_EQ(subject.size(), model.size());
    ASSERT_EQ(subject.empty(), model.empty());
  }
}

TEST(RetryHeapTest, ReplacesThoseOfTheSameNotifications) {
  retry_heap subject;
  for (position p = 1; p <= 5; ++p)
    subject.put(entry(p, 10, p % 2 == 0 ? 1 : 2));
  subject.replace({entry(2, 3, 2), entry(5, 20, 1), entry(9, 1, 1)});
  std::vector<retry> all;
  while (!subject.empty())
    all.push_back(subject.pop());
  EXPECT_EQ(all,
            (std::vector{entry(9, 1, 1), entry(2, 3, 2), entry(1, 10, 2),
                         entry(3, 10, 2), entry(4, 10, 1), entry(5, 20, 1)}));
}

TEST(RetryHeapTest, GivesItsMemoryBackWhenItIsCleared) {
  retry_heap subject;
  for (position p = 1; p <= 10'000; ++p)
    subject.put(entry(p, 1, p % 2 == 0 ? 1 : 2));
  subject.clear();
  EXPECT_TRUE(subject.empty());
  EXPECT_EQ(subject.capacity(), 0U);
}

} // namespace

} // namespace fanfare::test
