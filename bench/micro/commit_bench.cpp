// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What it takes until calls are on disk, by how many share a commit: writing
/// and waiting for the disk. Where that is no real disk, the figures are small.

#include "bench/micro/sample_store.hpp"
#include "bench/samples.hpp"

#include <benchmark/benchmark.h>

#include <vector>

namespace fanfare::bench {

namespace {

void commit_calls(benchmark::State& state) {
  constexpr webhook_id webhooks = 100;
  sample_store store{webhooks};
  std::vector<storage::operation> batch;
  for (std::int64_t i = 0; i < state.range(0); ++i)
    batch.emplace_back(storage::append_call{delivered(1, 0)});
  std::uint64_t count = 0;
  for (auto _ : state) {
    for (auto& op : batch) {
      // One webhook after the other, each with one notification after another.
      auto& entry = std::get<storage::append_call>(op).entry;
      entry.hook = 1 + count % webhooks;
      entry.subject = entry.settled_upto = 1 + count / webhooks;
      ++count;
    }
    commit(*store, batch);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}
BENCHMARK(commit_calls)
  ->Name("commit/calls")
  ->Arg(1)
  ->Arg(100)
  ->Arg(1'000)
  ->Unit(benchmark::kMicrosecond)
  ->UseRealTime();

} // namespace

} // namespace fanfare::bench
