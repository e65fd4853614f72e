// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Who waits for an actor, and whose turn it is.

#include "actors/waiting_line.hpp"

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;

notification_ptr make(position at, organizer_id owner = 1,
                      std::size_t bytes = 10) {
  auto n = std::make_shared<notification>();
  n->id = at;
  n->owner = owner;
  n->body.assign(bytes, 'x');
  return n;
}

std::vector<waiting_line::ref> drain(waiting_line& from) {
  std::vector<waiting_line::ref> all;
  while (const auto found = from.next())
    all.push_back(found->who);
  return all;
}

TEST(WaitingLine, OrganizersTakeTurnsAndEachGoesInOrder) {
  waiting_line line;
  for (const waiting_line::ref r : {1U, 2U, 3U})
    line.add(r, make(10, 1));
  line.add(7, make(11, 2));
  line.add(4, make(12, 1));
  EXPECT_EQ(line.size(), 5U);
  EXPECT_TRUE(line.has(2));
  EXPECT_THAT(drain(line), ElementsAre(1, 7, 2, 3, 4));
  EXPECT_TRUE(line.empty());
  EXPECT_FALSE(line.has(1));
}

TEST(WaitingLine, KnowsFromWhereToWhereEachHasWaited) {
  waiting_line line;
  const auto first = make(10);
  line.add(1, first);
  EXPECT_FALSE(line.extend(2, 11)) << "it does not wait";
  EXPECT_TRUE(line.extend(1, 15));
  EXPECT_EQ(line.lowest_cursor(), 9U);
  const auto found = line.next();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->cursor, 9U);
  EXPECT_EQ(found->upto, 15U);
  EXPECT_EQ(found->first, first);
  EXPECT_EQ(line.lowest_cursor(), std::nullopt);
}

TEST(WaitingLine, OneThatIsTakenOutOfItsTurnDoesNotComeAgain) {
  waiting_line line;
  line.add(1, make(10));
  line.add(2, make(10));
  line.add(3, make(11, 2));
  EXPECT_EQ(line.take(9), std::nullopt);
  const auto taken = line.take(1);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->cursor, 9U);
  EXPECT_EQ(line.take(1), std::nullopt);
  line.add(1, make(12)); // it waits anew
  EXPECT_THAT(drain(line), ElementsAre(2, 3, 1));
}

TEST(WaitingLine, KeepsNoMoreThanItsBytesInMemory) {
  waiting_line line;
  line.add(1, make(10, 1, waiting_line::most_bytes));
  line.add(2, make(11, 1));
  EXPECT_NE(line.next()->first, nullptr);
  EXPECT_EQ(line.next()->first, nullptr) << "it is read again";
  line.add(1, make(12, 1));
  EXPECT_NE(line.next()->first, nullptr);
}

TEST(WaitingLine, LosesNobodyWhateverIsDone) {
  std::minstd_rand random{7};
  waiting_line line;
  struct known {
    position cursor;
    position upto;
  };
  std::map<waiting_line::ref, known> model;
  position next = 0;
  for (int step = 0; step < 20'000; ++step) {
    const auto who = static_cast<waiting_line::ref>(random() % 50);
    const auto owner = static_cast<organizer_id>(1 + who % 3);
    switch (random() % 4) {
      case 0:
      case 1: {
        ++next;
        ASSERT_EQ(line.extend(who, next), model.contains(who));
        if (model.contains(who))
          model[who].upto = next;
        else
          line.add(who, make(next, owner)), model[who] = {next - 1, next};
        break;
      }
      case 2: {
        const auto found = line.next();
        ASSERT_EQ(found.has_value(), !model.empty());
        if (found) {
          ASSERT_TRUE(model.contains(found->who));
          ASSERT_EQ(found->cursor, model[found->who].cursor);
          ASSERT_EQ(found->upto, model[found->who].upto);
          ASSERT_EQ(found->first->id, found->cursor + 1);
          model.erase(found->who);
        }
        break;
      }
      default: {
        const auto found = line.take(who);
        ASSERT_EQ(found.has_value(), model.contains(who));
        model.erase(who);
      }
    }
    ASSERT_EQ(line.size(), model.size());
    for (const auto& [ref, at] : model)
      ASSERT_LE(*line.lowest_cursor(), at.cursor);
  }
}

} // namespace

} // namespace fanfare::test
