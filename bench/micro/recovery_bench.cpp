// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// A start after a crash, from the files to all that the engine has in memory
/// before it delivers: the registry in the index, what was published since the
/// checkpoint, and the state of each webhook that has something to do.

#include "actors/subscription_index.hpp"
#include "bench/micro/sample_store.hpp"
#include "bench/samples.hpp"

#include <benchmark/benchmark.h>

#include <vector>

namespace fanfare::bench {

namespace {

constexpr std::size_t webhooks = 100;
/// Notifications that the router reads at a time.
constexpr std::size_t chunk = 1'000;

/// Returns how many retries wait.
std::size_t load(storage::store& store) {
  subscription_index index;
  store.registry()
    .for_each_webhook([&index](const webhook_record& hook) {
      index.put(hook.id, hook.owner, hook.current());
      return true;
    })
    .value();
  for (auto at = store.recovered().routed_upto; at < store.journal().tail();) {
    const auto
      read = store.journal().read(at, store.journal().tail(), chunk).value();
    at = read.back()->id;
  }
  std::vector<storage::operation> loads;
  for (const auto& one : store.recovered().webhooks)
    loads.emplace_back(storage::barrier{.load = one.hook});
  commit(store, loads);
  std::size_t retries = 0;
  for (auto& op : loads)
    retries += std::get<storage::barrier>(op).done->retries.size();
  return retries;
}

void start(benchmark::State& state, sample_store& store, std::size_t calls,
           std::size_t retries) {
  for (auto _ : state) {
    state.PauseTiming();
    store.close();
    state.ResumeTiming();
    store.open();
    if (load(*store) != retries || store->recovered().calls_replayed != calls)
      state.SkipWithError("something else was found than was written");
  }
}

/// So many calls after the checkpoint.
void recover_calls(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  sample_store store{webhooks};
  store.checkpoint();
  store.publish(count / webhooks);
  store.log_calls(1, store->journal().tail(), outcome::delivered);
  start(state, store, count, 0);
}
BENCHMARK(recover_calls)
  ->Name("recover/calls")
  ->Arg(1'000)
  ->Arg(10'000)
  ->Arg(100'000)
  ->Unit(benchmark::kMillisecond)
  ->UseRealTime();

/// So many notifications wait to be tried again.
void recover_retries(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  sample_store store{webhooks};
  store.publish(count / webhooks);
  store.log_calls(1, store->journal().tail(), outcome::retried);
  store.checkpoint();
  start(state, store, 0, count);
}
BENCHMARK(recover_retries)
  ->Name("recover/retries")
  ->Arg(1'000)
  ->Arg(10'000)
  ->Arg(100'000)
  ->Unit(benchmark::kMillisecond)
  ->UseRealTime();

} // namespace

} // namespace fanfare::bench
