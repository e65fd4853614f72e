// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The call log of the LMDB store: see storage/call_log.hpp for what it
/// promises.

#include "storage/call_log.hpp"
#include "storage/lmdb/state/live_state.hpp"

namespace fanfare::storage::lmdb {

class call_log final : public storage::call_log {
public:
  explicit call_log(const live_state& live) : live_(live) {}

  [[nodiscard]] result<std::vector<call>>
  newest(webhook_id hook, call_id before, std::size_t limit) const override;
  [[nodiscard]] result<found_calls>
  search(organizer_id owner, const call_search& wanted) const override;
  [[nodiscard]] result<std::vector<call_tally>>
  count(const tally_query& which) const override;
  [[nodiscard]] result<newer_calls>
  newer(organizer_id owner, call_id after,
        const feed_limits& within) const override;
  [[nodiscard]] call_id last() const override {
    return live_.last_call();
  }
  [[nodiscard]] result<call_id> last_before(timestamp t) const override;
  [[nodiscard]] result<call> find(webhook_id hook, call_id id) const override;

private:
  const live_state& live_;
};

} // namespace fanfare::storage::lmdb
