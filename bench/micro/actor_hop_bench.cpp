// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// A notification goes from one actor to another, which share a lane or do not:
/// then each message wakes a thread.

#include "actors/interfaces.hpp"
#include "actors/lanes/lane_actor.hpp"
#include "actors/lanes/lanes.hpp"
#include "bench/samples.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <benchmark/benchmark.h>

#include <memory>
#include <semaphore>

namespace fanfare::bench {

namespace {

using player_actor = caf::typed_actor<
  caf::reacts_to<notification_ptr, std::uint32_t>>;

/// Sends back what it gets until the number with it is zero.
class player final : public lane_actor<player_actor> {
public:
  player(caf::actor_config& cfg, player_actor* partner,
         std::binary_semaphore* ended)
    : lane_actor(cfg),
      partner_(partner),
      ended_(ended) {}

  behavior_type make_behavior() override {
    return {
      [this](const notification_ptr& what, std::uint32_t left) {
        if (left == 0)
          ended_->release();
        else
          this->send(*partner_, what, left - 1);
      },
    };
  }

private:
  player_actor* partner_;
  std::binary_semaphore* ended_;
};

struct two_lanes : caf::actor_system_config {
  two_lanes() {
    set("scheduler.max-threads", std::size_t{2});
    load<lane_coordinator>();
  }
};

void hop(benchmark::State& state, std::size_t other_lane) {
  constexpr std::uint32_t hops = 1'000;
  two_lanes config;
  caf::actor_system system{config};
  system.await_actors_before_shutdown(false);
  auto& lanes = lane_coordinator::of(system).lanes();
  std::binary_semaphore ended{0};
  player_actor first;
  player_actor second;
  first = spawn_on<player>(*lanes[0], &second, &ended);
  second = spawn_on<player>(*lanes[other_lane], &first, &ended);
  const auto what = std::make_shared<const notification>(order_placed(1));
  for (auto _ : state) {
    caf::anon_send(first, notification_ptr{what}, hops);
    ended.acquire();
  }
  state.SetItemsProcessed(state.iterations() * hops);
  caf::anon_send_exit(first, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(second, caf::exit_reason::user_shutdown);
  // The lanes end first: a player that still runs looks at its partner.
  lane_coordinator::of(system).halt();
}
BENCHMARK_CAPTURE(hop, same_lane, 0)
  ->Name("hop/same_lane/1000")
  ->Unit(benchmark::kMicrosecond)
  ->UseRealTime();
BENCHMARK_CAPTURE(hop, other_lane, 1)
  ->Name("hop/other_lane/1000")
  ->Unit(benchmark::kMicrosecond)
  ->UseRealTime();

} // namespace

} // namespace fanfare::bench
