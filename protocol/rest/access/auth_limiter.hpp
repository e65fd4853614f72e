// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Counts the wrong keys that come from one address, so that who tries keys is
/// told to slow down: a bucket per address that each failure takes one from and
/// each second puts one back into.
///
/// It never stands in the way of a valid key: keys are 64 random characters,
/// not to be guessed at any speed, and behind a reverse proxy all clients share
/// an address, so that locking out the address would let a stranger lock out
/// everyone.

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fanfare::protocol::rest {

/// Any thread.
class auth_limiter {
public:
  using clock = std::chrono::steady_clock;

  /// Addresses that are remembered; beyond them the one that failed longest ago
  /// is forgotten.
  static constexpr std::size_t max_addresses = 10'000;
  /// An address may fail once in this time, on top of its burst.
  static constexpr std::chrono::seconds interval{1};

  /// `burst`: failures in a row before an address must wait; 0: there is no
  /// limit. `now` is called on any thread.
  explicit auth_limiter(std::size_t burst,
                        std::function<clock::time_point()> now = clock::now);

  /// To be called for each wrong key. `peer` is an IP address; IPv6 ones of the
  /// same /64 are one. Nothing: within the limit. Otherwise the time until the
  /// address may fail again, at least a second; such failures are not counted.
  std::optional<std::chrono::seconds> count_failure(std::string_view peer);

private:
  struct bucket {
    std::string address;
    /// When the bucket is full again.
    clock::time_point full;
  };

  bucket& find_bucket(std::string address, clock::time_point now);

  const std::size_t burst_;
  const std::function<clock::time_point()> now_;
  std::mutex mutex_;
  std::list<bucket> buckets_; ///< the one that failed last first
  /// Keys are those of the buckets.
  std::unordered_map<std::string_view, std::list<bucket>::iterator> by_address_;
};

} // namespace fanfare::protocol::rest
