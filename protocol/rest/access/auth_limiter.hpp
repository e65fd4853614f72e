// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Limits wrong keys per address: a token bucket that each failure takes one
/// token from and each second refills by one.
///
/// It never refuses a valid key. Keys are 64 random characters, which cannot be
/// guessed at any speed; and behind a reverse proxy all clients share an
/// address, so locking it out would let a stranger lock out everyone.

#include <atomic>
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

  /// Addresses remembered; beyond that the one that failed longest ago is
  /// forgotten.
  static constexpr std::size_t max_addresses = 10'000;
  /// An address may fail once per interval, beyond its burst.
  static constexpr std::chrono::seconds interval{1};

  /// `burst`: failures in a row before an address must wait; 0: no limit. `now`
  /// is called on any thread.
  explicit auth_limiter(std::size_t burst,
                        std::function<clock::time_point()> now = clock::now);

  /// Call it for each wrong key. `peer` is an IP address; IPv6 addresses of one
  /// /64 count as one. Nothing: within the limit. Otherwise the time until the
  /// address may fail again, at least a second; such failures are not counted.
  std::optional<std::chrono::seconds> count_failure(std::string_view peer);
  /// From the next failure on.
  void change_burst(std::size_t burst) {
    burst_ = burst;
  }

private:
  struct bucket {
    std::string address;
    /// When the bucket is full again.
    clock::time_point full;
  };

  bucket& find_bucket(std::string address, clock::time_point now);

  std::atomic<std::size_t> burst_;
  const std::function<clock::time_point()> now_;
  std::mutex mutex_;
  std::list<bucket> buckets_; ///< latest failure first
  /// The keys point into the buckets.
  std::unordered_map<std::string_view, std::list<bucket>::iterator> by_address_;
};

} // namespace fanfare::protocol::rest
