// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/every_store.hpp"

namespace fanfare::test {

namespace {

constexpr auto lifetime = std::chrono::milliseconds{idempotency_lifetime};
const timestamp start = at_ms(1'700'000'000'000);

class IdempotencyTest : public every_store_test {
protected:
  stored_answer remember(char key, timestamp now, std::string body) {
    remember_answer op;
    op.key = key_of(key);
    op.now = now;
    op.answer = answer_of(std::move(body));
    return run(std::move(op)).done.value();
  }

  stored_answer_ptr find(char key, timestamp now) {
    return store_->find_answer(key_of(key), now).value();
  }

  expiry_plan plan(timestamp now, std::size_t limit = 100) {
    return store_->plan_expiry({}, limit, now - lifetime).value();
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, IdempotencyTest, every_store(), name_of_store);

TEST_P(IdempotencyTest, OfAPublishIsKeptWithItAndKeepsItFromHappeningAgain) {
  publish(draft_of(1));
  auto first = run(once('k', start, 3, true, 4));
  EXPECT_EQ(ids_of(first.done.value()), (std::vector<position>{2, 3, 4}));
  EXPECT_FALSE(first.earlier);
  const stored_answer receipt{
    publish_receipt{.first = 2, .count = 3, .list = true, .indent = 4}};
  reopen();
  EXPECT_EQ(*find('k', start), receipt);
  auto again = run(once('k', start + lifetime / 2));
  EXPECT_TRUE(again.done.value().empty());
  ASSERT_TRUE(again.earlier);
  EXPECT_EQ(*again.earlier, receipt);
  EXPECT_EQ(store_->journal().tail(), 4U);
}

TEST_P(IdempotencyTest, KeepsWhatWasAskedFor) {
  request_fingerprint asked{};
  asked.fill('a');
  auto op = once('k', start);
  op.once->asked = asked;
  run(std::move(op));
  remember_answer plain;
  plain.key = key_of('l');
  plain.now = start;
  plain.answer = answer_of("made");
  plain.answer.asked = asked;
  run(std::move(plain));
  reopen();
  const auto asked_of = [this](char key) {
    return std::visit([](const auto& answer) { return answer.asked; },
                      *find(key, start));
  };
  EXPECT_EQ(asked_of('k'), asked);
  EXPECT_EQ(asked_of('l'), asked);
  remember('m', start, "unknown");
  EXPECT_EQ(asked_of('m'), std::nullopt);
}

TEST_P(IdempotencyTest, HoldsWithinOneCommit) {
  auto both = run_together(once('k', start), once('k', start),
                           once('l', start));
  EXPECT_EQ(store_->journal().tail(), 2U);
  EXPECT_FALSE(std::get<append_notifications>(both[0]).earlier);
  EXPECT_TRUE(std::get<append_notifications>(both[1]).earlier);
  EXPECT_FALSE(std::get<append_notifications>(both[2]).earlier);
}

TEST_P(IdempotencyTest, EndsAfterTwentyFourHours) {
  run(once('k', start));
  EXPECT_TRUE(find('k', start + lifetime - std::chrono::milliseconds{1}));
  EXPECT_FALSE(find('k', start + lifetime));
  run(once('k', start + lifetime - std::chrono::milliseconds{1}));
  EXPECT_EQ(store_->journal().tail(), 1U);
  run(once('k', start + lifetime));
  EXPECT_EQ(store_->journal().tail(), 2U);
  // Its time counts anew, and the old one's end is not its own.
  EXPECT_TRUE(find('k', start + lifetime + lifetime / 2));
  EXPECT_FALSE(plan(start + lifetime + lifetime / 2).answers);
}

TEST_P(IdempotencyTest, KeepsTheFirstAnswerOfAKey) {
  EXPECT_EQ(remember('k', start, "one"), stored_answer{answer_of("one")});
  EXPECT_EQ(remember('k', start, "two"), stored_answer{answer_of("one")});
  EXPECT_EQ(remember('l', start, "two"), stored_answer{answer_of("two")});
  EXPECT_EQ(*run(once('k', start)).earlier, stored_answer{answer_of("one")});
  EXPECT_EQ(store_->journal().tail(), 0U);
  reopen();
  EXPECT_EQ(*find('k', start), stored_answer{answer_of("one")});
  EXPECT_EQ(remember('k', start + lifetime, "new"),
            stored_answer{answer_of("new")});
}

TEST_P(IdempotencyTest, IsRemovedOnceItIsTooOldInBoundedSteps) {
  for (char c = 'a'; c < 'f'; ++c)
    remember(c, start + std::chrono::milliseconds{c - 'a'}, "x");
  EXPECT_FALSE(plan(start + lifetime).answers);
  const auto now = start + lifetime + std::chrono::milliseconds{3};
  EXPECT_TRUE(plan(now, 2).more);
  EXPECT_FALSE(plan(now, 3).more);
  run(expire{
    .notifications = {}, .answers_before = now - lifetime, .max_answers = 2});
  EXPECT_FALSE(find('a', start));
  EXPECT_FALSE(find('b', start));
  EXPECT_TRUE(find('c', start));
  run(expire{.notifications = {}, .answers_before = now - lifetime});
  EXPECT_FALSE(find('c', start));
  EXPECT_TRUE(find('d', start));
  EXPECT_FALSE(plan(now).answers);
}

TEST_P(IdempotencyTest, IsKeptWhenTheClockWasNeverSet) {
  remember('k', at_ms(5), "x");
  EXPECT_FALSE(plan(at_ms(10)).answers);
  run(expire{.notifications = {}, .answers_before = at_ms(10) - lifetime});
  EXPECT_TRUE(find('k', at_ms(10)));
}

TEST_P(IdempotencyTest, IsNotKeptOfAPublishThatWasRefused) {
  auto op = once('k', start);
  op.drafts.front().new_event = std::string(1'000, 'x');
  EXPECT_EQ(code_of(run(op).done), ec::too_large);
  EXPECT_FALSE(find('k', start));
}

} // namespace

} // namespace fanfare::test
