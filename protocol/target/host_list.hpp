// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Hosts that an operator names, by name or by network: those that are called
/// without the proxy, or not at all.

#include "fanfare/error.hpp"
#include "protocol/target/network.hpp"

#include <boost/asio/ip/address.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {

/// Whether some read the host as an address although it is none in the usual
/// notation: its last label is a number ("127.1", "0x7f000001").
[[nodiscard]] bool may_be_address(std::string_view host);

/// Whether an entry of such a list is meant as a name: it has a letter, and
/// neither a slash nor a colon.
[[nodiscard]] bool is_host_text(std::string_view text);

/// Immutable once it is made; any thread.
class host_list {
public:
  /// Reads "internal.example" (that host and all below it), ".internal.example"
  /// (only those below), networks ("10.0.0.0/8") and addresses.
  /// invalid_argument, without a field: none of these.
  [[nodiscard]] static result<host_list>
  parse(const std::vector<std::string>& texts);

  /// `host` as `target::host` has it, and no address.
  [[nodiscard]] bool holds(std::string_view host) const;
  /// An IPv4-mapped address is the IPv4 address that it stands for.
  [[nodiscard]] bool holds(const boost::asio::ip::address& address) const;
  /// Whether there is one and all are in its networks.
  [[nodiscard]] bool
  holds_all(const std::vector<boost::asio::ip::address>& addresses) const;

private:
  std::vector<network> networks_;
  std::vector<std::string> names_; // those with a dot in front: below it only
};

} // namespace fanfare::protocol
