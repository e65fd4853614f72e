// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/admission.hpp"

#include "protocol/server/forwarding.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <utility>

namespace fanfare::protocol::server {

namespace {

namespace ip = boost::asio::ip;

/// Clients over the limits that are refused with an answer at the same time.
constexpr std::size_t refused_limit = 64;

/// An IPv4 client of an IPv6 socket goes by its IPv4 address.
ip::address plain(const ip::address& from) {
  if (from.is_v6() && from.to_v6().is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, from.to_v6());
  return from;
}

/// What counts as one client: an IPv4 address, or the /64 that a single IPv6
/// customer gets.
std::string party(const ip::address& from) {
  if (from.is_v4()) {
    const auto bytes = from.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = from.to_v6().to_bytes();
  return {bytes.begin(), bytes.begin() + 8};
}

} // namespace

admission::pass admission::admit(const ip::address& peer) {
  const auto from = plain(peer);
  const std::lock_guard guard{mutex_};
  const bool proxy = is_trusted(*proxies_, from);
  auto how = verdict::admitted;
  if (admitted_ >= total_limit_)
    how = verdict::server_full;
  else if (auto i = by_party_.find(party(from));
           !proxy && i != by_party_.end() && i->second >= address_limit_)
    how = verdict::address_full;
  if (how == verdict::admitted) {
    if (!proxy)
      ++by_party_[party(from)];
    ++admitted_;
    if (counters_) {
      counters_->accepted.add();
      counters_->open.add();
    }
  } else if (refused_ < refused_limit) {
    ++refused_;
  } else {
    how = verdict::dropped;
  }
  if (counters_ && how != verdict::admitted)
    counters_->refused.add();
  return {*this, from, how, proxy ? proxies_ : nullptr};
}

void admission::leave(const pass& of) {
  const std::lock_guard guard{mutex_};
  if (of.how() == verdict::admitted) {
    --admitted_;
    if (counters_)
      counters_->open.subtract();
    if (auto i = by_party_.find(party(of.address()));
        !of.is_proxy() && i != by_party_.end() && --i->second == 0)
      by_party_.erase(i);
  } else if (of.how() != verdict::dropped) {
    --refused_;
  }
  if (admitted_ + refused_ == 0)
    empty_.notify_all();
}

void admission::trust(std::vector<network> proxies) {
  auto others = std::make_shared<const std::vector<network>>(
    std::move(proxies));
  const std::lock_guard guard{mutex_};
  proxies_.swap(others);
}

bool admission::wait_empty(std::chrono::milliseconds deadline) {
  std::unique_lock guard{mutex_};
  return empty_.wait_for(guard, deadline,
                         [this] { return admitted_ + refused_ == 0; });
}

} // namespace fanfare::protocol::server
