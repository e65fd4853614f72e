// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Knows which webhooks are an organizer's, each looked up once.

#include "storage/lmdb/tables/records.hpp"

#include <unordered_map>

namespace fanfare::storage::lmdb {

class ownership {
public:
  ownership(transaction& txn, organizer_id owner)
    : owner_(owner),
      at_(txn, table::organizer_webhooks) {}

  bool includes(webhook_id hook) {
    const auto [known, is_new] = known_.try_emplace(hook, false);
    if (is_new) {
      webhook_id id = 0;
      std::uint32_t enabled = 0;
      known->second = at_.seek(as_key(owner_), webhook_entry{hook, 0U}.view())
                   && webhook_entry::read(at_.value(), id, enabled)
                   && id == hook;
    }
    return known->second;
  }

private:
  organizer_id owner_;
  cursor at_;
  std::unordered_map<webhook_id, bool> known_;
};

} // namespace fanfare::storage::lmdb
