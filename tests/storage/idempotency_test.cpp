// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/tables/format.hpp"
#include "storage/lmdb/tables/keys.hpp"
#include "tests/storage/store_test.hpp"

#include <lmdb.h>

namespace fanfare::test {

namespace {

constexpr auto lifetime = std::chrono::milliseconds{idempotency_lifetime};
const timestamp start = at_ms(1'700'000'000'000);

idempotency_key key_of(char c) {
  idempotency_key key;
  key.fill(c);
  return key;
}

plain_answer answer_of(std::string body) {
  return {.status = 201,
          .headers = {{"Content-Type", "application/json"}},
          .body = std::move(body)};
}

append_notifications once(char key, timestamp now, std::size_t count = 1,
                          bool list = false, std::uint32_t indent = 0) {
  auto op = publish_of(std::vector<draft>(count, draft_of(1)), now);
  op.once = publish_once{.key = key_of(key), .list = list, .indent = indent};
  return op;
}

class Idempotency : public store_test {
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

TEST_F(Idempotency, OfAPublishIsKeptWithItAndKeepsItFromHappeningAgain) {
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

TEST_F(Idempotency, KeepsWhatWasAskedFor) {
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

TEST_F(Idempotency, HoldsWithinOneCommit) {
  auto both = run_together(once('k', start), once('k', start),
                           once('l', start));
  EXPECT_EQ(store_->journal().tail(), 2U);
  EXPECT_FALSE(std::get<append_notifications>(both[0]).earlier);
  EXPECT_TRUE(std::get<append_notifications>(both[1]).earlier);
  EXPECT_FALSE(std::get<append_notifications>(both[2]).earlier);
}

TEST_F(Idempotency, EndsAfterTwentyFourHours) {
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

TEST_F(Idempotency, KeepsTheFirstAnswerOfAKey) {
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

TEST_F(Idempotency, IsRemovedOnceItIsTooOldInBoundedSteps) {
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

TEST_F(Idempotency, IsNotKeptOfAPublishThatWasRefused) {
  auto op = once('k', start);
  op.drafts.front().new_event = std::string(1'000, 'x');
  EXPECT_EQ(code_of(run(op).done), ec::too_large);
  EXPECT_FALSE(find('k', start));
}

TEST_F(Idempotency, OfAFullStoreStillAnswersWhatIsKept) {
  store_options small{.max_size = std::size_t{8} << 20};
  reopen(small);
  run(once('k', start));
  auto full = ec::ok;
  for (int i = 0; i < 1'000 && full == ec::ok; ++i)
    full = code_of(
      run(publish_of({draft_of(1, 1, std::string(50'000, 'x'))})).done);
  ASSERT_EQ(full, ec::store_full);
  EXPECT_TRUE(run(once('k', start)).earlier);
  remember_answer big;
  big.key = key_of('l');
  big.now = start;
  big.answer = answer_of(std::string(50'000, 'x'));
  EXPECT_EQ(code_of(run(big).done), ec::store_full);
}

TEST_F(Idempotency, ComesToAStoreOfTheFirstVersionWhenItIsOpened) {
  publish(draft_of(1));
  store_.reset();
  // As the first version left it: other stamp, no such tables.
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  ASSERT_EQ(mdb_env_create(&env), 0);
  mdb_env_set_maxdbs(env, 4);
  const auto file = dir_ / "data/fanfare.mdb";
  ASSERT_EQ(mdb_env_open(env, file.c_str(), MDB_NOSUBDIR, 0600), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  MDB_dbi dbi = 0;
  for (const auto* name : {"idempotency", "idempotency_times"}) {
    ASSERT_EQ(mdb_dbi_open(txn, name, 0, &dbi), 0);
    ASSERT_EQ(mdb_drop(txn, dbi, 1), 0);
  }
  ASSERT_EQ(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
  const std::uint32_t first_version = 1;
  std::string name = "format";
  std::string stamp = "fanfare:" + std::string{lmdb::as_key(first_version)};
  MDB_val k{name.size(), name.data()};
  MDB_val v{stamp.size(), stamp.data()};
  ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);

  open();
  EXPECT_EQ(store_->journal().tail(), 1U);
  run(once('k', start));
  reopen();
  EXPECT_TRUE(find('k', start));
  store_.reset();

  ASSERT_EQ(mdb_env_create(&env), 0);
  mdb_env_set_maxdbs(env, 4);
  ASSERT_EQ(mdb_env_open(env, file.c_str(), MDB_NOSUBDIR, 0600), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn), 0);
  ASSERT_EQ(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
  ASSERT_EQ(mdb_get(txn, dbi, &k, &v), 0);
  const std::string now{static_cast<const char*>(v.mv_data), v.mv_size};
  EXPECT_EQ(now, "fanfare:" + std::string{lmdb::as_key(lmdb::format_version)});
  mdb_txn_abort(txn);
  mdb_env_close(env);
}

} // namespace

} // namespace fanfare::test
