// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A block of IP addresses in CIDR notation: "10.0.0.0/8", "fc00::/7". A plain
/// value; nothing here touches the network.

#include "fanfare/error.hpp"

#include <boost/asio/ip/address.hpp>

#include <string>
#include <string_view>

namespace fanfare::protocol {

/// Addresses that share their first `prefix` bits with `base`. IPv4 and IPv6
/// are apart: "::/0" holds no IPv4 address.
struct network {
  boost::asio::ip::address base;
  unsigned prefix = 0;

  /// Reads "ADDRESS/PREFIX"; an address alone stands for itself.
  /// invalid_argument: not an address, a prefix out of range, or bits set
  /// behind the prefix (the sentence says what was probably meant).
  [[nodiscard]] static result<network> parse(std::string_view text);

  /// Any thread.
  [[nodiscard]] bool contains(const boost::asio::ip::address& address) const;

  bool operator==(const network&) const = default;
};

/// "10.0.0.0/8".
[[nodiscard]] std::string to_string(const network& value);

} // namespace fanfare::protocol
