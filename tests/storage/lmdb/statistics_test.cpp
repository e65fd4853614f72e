// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// How statistics lie in the tables: what they take, what becomes of what is
/// old, and that what is damaged is found.

#include "storage/lmdb/state/statistics.hpp"

#include "storage/lmdb/file/transaction.hpp"
#include "storage/lmdb/tables/format.hpp"
#include "tests/storage/lmdb/sample_records.hpp"
#include "tests/storage/lmdb/store_test.hpp"

#include <cmath>
#include <cstdio>
#include <random>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using lmdb::table;
using std::chrono::microseconds;

constexpr timestamp first_day{std::chrono::seconds{1'800'014'400}};

/// Tables without a store: calls are appended, and counted when told.
class StatisticsTables : public ::testing::Test {
protected:
  StatisticsTables()
    : env_(std::move(lmdb::environment::open({.file = dir_ / "tables.mdb",
                                              .map_size = std::size_t{1} << 30})
                       .value())) {
    lmdb::write_transaction txn{*env_};
    lmdb::open_tables(txn);
    EXPECT_TRUE(txn.commit());
  }

  template <class Do>
  void write(Do&& by) {
    lmdb::write_transaction txn{*env_};
    lmdb::record_writer to{txn};
    by(to);
    ASSERT_TRUE(txn.ok()) << txn.failure().detail;
    ASSERT_TRUE(txn.commit());
  }

  void add_hooks(webhook_id count) {
    write([&](lmdb::record_writer& to) {
      auto hook = hook_of(1, {1});
      for (hook.id = 1; hook.id <= count; ++hook.id)
        to.append(table::webhooks, hook.id, hook);
    });
  }

  void append(lmdb::record_writer& to, webhook_id hook, timestamp time,
              microseconds took = 10ms, std::uint16_t status = 200) {
    auto c = call_of(hook, 1, outcome::delivered, 0);
    c.id = ++last_;
    c.time = time;
    c.status = status;
    c.timings.total = took;
    to.append(table::calls, c.id, c);
  }

  void count(lmdb::record_writer& to) {
    lmdb::count_if_due(to, last_);
  }

  /// Bytes of the keys and values of webhooks, and the nodes that have them.
  [[nodiscard]] std::size_t bytes_in(table in) {
    constexpr std::size_t node = 8 + 2; // its header, and its place in the page
    std::size_t sum = 0;
    lmdb::read_transaction txn{*env_, result<void>{}};
    lmdb::cursor at{txn, in};
    for (auto more = at.first(); more; more = at.next()) {
      std::uint32_t row = 0;
      std::uint64_t subject = 0;
      EXPECT_TRUE(lmdb::tally_key::read(at.key(), row, subject));
      if ((subject & lmdb::of_organizer) == 0)
        sum += node + at.key().size() + (at.value().size() + 1) / 2 * 2;
    }
    return sum;
  }
  [[nodiscard]] std::size_t rows_in(table in) {
    lmdb::read_transaction txn{*env_, result<void>{}};
    return txn.count(in);
  }

  /// All that the tables have of a webhook or an organizer.
  [[nodiscard]] call_tally sum_of(std::uint64_t subject) {
    call_tally sum;
    lmdb::read_transaction txn{*env_, result<void>{}};
    for (const auto in : {table::statistics, table::older_statistics}) {
      lmdb::cursor at{txn, in};
      for (auto more = at.first(); more; more = at.next()) {
        std::uint32_t row = 0;
        std::uint64_t found = 0;
        EXPECT_TRUE(lmdb::tally_key::read(at.key(), row, found));
        if (found != subject)
          continue;
        lmdb::tally_walk walk{at.value()};
        while (walk.next())
          sum.add(walk.value());
        EXPECT_TRUE(walk.ok());
      }
    }
    return sum;
  }

  temp_dir dir_;
  std::unique_ptr<lmdb::environment> env_;
  call_id last_ = 0;
};

TEST_F(StatisticsTables, AreWrittenOnceForFiveMinutes) {
  add_hooks(1);
  write([&](lmdb::record_writer& to) {
    append(to, 1, first_day);
    count(to);
    append(to, 1, first_day + 1min);
    const auto before = to.txn().changes();
    count(to);
    EXPECT_EQ(to.txn().changes(), before) << "not due";
    append(to, 1, first_day + 5min);
    count(to);
    EXPECT_GT(to.txn().changes(), before);
    EXPECT_EQ(lmdb::read_counted(to.txn()).last_call, 3U);
  });
  EXPECT_EQ(sum_of(1).calls(), 3U);
  EXPECT_EQ(sum_of(1 | lmdb::of_organizer).calls(), 3U);
}

TEST_F(StatisticsTables, AreWrittenWhenManyAreNotCounted) {
  add_hooks(1);
  write([&](lmdb::record_writer& to) {
    append(to, 1, first_day);
    count(to);
    for (int i = 0; i < 9; ++i)
      append(to, 1, first_day);
    lmdb::count_if_due(to, last_, 10);
    EXPECT_EQ(lmdb::read_counted(to.txn()).last_call, 1U);
    append(to, 1, first_day);
    lmdb::count_if_due(to, last_, 10);
    EXPECT_EQ(lmdb::read_counted(to.txn()).last_call, 11U);
  });
  EXPECT_EQ(sum_of(1).calls(), 11U);
}

TEST_F(StatisticsTables, AreCountedInPartsIfThereIsMuch) {
  constexpr std::size_t much = 25'100;
  add_hooks(1'000);
  write([&](lmdb::record_writer& to) {
    for (std::size_t i = 0; i < much; ++i)
      append(to, 1 + i % 1'000, first_day);
    lmdb::count_calls(to, last_, 10'000);
  });
  EXPECT_EQ(sum_of(1 | lmdb::of_organizer).calls(), much);
  EXPECT_EQ(sum_of(1).calls(), much / 1'000 + 1);
  EXPECT_EQ(rows_in(table::statistics), 1'001U);
}

TEST_F(StatisticsTables, OfADayAreAFewHoursLater) {
  add_hooks(2);
  const auto at = [&](timestamp time) {
    write([&](lmdb::record_writer& to) {
      append(to, 1, time);
      count(to);
    });
  };
  for (int i = 0; i < 24; ++i)
    at(first_day + i * 1h);
  EXPECT_EQ(rows_in(table::statistics), 48U) << "the webhook, its organizer";
  EXPECT_EQ(rows_in(table::older_statistics), 0U);
  at(first_day + 24h + 50h + 1min);
  EXPECT_EQ(rows_in(table::statistics), 2U);
  EXPECT_EQ(rows_in(table::older_statistics), 4U) << "two rows for a day";
  EXPECT_EQ(sum_of(1).calls(), 25U);
  at(first_day + 24h + 32 * 24h);
  EXPECT_EQ(rows_in(table::older_statistics), 2U) << "nothing of the first day";
  EXPECT_EQ(sum_of(1).calls(), 2U);
}

TEST_F(StatisticsTables, MoveOnABoundedPartAtATime) {
  constexpr webhook_id hooks = 3'000;
  add_hooks(hooks);
  write([&](lmdb::record_writer& to) {
    for (webhook_id i = 1; i <= hooks; ++i)
      append(to, i, first_day);
    count(to);
  });
  const auto one_more = [&](timestamp time) {
    write([&](lmdb::record_writer& to) {
      append(to, 1, time);
      count(to);
    });
  };
  one_more(first_day + 60h);
  EXPECT_GT(rows_in(table::statistics), hooks / 2);
  for (int i = 1; i < 13; ++i)
    one_more(first_day + 60h + i * 5min);
  EXPECT_EQ(rows_in(table::older_statistics), hooks + 1);
}

TEST_F(StatisticsTables, AreOfNoWebhookThatWasNotCalled) {
  add_hooks(100);
  write([&](lmdb::record_writer& to) {
    append(to, 7, first_day);
    count(to);
  });
  EXPECT_EQ(rows_in(table::statistics), 2U) << "it, and its organizer";
}

/// A month of calls of a webhook, and what they take for a day of it.
class StatisticsSize : public StatisticsTables {
protected:
  /// `calls`: in 5 minutes. Durations spread over some octaves, as those of a
  /// receiver do that has something to do; one in a hundred fails.
  double bytes_a_day(int calls) {
    constexpr int days = 33; // until what is added goes again
    add_hooks(1);
    std::mt19937_64 random{1};
    std::lognormal_distribution<double> took{std::log(40'000), 0.4};
    for (int i = 0; i < days * 288; i += 12) // an hour
      write([&](lmdb::record_writer& to) {
        for (int at = i; at < i + 12; ++at) {
          for (int n = 0; n < calls; ++n)
            append(to, 1, first_day + at * 5min,
                   microseconds{static_cast<std::int64_t>(took(random))},
                   random() % 100 == 0 ? 503 : 200);
          count(to);
        }
        lmdb::write_cursor old{to.txn(), table::calls};
        for (auto more = old.first(); more; more = old.next())
          old.erase();
      });
    const auto all = bytes_in(table::statistics)
                   + bytes_in(table::older_statistics);
    constexpr int kept = 32;
    const auto bytes = static_cast<double>(all) / kept;
    std::printf("%d calls in 5 minutes: %.0f bytes a day\n", calls, bytes);
    return bytes;
  }
};

TEST_F(StatisticsSize, OfAWebhookWithACallInFiveMinutes) {
  EXPECT_LT(bytes_a_day(1), 512);
}

TEST_F(StatisticsSize, OfAWebhookWithACallAMinute) {
  EXPECT_LT(bytes_a_day(5), 1'024);
}

TEST_F(StatisticsSize, OfAWebhookWithACallInThreeSeconds) {
  EXPECT_LT(bytes_a_day(100), 1'280);
}

// -- rows ---------------------------------------------------------------------

call_tally some_tally() {
  call_tally out;
  auto c = call_of(1, 1, outcome::delivered, 0);
  c.timings.total = 10ms;
  out.add(classify(c));
  return out;
}

using places = std::vector<unsigned>;

bool is_row(const places& at, const call_tally& each) {
  tally_row row;
  for (const auto place : at)
    row.tallies.emplace_back(place, each);
  std::string bytes;
  encode(bytes, row);
  return decode(bytes, row);
}

TEST(TallyRow, OfOneCallTakesFourBytesAndItsLayout) {
  std::string row;
  encode(row, tally_row{{{3, some_tally()}}});
  EXPECT_EQ(row.size(), 5U);
}

TEST(TallyRow, MustAscend) {
  EXPECT_TRUE(is_row({0, 3, 11}, some_tally()));
  EXPECT_FALSE(is_row({3, 3}, some_tally()));
  EXPECT_FALSE(is_row({3, 2}, some_tally()));
  EXPECT_FALSE(is_row({12}, some_tally()));
}

TEST(TallyRow, OfATallyWithoutCallsIsNone) {
  EXPECT_FALSE(is_row({0}, call_tally{}));
}

TEST(TallyRow, CannotHaveMoreFailuresAmongAnswersThanAnswers) {
  auto tally = some_tally();
  tally.failures[11] = 2; // http_3xx
  EXPECT_FALSE(is_row({0}, tally));
}

} // namespace

} // namespace fanfare::test
