// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/lmdb/store_test.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

// Figures rather than promises. Those that take long are not run by default:
// fanfare_storage_scale_test --gtest_also_run_disabled_tests

namespace fanfare::test {

namespace {

using std::chrono::steady_clock;

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

/// A line of /proc/self/status, in MiB.
double memory(const std::string& name) {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":"))
      return std::stod(line.substr(name.size() + 1)) / 1024;
  return 0;
}

/// A call of each webhook, in the order of their ends, which is any.
double seconds_of_a_round(lmdb::embedded_store& store, webhook_id hooks,
                          timestamp when, position subject) {
  constexpr webhook_id stride = 7'919; // a prime
  for (webhook_id made = 0; made < hooks;) {
    std::vector<operation> batch;
    for (int i = 0; i < 500 && made < hooks; ++i, ++made) {
      auto c = call_of(1 + made * stride % hooks, subject, outcome::delivered,
                       subject);
      c.time = when;
      c.timings.total = std::chrono::microseconds{1'000 + made % 50'000};
      batch.emplace_back(append_call{std::move(c)});
    }
    EXPECT_TRUE(store.commit(batch));
  }
  store.settle();
  const auto start = steady_clock::now();
  std::vector<operation> batch;
  batch.emplace_back(save_checkpoint{.routed_upto = subject});
  EXPECT_TRUE(store.commit(batch));
  return seconds_since(start);
}

} // namespace

using Scale = store_test;

TEST_F(Scale, AMillionWebhooksAreReadAtAStart) {
  constexpr webhook_id count = 1'000'000;
  auto start = steady_clock::now();
  for (webhook_id made = 0; made < count;) {
    std::vector<operation> batch;
    for (int i = 0; i < 20'000; ++i, ++made) {
      auto hook = hook_of(static_cast<organizer_id>(1 + made % 1000),
                          {1, 5, 9});
      hook.target_url = "https://receiver.example.org/hooks/"
                      + std::to_string(made);
      hook.action_types = {"pretix.event.order.placed",
                           "pretix.event.order.paid"};
      batch.emplace_back(add_webhook{.value = std::move(hook)});
    }
    ASSERT_TRUE(store_->commit(batch));
  }
  std::printf("made:    %.2f s, %.0f bytes each on disk\n",
              seconds_since(start),
              static_cast<double>(store_->statistics().bytes_used) / count);
  start = steady_clock::now();
  reopen();
  std::printf("opened:  %.3f s\n", seconds_since(start));
  auto before = memory("RssAnon");
  start = steady_clock::now();
  webhook_id seen = 0;
  ASSERT_TRUE(
    store_->registry().for_each_webhook([&](const webhook_record& hook) {
      seen = hook.id;
      return true;
    }));
  std::printf("visited: %.2f s, %.1f MiB of anonymous memory more, %.1f MiB of "
              "the file mapped\n",
              seconds_since(start), memory("RssAnon") - before,
              memory("RssFile"));
  EXPECT_EQ(seen, count);
#ifndef __SANITIZE_ADDRESS__ // whose own memory is not what is measured
  EXPECT_LT(memory("RssAnon") - before, 20);
  EXPECT_LT(memory("RssFile"), 60);
#endif
}

TEST_F(Scale, CallsOfAHundredThousandWebhooksAreCountedInAMoment) {
  using namespace std::chrono_literals;
  constexpr webhook_id hooks = 100'000;
  for (webhook_id made = 0; made < hooks;) {
    std::vector<operation> batch;
    for (int i = 0; i < 20'000; ++i, ++made)
      batch.emplace_back(add_webhook{
        .value = hook_of(static_cast<organizer_id>(1 + made % 100), {1})});
    ASSERT_TRUE(store_->commit(batch));
  }
  for (int i = 0; i < 4; ++i)
    publish(draft_of(1));
  const timestamp noon{std::chrono::seconds{1'800'014'400}};
  const auto first = seconds_of_a_round(*store_, hooks, noon, 1);
  const auto without = seconds_of_a_round(*store_, hooks, noon, 2);
  const auto with = seconds_of_a_round(*store_, hooks, noon + 5min, 3);
  const auto last = seconds_of_a_round(*store_, hooks, noon, 4);
  std::printf("checkpoint of 100,000 webhooks: %.3f s without a count, %.3f s "
              "with the first one of an hour, %.3f s with one of 200,000 calls "
              "after it\n",
              without, first, with);
  EXPECT_LT(with, 20 * (without + last)) << "no more than a moment";
  const auto start = steady_clock::now();
  const auto found = store_->call_log()
                       .count(
                         {.owner = 1, .since = noon, .step = 5min, .steps = 12})
                       .value();
  std::printf("statistics of an organizer with 100,000 calls that are not "
              "counted yet: %.3f s\n",
              seconds_since(start));
  EXPECT_EQ(found[0].calls() + found[1].calls(), 4U * hooks / 100);
}

TEST_F(Scale, WhatWasReadOfABacklogDoesNotStayInMemory) {
  constexpr std::size_t count = 100'000;
  constexpr std::size_t size = 2'000;
  auto hook = add_hook(1, {1});
  for (std::size_t made = 0; made < count; made += 1'000)
    run(publish_of(
      std::vector<draft>(1'000, draft_of(1, 1, std::string(size, 'x')))));
  position after = 0;
  std::size_t found = 0;
  double most = 0;
  while (after < store_->journal().tail()) {
    auto read = store_->journal()
                  .read_backlog(hook, after, store_->journal().tail(), 256,
                                10'000)
                  .value();
    found += read.matches.size();
    after = read.read_upto;
    most = std::max(most, memory("RssFile"));
  }
  EXPECT_EQ(found, count);
  // Each notification fills half a page of the file.
  EXPECT_LT(most, static_cast<double>(count * size) / (1 << 20) / 2);
}

TEST_F(Scale, DISABLED_CommitsPerSecond) {
  auto start = steady_clock::now();
  int commits = 0;
  for (; seconds_since(start) < 3; ++commits)
    publish(draft_of(1, 1, std::string(150, 'x')));
  std::printf("commits of one notification: %.0f a second\n",
              commits / seconds_since(start));
  start = steady_clock::now();
  commits = 0;
  for (; seconds_since(start) < 3; ++commits)
    run(publish_of(
      std::vector<draft>(1000, draft_of(1, 1, std::string(150, 'x')))));
  std::printf("commits of 1,000: %.0f a second, %.0f notifications a second\n",
              commits / seconds_since(start),
              1000 * commits / seconds_since(start));
}

TEST_F(Scale, DISABLED_CallsOfAFanOut) {
  constexpr webhook_id hooks = 1000;
  constexpr call_id calls = 300'000;
  run(publish_of(std::vector<draft>(calls / hooks, draft_of(1))));
  for (auto head_size : {0U, 160U}) {
    auto used = store_->statistics().bytes_used;
    double writing = 0;
    double slowest = 0;
    call_id id = 0;
    while (id < calls) {
      std::vector<operation> batch;
      for (int i = 0; i < 500; ++i, ++id) {
        auto subject = 1 + id / hooks;
        auto c = call_of(1 + id % hooks, subject, outcome::delivered, subject);
        c.time = at_ms(1'700'000'000'000 + static_cast<std::int64_t>(id) / 60);
        c.timings.first_byte = std::chrono::microseconds{900};
        c.timings.total = std::chrono::microseconds{1000};
        c.target_url = "http://127.0.0.1:8081/hooks/123";
        c.response_head = std::string(head_size, 'h');
        batch.emplace_back(append_call{std::move(c)});
      }
      auto start = steady_clock::now();
      ASSERT_TRUE(store_->commit(batch));
      slowest = std::max(slowest, seconds_since(start));
      writing += seconds_since(start);
    }
    std::printf("calls with heads of %u bytes: %.2f us each, slowest commit "
                "%.1f ms, %.0f bytes "
                "each on disk\n",
                head_size, writing * 1e6 / calls, slowest * 1e3,
                static_cast<double>(store_->statistics().bytes_used - used)
                  / calls);
  }
  auto start = steady_clock::now();
  reopen();
  std::printf("recovered: %zu calls in %.3f s\n",
              store_->recovered().calls_replayed, seconds_since(start));
  start = steady_clock::now();
  checkpoint(store_->journal().tail());
  std::printf("checkpoint of %llu webhooks: %.1f ms\n",
              static_cast<unsigned long long>(hooks),
              seconds_since(start) * 1e3);
}

TEST_F(Scale, DISABLED_BacklogOfAMillion) {
  auto hook = add_hook(1, {1});
  for (int i = 0; i < 1000; ++i)
    run(publish_of(std::vector<draft>(1000, draft_of(i % 10 == 0 ? 1 : 2))));
  auto start = steady_clock::now();
  position after = 0;
  std::size_t found = 0;
  while (after < store_->journal().tail()) {
    auto read = store_->journal()
                  .read_backlog(hook, after, store_->journal().tail(), 256,
                                10'000)
                  .value();
    found += read.matches.size();
    after = read.read_upto;
  }
  std::printf("backlog: %zu matches of 1,000,000 in %.3f s\n", found,
              seconds_since(start));
}

} // namespace fanfare::test
