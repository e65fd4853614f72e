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

pipeline::place of(request_kind kind) {
  pipeline::place place;
  place.kind = kind;
  return place;
}

TEST(PipelineTest, AdmitsEveryKindWhenNothingIsUnderWay) {
  pipeline line;
  EXPECT_TRUE(line.admits(request_kind::exclusive));
  line.push(of(request_kind::exclusive));
  line.push(of(request_kind::exclusive));
  line.answer(0, saying("first"));
  EXPECT_FALSE(line.admits(request_kind::safe));
  line.answer(1, std::nullopt);
  EXPECT_TRUE(line.admits(request_kind::safe));
  EXPECT_TRUE(line.admits(request_kind::exclusive));
}

TEST(PipelineTest, AdmitsTheKindThatIsUnderWay) {
  for (const auto kind : {request_kind::safe, request_kind::ordered}) {
    const auto other = kind == request_kind::safe ? request_kind::ordered
                                                  : request_kind::safe;
    pipeline line;
    line.push(of(kind));
    line.push(of(kind));
    line.answer(1, saying("second"));
    EXPECT_TRUE(line.admits(kind));
    EXPECT_FALSE(line.admits(other));
    EXPECT_FALSE(line.admits(request_kind::exclusive));
  }
}

TEST(PipelineTest, AdmitsNothingBesideAnExclusiveRequest) {
  pipeline line;
  line.push(of(request_kind::exclusive));
  EXPECT_FALSE(line.admits(request_kind::exclusive));
  EXPECT_FALSE(line.admits(request_kind::ordered));
  line.answer(0, saying("done"));
  line.answer(0, saying("again")); // counts once
  line.push(of(request_kind::safe));
  EXPECT_FALSE(line.admits(request_kind::ordered));
  line.pop(1);
  EXPECT_FALSE(line.admits(request_kind::ordered));
  line.pop(1); // all: nobody waits for their answers any more
  EXPECT_TRUE(line.admits(request_kind::ordered));
}

TEST(PipelineTest, AdmitsNoSecondRequestOfTheSameMark) {
  pipeline line;
  auto marked = of(request_kind::ordered);
  marked.mark = 7;
  line.push(of(request_kind::ordered));
  EXPECT_TRUE(line.admits(request_kind::ordered, 7));
  line.push(std::move(marked));
  EXPECT_FALSE(line.admits(request_kind::ordered, 7));
  EXPECT_TRUE(line.admits(request_kind::ordered, 8));
  EXPECT_TRUE(line.admits(request_kind::ordered));
  line.answer(1, saying("second"));
  EXPECT_TRUE(line.admits(request_kind::ordered, 7));
}

} // namespace

} // namespace fanfare::protocol::server
