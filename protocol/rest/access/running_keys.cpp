// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/access/running_keys.hpp"

namespace fanfare::protocol::rest {

std::optional<running_keys::entry>
running_keys::enter(const idempotency_key& key) {
  const std::lock_guard guard{mutex_};
  if (!keys_.insert(key).second)
    return std::nullopt;
  return entry{*this, key};
}

bool running_keys::contains(const idempotency_key& key) const {
  const std::lock_guard guard{mutex_};
  return keys_.contains(key);
}

void running_keys::entry::release() {
  if (auto* all = std::exchange(all_, nullptr)) {
    const std::lock_guard guard{all->mutex_};
    all->keys_.erase(key_);
  }
}

} // namespace fanfare::protocol::rest
