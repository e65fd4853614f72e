// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Base of actors that stay on the lane they are spawned on, because they share
/// sockets, timers or admission with it. Without lanes (under CAF's test
/// scheduler) it is an ordinary typed actor.

#include "actors/lanes/lanes.hpp"

#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace fanfare {

template <class Handle>
class lane_actor : public Handle::base {
public:
  using super = typename Handle::base;
  using handle_type = Handle;
  using behavior_type = typename Handle::behavior_type;

  explicit lane_actor(caf::actor_config& cfg)
    : super(cfg),
      home_(dynamic_cast<lane*>(cfg.host)) {
    this->set_exception_handler(reason_of);
  }

  using super::enqueue;

  /// CAF would run the actor on its sender's thread.
  void enqueue(caf::mailbox_element_ptr item,
               caf::execution_unit* unit) override {
    super::enqueue(std::move(item), home_ != nullptr ? home_ : unit);
  }

protected:
  /// The handle of this actor.
  [[nodiscard]] Handle handle() {
    return Handle{this};
  }

private:
  lane* home_;
};

/// Spawns `Actor` on a lane.
template <class Actor, class... Ts>
typename Actor::handle_type spawn_on(lane& home, Ts&&... xs) {
  caf::actor_config cfg{&home};
  return home.system().template spawn_class<Actor, caf::no_spawn_options>(
    cfg, std::forward<Ts>(xs)...);
}

} // namespace fanfare
