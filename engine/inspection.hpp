// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The fate of notifications, the state of webhooks, and previews of filters
/// and replays. It changes nothing.

#include "engine/crew.hpp"
#include "engine/directory.hpp"
#include "engine/lifecycle.hpp"
#include "engine/orders.hpp"
#include "engine/webhook_form.hpp"
#include "fanfare/clock.hpp"
#include "fanfare/queries.hpp"
#include "fanfare/reports.hpp"
#include "protocol/security/vault.hpp"
#include "storage/store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// The parts of an inspection; all must outlive it.
struct inspection_parts {
  const lifecycle& life;
  const storage::store& store;
  const directory& names;
  const protocol::vault& vault;
  const wall_clock& clock;
  const crew& actors;
  orders& asks;
};

/// The errors of all functions are those that <fanfare/engine.hpp> documents.
/// Any thread.
class inspection {
public:
  explicit inspection(const inspection_parts& parts) : parts_(parts) {}

  result<notification_ptr> find_notification(organizer_id owner,
                                             position id) const;
  result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                  const call_query& which) const;
  result<call> find_call(organizer_id owner, webhook_id hook, call_id id) const;
  result<std::vector<retry>> retries(organizer_id owner, webhook_id hook) const;
  result<webhook_health> health(organizer_id owner, webhook_id hook) const;

  /// Of all webhooks of the organizer if `hook` is 0.
  result<call_statistics> call_counts(organizer_id owner, webhook_id hook,
                                      const statistics_query& which) const;

  result<std::vector<explanation>> explain(const notification& what,
                                           const explanation_query& which);
  result<explanation> explain(const notification& what, webhook_id hook);

  result<filter_preview> preview_filter(organizer_id owner, webhook_id hook,
                                        std::string_view filter) const;
  result<replay_preview> preview_replay(organizer_id owner, webhook_id hook,
                                        const replay_request& asked) const;

  /// True while the engine runs and the disk takes writes.
  [[nodiscard]] bool ready() const {
    return parts_.life.running() && !parts_.actors.commits().failing();
  }
  [[nodiscard]] engine_statistics statistics() const;

private:
  result<std::vector<explanation>>
  explain(const std::vector<webhook_record>& hooks, const notification& what);

  inspection_parts parts_;
  webhook_form form_{parts_.names, parts_.vault};
};

} // namespace fanfare
