// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An engine's figures, as metrics: each with name, type and one sentence.
/// docs/metrics.md lists them; a test holds it to that.

#include "engine/counters.hpp"
#include "engine/crew.hpp"
#include "engine/tracing/span_queue.hpp"
#include "fanfare/metrics.hpp"
#include "fanfare/types.hpp"
#include "model/records.hpp"
#include "storage/store.hpp"

#include <string>
#include <vector>

namespace fanfare {

/// Where figures are read from, at one moment.
struct figure_sources {
  const engine_counters& counted;
  const crew_figures& crew;
  storage::store_statistics stored;
  timestamp now{};
  bool ready = false;
  const span_counts* traced = nullptr; ///< null: nothing is traced
};

/// Any thread.
[[nodiscard]] std::vector<metric> figures_of(const figure_sources& from);

/// Of an organizer's webhooks, which is `count` in all. Any thread.
[[nodiscard]] std::vector<metric>
figures_of(const std::string& organizer,
           const std::vector<webhook_record>& hooks, std::size_t count,
           const webhook_tallies& counted);

} // namespace fanfare
