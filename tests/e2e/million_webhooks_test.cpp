// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// A million registered webhooks: what they cost before anything happens.

#include "storage/embedded.hpp"
#include "tests/e2e/support/e2e_test.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::size_t organizer_count = sanitized ? 200 : 1000;
constexpr std::size_t hooks_each = 1000;

/// A line of /proc/PID/status, in MiB.
double memory_of(pid_t pid, const std::string& name) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
  std::string line;
  while (std::getline(file, line))
    if (line.starts_with(name + ':'))
      return std::stod(line.substr(name.size() + 1)) / 1024;
  throw std::runtime_error{"no " + name};
}

class MillionWebhooksTest : public E2eTest {
protected:
  static std::string slug(std::size_t i) {
    return "organizer-" + std::to_string(i);
  }

  void print_memory(const char* when) {
    const auto pid = running().process().pid();
    std::printf("%s: VmRSS %.0f MiB (anonymous %.0f, files %.0f), VmHWM %.0f "
                "MiB\n",
                when, memory_of(pid, "VmRSS"), memory_of(pid, "RssAnon"),
                memory_of(pid, "RssFile"), memory_of(pid, "VmHWM"));
  }

  /// Registers them in the store itself; those of the first organizer point to
  /// the sink.
  void fill(const http_sink& sink) {
    auto opened = storage::open_embedded(dir_ / "data");
    ASSERT_TRUE(opened) << opened.error().detail;
    auto& store = **opened;
    const auto types = store.registry().action_types();
    ASSERT_TRUE(types);
    std::vector<action_type_id> ids;
    for (const auto* name : {order_placed, order_paid, order_changed})
      for (const auto& type : *types)
        if (type.name == name)
          ids.push_back(type.id);
    ASSERT_EQ(ids.size(), 3U);
    std::ranges::sort(ids);
    for (std::size_t i = 0; i < organizer_count; ++i) {
      std::vector<storage::operation> first;
      first.emplace_back(
        storage::add_organizer{.slug = slug(i), .name = slug(i)});
      ASSERT_TRUE(store.commit(first));
      const auto& added = std::get<storage::add_organizer>(first[0]).done;
      ASSERT_TRUE(added) << added.error().detail;
      std::vector<storage::operation> hooks;
      hooks.reserve(hooks_each);
      for (std::size_t k = 0; k < hooks_each; ++k) {
        const auto path = "/hooks/" + slug(i) + '/' + std::to_string(k);
        storage::add_webhook add;
        add.value->owner = added->id;
        add.value->target_url = i == 0 ? sink.url(path)
                                       : "https://receiver-" + std::to_string(k)
                                           + ".example.org" + path;
        add.value->action_types = {order_changed, order_paid, order_placed};
        add.value->versions.resize(1);
        add.value->current().types = ids;
        hooks.emplace_back(std::move(add));
      }
      const auto done = store.commit(hooks);
      ASSERT_TRUE(done) << done.error().detail;
    }
  }
};

TEST_F(MillionWebhooksTest, StartsQuicklyAndStaysSmall) {
  http_sink sink;
  start(); // registers the built-in action types
  stop();
  const auto before = clock::now();
  fill(sink);
  if (HasFatalFailure())
    return;
  std::printf(
    "registering %zu webhooks of %zu organizers took %.1f s, the "
    "store has %.0f MiB\n",
    organizer_count * hooks_each, organizer_count,
    std::chrono::duration<double>(clock::now() - before).count(),
    static_cast<double>(std::filesystem::file_size(dir_ / "data/fanfare.mdb"))
      / (1 << 20));

  start();
  std::printf("listening after %lld ms\n",
              static_cast<long long>(running().startup_time().count()));
  print_memory("after the start");
  const auto pid = running().process().pid();
  const auto started = memory_of(pid, "VmRSS");
  const auto published = clock::now();
  publish(slug(0));
  ASSERT_TRUE(sink.wait_for(hooks_each, patience));
  std::printf("%zu deliveries of one notification took %lld ms\n", hooks_each,
              static_cast<long long>(
                std::chrono::duration_cast<std::chrono::milliseconds>(
                  clock::now() - published)
                  .count()));
  print_memory("after the deliveries");
  auto scraped = clock::duration::max();
  for (int i = 0; i < 5; ++i) { // the machine may be busy once
    const auto asked = clock::now();
    const auto page = api().get("/metrics");
    scraped = std::min(scraped, clock::now() - asked);
    ASSERT_EQ(page.status, 200U) << page.body;
    EXPECT_NE(page.body.find("\nfanfare_webhooks "
                             + std::to_string(organizer_count * hooks_each)
                             + '\n'),
              std::string::npos);
  }
  std::printf("a scrape takes %.1f ms\n",
              std::chrono::duration<double, std::milli>(scraped).count());
  if (!sanitized) {
    EXPECT_LT(scraped, 50ms);
  }
  EXPECT_LT(running().startup_time(), 10s);
  if (!sanitized) {
    EXPECT_LT(started, 300.0);
    EXPECT_LT(memory_of(pid, "VmRSS"), 300.0);
  }
  stop();
  EXPECT_EQ(sink.size(), hooks_each);
}

} // namespace

} // namespace fanfare::test
