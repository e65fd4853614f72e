// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/access/auth_limiter.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

/// The network part of an IPv6 address, in bytes; a host owns all of the rest.
constexpr std::size_t network_bytes = 8;

/// The bytes of the network that counts as one address; the text itself if it
/// is not an IP address.
std::string network_of(std::string_view peer) {
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(std::string{peer}, failed);
  if (failed)
    return std::string{peer};
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), bytes.begin() + network_bytes};
}

} // namespace

auth_limiter::auth_limiter(std::size_t burst,
                           std::function<clock::time_point()> now)
  : burst_{burst},
    now_{std::move(now)} {}

std::optional<std::chrono::seconds>
auth_limiter::count_failure(std::string_view peer) {
  if (burst_ == 0)
    return std::nullopt;
  auto address = network_of(peer);
  std::lock_guard guard{mutex_};
  const auto now = now_();
  auto& found = find_bucket(std::move(address), now);
  // A bucket that is full again at `now + burst * interval` is empty.
  const auto full = std::max(found.full, now) + interval;
  const auto latest = now + static_cast<clock::rep>(burst_) * interval;
  if (full > latest)
    return std::chrono::ceil<std::chrono::seconds>(full - latest);
  found.full = full;
  return std::nullopt;
}

auth_limiter::bucket& auth_limiter::find_bucket(std::string address,
                                                clock::time_point now) {
  if (const auto known = by_address_.find(address);
      known != by_address_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, known->second);
    return buckets_.front();
  }
  if (buckets_.size() == max_addresses) {
    by_address_.erase(buckets_.back().address);
    buckets_.pop_back();
  }
  buckets_.push_front({std::move(address), now});
  by_address_.emplace(buckets_.front().address, buckets_.begin());
  return buckets_.front();
}

} // namespace fanfare::protocol::rest
