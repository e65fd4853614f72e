// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// An engine in this program, as its users embed it: nothing but the public
/// headers. Prints what it measured as a line of JSON.
///
///   embed publish DIR --threads 4 --form callback --seconds 2
///   embed fanout DIR --url http://127.0.0.1:8081 --webhooks 1000
///   --notifications 300
///
/// `publish` counts what was durable when the time was up; there is no webhook.
/// `fanout` takes the time from the first publish until each call of each
/// webhook is in the log. Both end with 1 if anything was refused, failed or is
/// missing.

#include "fanfare/engine.hpp"

#include <CLI/CLI.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto patience = 600s;
constexpr std::string_view action = "pretix.event.order.placed";
/// Publishes by callback are kept to that many in flight, as
/// <fanfare/engine.hpp> recommends: two commit groups.
constexpr std::size_t most_in_flight = 20'000;

struct options {
  std::string data;
  std::size_t threads = 1;
  std::string form = "callback";
  std::size_t batch = 100;
  double seconds = 2;
  std::string url;
  std::size_t webhooks = 1'000;
  std::size_t notifications = 300;
};

fanfare::publication one() {
  return {.action = std::string{action},
          .event = "democon",
          .payload = R"({"code": "ABC23"})"};
}

std::vector<fanfare::publication> many(std::size_t count) {
  return std::vector<fanfare::publication>(count, one());
}

/// Publishes as soon as there is room in the queue.
template <class What, class Done>
void publish_soon(fanfare::engine& engine, fanfare::organizer_id owner,
                  What what, Done done) {
  using ids = std::conditional_t<std::is_same_v<What, fanfare::publication>,
                                 fanfare::position,
                                 std::vector<fanfare::position>>;
  std::function<void(fanfare::result<ids>)> callback = std::move(done);
  for (;;) {
    // What is refused is left as it was.
    // NOLINTBEGIN(bugprone-use-after-move)
    const auto taken = engine.try_publish(owner, std::move(what),
                                          std::move(callback));
    if (taken)
      return;
    if (taken.error().code != fanfare::ec::overloaded)
      return callback(taken.error());
    // NOLINTEND(bugprone-use-after-move)
    std::this_thread::sleep_for(100us);
  }
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

/// Counts up to what is expected.
class tally {
public:
  void add(std::size_t n) {
    const auto now = count_.fetch_add(n) + n;
    if (now >= wanted_.load()) {
      const std::lock_guard guard{mutex_};
      reached_.notify_all();
    }
  }
  bool wait_for(std::size_t wanted) {
    std::unique_lock guard{mutex_};
    wanted_ = wanted;
    const bool there = reached_.wait_for(
      guard, patience, [&] { return count_.load() >= wanted; });
    wanted_ = SIZE_MAX;
    return there;
  }
  [[nodiscard]] std::size_t count() const {
    return count_.load();
  }

private:
  std::atomic<std::size_t> count_{0};
  std::atomic<std::size_t> wanted_{SIZE_MAX};
  std::mutex mutex_;
  std::condition_variable reached_;
};

int run_publish(const options& chosen) {
  auto engine = fanfare::engine::start({.data = chosen.data}).value();
  const auto owner = engine->ensure_organizer("bench").value().id;
  engine->publish(owner, one()).value(); // the event is known from here on
  tally durable, refused, published;
  std::atomic<bool> over{false};
  const auto work = [&] {
    std::size_t mine = 0;
    tally ended;
    const auto in_flight = std::max(most_in_flight / chosen.threads,
                                    chosen.batch);
    while (!over.load(std::memory_order_relaxed)) {
      if (chosen.form == "blocking") {
        const auto id = engine->publish(owner, one());
        (id ? durable : refused).add(1);
        mine += 1;
        continue;
      }
      if (chosen.form == "callback") {
        publish_soon(*engine, owner, one(),
                     [&](const fanfare::result<fanfare::position>& id) {
                       (id ? durable : refused).add(1);
                       ended.add(1);
                     });
        mine += 1;
      } else {
        const auto size = chosen.batch;
        publish_soon(
          *engine, owner, many(size),
          [&,
           size](const fanfare::result<std::vector<fanfare::position>>& ids) {
            (ids ? durable : refused).add(size);
            ended.add(size);
          });
        mine += size;
      }
      if (mine > in_flight)
        ended.wait_for(mine - in_flight / 2); // not woken for each
    }
    if (chosen.form != "blocking")
      ended.wait_for(mine); // the callbacks refer to it
    published.add(mine);
  };
  const auto cpu = cpu_seconds();
  const auto start = clock_type::now();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < chosen.threads; ++i)
    threads.emplace_back(work);
  std::this_thread::sleep_for(std::chrono::duration<double>(chosen.seconds));
  const auto counted = durable.count();
  const auto took = seconds_since(start);
  over = true;
  for (auto& t : threads)
    t.join();
  if (refused.count() != 0 || !durable.wait_for(published.count())) {
    std::fprintf(stderr, "embed: %zu were refused, %zu of %zu are durable\n",
                 refused.count(), durable.count(), published.count());
    return 1;
  }
  // Until the last one was durable, all of them cost what is counted.
  std::printf(R"({"rate": %.1f, "cpu_s_per_1000": %.6f, "published": %zu})"
              "\n",
              static_cast<double>(counted) / took,
              (cpu_seconds() - cpu) / static_cast<double>(durable.count())
                * 1000,
              durable.count());
  engine->stop(10s);
  return 0;
}

int run_fanout(const options& chosen) {
  tally logged, failed;
  fanfare::engine_options with;
  with.data = chosen.data;
  with.network.allow = {"127.0.0.0/8"};
  with.call_observers.emplace_back([&](const fanfare::call& made) {
    if (made.result != fanfare::outcome::delivered)
      failed.add(1);
    logged.add(1);
  });
  auto engine = fanfare::engine::start(std::move(with)).value();
  const auto owner = engine->ensure_organizer("bench").value().id;
  // Many at once share commits.
  constexpr int registrars = 16;
  std::vector<std::thread> threads;
  threads.reserve(registrars);
  std::atomic<std::size_t> next{0};
  for (int i = 0; i < registrars; ++i)
    threads.emplace_back([&] {
      for (auto at = next++; at < chosen.webhooks; at = next++)
        engine
          ->add_webhook(
            owner, {.target_url = chosen.url + "/hook/" + std::to_string(at),
                    .action_types = {std::string{action}}})
          .value();
    });
  for (auto& t : threads)
    t.join();
  engine->publish(owner, one()).value(); // connections, actors
  if (!logged.wait_for(chosen.webhooks))
    return 1;
  const auto deliveries = chosen.webhooks * chosen.notifications;
  const auto cpu = cpu_seconds();
  const auto start = clock_type::now();
  for (auto left = chosen.notifications; left > 0;) {
    const auto size = std::min<std::size_t>(left, 1'000);
    engine->publish(owner, many(size)).value();
    left -= size;
  }
  const bool all = logged.wait_for(chosen.webhooks + deliveries);
  const auto took = seconds_since(start);
  if (!all || failed.count() != 0) {
    std::fprintf(stderr, "embed: %zu calls of %zu, %zu failed\n",
                 logged.count() - chosen.webhooks, deliveries, failed.count());
    return 1;
  }
  std::printf(R"({"rate": %.1f, "cpu_s_per_1000": %.6f, "deliveries": %zu})"
              "\n",
              static_cast<double>(deliveries) / took,
              (cpu_seconds() - cpu) / static_cast<double>(deliveries) * 1000,
              deliveries);
  engine->stop(10s);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  options chosen;
  CLI::App app{"Measures an engine that is embedded in this program"};
  app.require_subcommand(1);
  auto* publish = app.add_subcommand("publish", "How many become durable");
  auto* fanout = app.add_subcommand("fanout", "How many are delivered");
  for (auto* command : {publish, fanout})
    command->add_option("data", chosen.data, "An empty directory")->required();
  publish->add_option("--threads", chosen.threads, "That publish")
    ->check(CLI::PositiveNumber)
    ->capture_default_str();
  publish->add_option("--form", chosen.form, "Of publishing")
    ->check(CLI::IsMember({"batch", "callback", "blocking"}))
    ->capture_default_str();
  publish->add_option("--batch", chosen.batch, "Notifications in each")
    ->check(CLI::Range(1, 1'000))
    ->capture_default_str();
  publish->add_option("--seconds", chosen.seconds, "To publish")
    ->check(CLI::PositiveNumber)
    ->capture_default_str();
  fanout->add_option("--url", chosen.url, "Of the receiver")->required();
  fanout->add_option("--webhooks", chosen.webhooks)->capture_default_str();
  fanout->add_option("--notifications", chosen.notifications)
    ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return publish->parsed() ? run_publish(chosen) : run_fanout(chosen);
  } catch (const std::exception& why) {
    std::fprintf(stderr, "embed: %s\n", why.what());
    return 1;
  }
}
