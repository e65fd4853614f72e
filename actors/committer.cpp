// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/committer.hpp"

#include "actors/lanes/lanes.hpp"

#include <utility>

namespace fanfare {

committer::committer(caf::actor_config& cfg, committer_config config)
  : committer_actor::base(cfg),
    pipeline_(std::move(config)) {
  this->set_exception_handler(reason_of);
}

committer::behavior_type committer::make_behavior() {
  return {
    [this](atom::commit) { pipeline_.run(); },
  };
}

void committer::on_exit() {
  // If it ended by an exception, whoever waits must not wait for ever.
  pipeline_.give_up(writing_has_thrown());
}

} // namespace fanfare
