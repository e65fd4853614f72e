// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Where webhooks stand, by the LMDB store: see storage/deliveries.hpp for what
/// it promises.

#include "storage/deliveries.hpp"
#include "storage/lmdb/state/live_state.hpp"

namespace fanfare::storage::lmdb {

class deliveries final : public storage::deliveries {
public:
  explicit deliveries(const live_state& live) : live_(live) {}

  [[nodiscard]] result<std::vector<retry>>
  retries(webhook_id hook) const override;
  [[nodiscard]] result<std::vector<retry>>
  retries(webhook_id hook, const action_choice& which) const override;
  [[nodiscard]] result<standing> find_standing(webhook_id hook,
                                               position at) const override;
  [[nodiscard]] result<backlog_size>
  count_backlog(const webhook_record& hook,
                std::size_t max_scan) const override;
  [[nodiscard]] result<replay> find_replay(webhook_id hook) const override;
  [[nodiscard]] result<selection> select(const webhook_record& hook,
                                         const replay& wanted) const override;

private:
  /// `which`: null for all.
  [[nodiscard]] result<std::vector<retry>>
  read_set(webhook_id hook, const action_choice* which) const;

  const live_state& live_;
};

} // namespace fanfare::storage::lmdb
