// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The state of the whole at a glance: figures that are kept, and a closer look
/// at the webhooks that are worst off.

#include "actors/watch.hpp"
#include "engine/crew.hpp"
#include "engine/directory.hpp"
#include "engine/disk_watch.hpp"
#include "engine/inspection.hpp"
#include "engine/orders.hpp"
#include "fanfare/clock.hpp"
#include "fanfare/status.hpp"
#include "storage/store.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace fanfare {

/// The parts of an overview; all must outlive it.
struct overview_parts {
  const storage::store& store;
  const directory& names;
  const wall_clock& clock;
  const crew& actors;
  const inspection& state;
  const disk_watch& disk;
  operator_watch& watch;
  const commit_figures& commits;
  orders& asks;
};

/// Any thread.
class overview {
public:
  explicit overview(const overview_parts& parts)
    : parts_(parts),
      started_(parts.clock.now()) {}

  /// As engine::status documents; of all organizers if `owner` is 0.
  [[nodiscard]] engine_status look(organizer_id owner, std::size_t most) const;

private:
  void add_engine(engine_status& to) const;
  void add_certificates(engine_status& to, organizer_id owner,
                        std::size_t most) const;
  /// False: there is no such webhook, or it is well meanwhile.
  bool describe(troubled_webhook& one) const;
  /// Of what is in the journal only; 0: nothing, or nothing near.
  [[nodiscard]] position oldest_backlog(webhook_id hook) const;
  void ask_actors(std::vector<troubled_webhook>& of) const;

  overview_parts parts_;
  timestamp started_;
};

} // namespace fanfare
