// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Writes what waits in the commit queue (`commit_pipeline`) whenever it is
/// told that something does. It runs on a thread of its own, because a commit
/// waits for the disk.

#include "actors/commit_pipeline.hpp"
#include "actors/interfaces.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace fanfare {

class committer final : public committer_actor::base {
public:
  committer(caf::actor_config& cfg, committer_config config);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  commit_pipeline pipeline_;
};

} // namespace fanfare
