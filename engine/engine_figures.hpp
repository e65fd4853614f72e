// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Everything that is counted where it happens: by lane, so that no lane waits
/// for another, by commit, and by webhook. Any thread reads it.

#include "actors/commit_figures.hpp"
#include "actors/webhook/delivery_board.hpp"
#include "actors/webhook/webhook_tally.hpp"
#include "protocol/client/client_counters.hpp"
#include "protocol/dns/dns_counters.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace fanfare {

/// By one lane's thread.
struct lane_figures {
  delivery_board work;
  protocol::client_counters wire;
  protocol::dns_counters names;
};

/// It outlives the actors and the lanes.
struct engine_figures {
  explicit engine_figures(std::size_t lane_count) {
    for (std::size_t i = 0; i < lane_count; ++i)
      lanes.push_back(std::make_unique<lane_figures>());
  }

  std::vector<std::unique_ptr<lane_figures>> lanes;
  commit_figures commits;
  webhook_tallies webhooks;
};

} // namespace fanfare
