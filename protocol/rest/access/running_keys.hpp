// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The idempotency keys whose first request is still running.

#include "model/idempotency.hpp"

#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace fanfare::protocol::rest {

/// Any thread.
class running_keys {
public:
  /// Holds a key; its destructor releases it.
  class entry {
  public:
    entry(running_keys& all, const idempotency_key& key)
      : all_{&all},
        key_{key} {}
    entry(entry&& other) noexcept
      : all_{std::exchange(other.all_, nullptr)},
        key_{other.key_} {}
    entry& operator=(entry&&) = delete;
    ~entry() {
      release();
    }
    void release();

  private:
    running_keys* all_;
    idempotency_key key_;
  };

  /// Nothing if a request with this key is running.
  [[nodiscard]] std::optional<entry> enter(const idempotency_key& key);
  [[nodiscard]] bool contains(const idempotency_key& key) const;

private:
  mutable std::mutex mutex_;
  std::set<idempotency_key> keys_;
};

} // namespace fanfare::protocol::rest
