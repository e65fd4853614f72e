// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/pipeline.hpp"

#include <gtest/gtest.h>

namespace fanfare::protocol::server {

namespace {

using answer_state = pipeline::place::answer_state;

http_response saying(const char* body) {
  return {200, {}, body};
}

TEST(PipelineTest, PutsEachAnswerIntoItsPlace) {
  pipeline line;
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(line.next_number(), i);
    line.push({});
  }
  line.answer(2, saying("last"));
  line.answer(0, saying("first"));
  EXPECT_EQ(line[0].answer.body, "first");
  EXPECT_EQ(line[1].state, answer_state::awaited);
  EXPECT_EQ(line[2].answer.body, "last");
}

TEST(PipelineTest, GoesOnCountingWhenPlacesLeave) {
  pipeline line;
  line.push({});
  line.push({});
  line.pop(1);
  EXPECT_EQ(line.next_number(), 2U);
  line.answer(1, saying("second"));
  EXPECT_EQ(line[0].answer.body, "second");
  line.pop(1);
  EXPECT_TRUE(line.empty());
  EXPECT_EQ(line.next_number(), 2U);
}

TEST(PipelineTest, IgnoresAnswersToRequestsThatHaveLeft) {
  pipeline line;
  line.push({});
  line.pop(1);
  line.push({});
  line.answer(0, saying("late"));
  line.answer(2, saying("never asked"));
  EXPECT_EQ(line[0].state, answer_state::awaited);
}

TEST(PipelineTest, NotesThatNobodyWillAnswer) {
  pipeline line;
  line.push({});
  line.answer(0, std::nullopt);
  EXPECT_EQ(line[0].state, answer_state::never);
}

} // namespace

} // namespace fanfare::protocol::server
