// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What a publish costs apart from waiting for the disk: the body that is
/// rendered, and what it takes until notifications are in the journal, by how
/// many share a commit.

#include "bench/micro/sample_store.hpp"
#include "bench/samples.hpp"
#include "protocol/payload/publication.hpp"

#include <benchmark/benchmark.h>

namespace fanfare::bench {

namespace {

void render_publication(benchmark::State& state) {
  const publication one{.action = "pretix.event.order.placed",
                        .event = "democon",
                        .payload = R"({"code": "ABC23"})"};
  protocol::publication_renderer renderer{"bench"};
  for (auto _ : state) {
    if (state.range(0) == 1)
      renderer = protocol::publication_renderer{"bench"};
    benchmark::DoNotOptimize(renderer.render(one));
  }
}
BENCHMARK(render_publication)
  ->Name("publish/render")
  ->ArgName("alone")
  ->Arg(0)
  ->Arg(1);

void commit_publishes(benchmark::State& state) {
  sample_store store{1};
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state)
    store.publish(count);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(commit_publishes)
  ->Name("publish/commit")
  ->Arg(1)
  ->Arg(100)
  ->Arg(10'000)
  ->Unit(benchmark::kMicrosecond)
  ->UseRealTime();

} // namespace

} // namespace fanfare::bench
