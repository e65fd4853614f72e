// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What a request is made of: the plan of a webhook with the head that all its
/// requests share, made once per change, and the headers of one attempt.

#include "actors/webhook/delivery_plan.hpp"
#include "bench/samples.hpp"
#include "protocol/target/target.hpp"

#include <benchmark/benchmark.h>

namespace fanfare::bench {

namespace {

/// The URL and the head made of it.
void render_target(benchmark::State& state) {
  const auto url = signed_webhook({}).target_url;
  for (auto _ : state)
    benchmark::DoNotOptimize(protocol::target::parse(url));
}
BENCHMARK(render_target)->Name("render/target");

/// All that is made of a webhook's record.
void render_plan(benchmark::State& state) {
  const auto hook = signed_webhook({hmac_secret});
  for (auto _ : state)
    benchmark::DoNotOptimize(delivery_plan{hook, {}});
}
BENCHMARK(render_plan)->Name("render/plan");

/// An attempt: so many secrets, with trace or without.
void render_attempt(benchmark::State& state) {
  auto hook = signed_webhook({});
  if (state.range(0) > 0)
    hook = state.range(0) == 1 ? signed_webhook({hmac_secret})
                               : signed_webhook({hmac_secret, hmac_secret});
  delivery_plan plan{hook, {}};
  const auto what = order_placed(123'456);
  const auto passed_on = state.range(1) == 0 ? std::string_view{} : trace;
  for (auto _ : state)
    benchmark::DoNotOptimize(
      plan.headers("msg_1_123456", what.body, passed_on, what.published));
}
BENCHMARK(render_attempt)
  ->Name("render/attempt")
  ->ArgNames({"secrets", "trace"})
  ->ArgsProduct({{0, 1, 2}, {0, 1}});

} // namespace

} // namespace fanfare::bench
