// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which addresses deliveries may be sent to. Webhook URLs come from outside:
/// without this policy, anyone who may register one could make Fanfare talk to
/// the machines next to it (SSRF). The policy judges addresses. It is asked at
/// connect time about the very address that is connected to, so no spelling of
/// a host and no change of its DNS records gets around it. Names can only be
/// denied; what they stand for is judged when it is known.

#include "protocol/target/host_list.hpp"
#include "protocol/target/network.hpp"

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol {

/// Immutable; any thread.
class address_policy {
public:
  /// Only addresses of the public internet.
  address_policy() = default;

  /// Also those in `allowed`, and none in `denied`, which wins over everything.
  explicit address_policy(std::vector<network> allowed,
                          std::vector<network> denied = {},
                          host_list denied_names = {})
    : allowed_(std::move(allowed)),
      denied_(std::move(denied)),
      denied_names_(std::move(denied_names)) {}

  /// With further networks of an organizer. What this one denies stays denied.
  [[nodiscard]] address_policy with(const std::vector<network>& allowed,
                                    const std::vector<network>& denied) const;

  /// Why this address may not be connected to, in one line that begins with
  /// "policy: " and names the option that would allow it, or the network that
  /// denies it; nothing if it may.
  ///
  /// An IPv4-mapped address (::ffff:a.b.c.d) is judged as the IPv4 address it
  /// stands for. One that a translator would turn into an IPv4 address (NAT64,
  /// 6to4) is refused as such; where its network is allowed, the IPv4 address
  /// inside must pass as well. What is denied is denied in all these forms, and
  /// in that of Teredo.
  [[nodiscard]] std::optional<std::string>
  refusal(const boost::asio::ip::address& address) const;

  /// Why no address of this name may be connected to, in the same form: it is
  /// among the denied ones. `host` as `target::host` has it, and no address.
  [[nodiscard]] std::optional<std::string>
  refusal_of_name(std::string_view host) const;
  /// The same of a name whose addresses only a proxy will know. Beside denied
  /// ones, `localhost` and what is below it is refused unless the loopback
  /// addresses may be connected to, and what a proxy may read as an address.
  [[nodiscard]] std::optional<std::string>
  refusal_of_unresolved(std::string_view host) const;

private:
  /// The most specific allowed network that holds the address.
  [[nodiscard]] const network*
  allowing(const boost::asio::ip::address& address) const;

  /// One of the denied networks that hold the address.
  [[nodiscard]] const network*
  denying(const boost::asio::ip::address& address) const;
  /// That part of `refusal`.
  [[nodiscard]] std::optional<std::string>
  denial(const boost::asio::ip::address& address) const;

  std::vector<network> allowed_;
  std::vector<network> denied_;
  host_list denied_names_;
};

} // namespace fanfare::protocol
