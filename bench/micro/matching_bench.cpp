// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Who gets a notification: the index of subscriptions, and filters on bodies.

#include "actors/subscription_index.hpp"
#include "bench/samples.hpp"
#include "model/payload_filter.hpp"

#include <benchmark/benchmark.h>

#include <array>

namespace fanfare::bench {

namespace {

/// Among so many webhooks, of which a hundredth matches.
void match_index(benchmark::State& state) {
  const auto index = index_of(static_cast<std::size_t>(state.range(0)));
  std::size_t found = 0;
  for (auto _ : state)
    index.for_each_match(owner, type, "pretix.event.order.placed", event,
                         [&found](auto r) {
                           benchmark::DoNotOptimize(r);
                           ++found;
                         });
  state.counters["matches"] = static_cast<double>(found)
                            / static_cast<double>(state.iterations());
}
BENCHMARK(match_index)
  ->Name("match/index")
  ->RangeMultiplier(10)
  ->Range(100, 100'000);

/// A filter looks at a body that was not looked at before.
void match_filter(benchmark::State& state) {
  const auto looks = filter();
  const std::array what{order_placed(1), order_placed(2)};
  std::size_t turn = 0;
  for (auto _ : state) {
    const auto& n = what[turn++ % what.size()];
    if (!looks->matches(n.id, n.body))
      state.SkipWithError("the filter does not hold");
  }
}
BENCHMARK(match_filter)->Name("match/filter");

/// A further filter looks at the same body.
void match_filter_again(benchmark::State& state) {
  const auto looks = filter();
  const auto n = order_placed(1);
  for (auto _ : state)
    benchmark::DoNotOptimize(looks->matches(n.id, n.body));
}
BENCHMARK(match_filter_again)->Name("match/filter_again");

} // namespace

} // namespace fanfare::bench
