// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How a webhook is reached where that differs from the engine's way: whom to
/// trust, with which papers, through which proxy, within which fence.

#include "fanfare/error.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/target/address_policy.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fanfare::protocol {

/// An HTTP proxy that is asked to CONNECT, or a SOCKS5 one (RFC 1928, 1929).
struct proxy {
  enum class kind : std::uint8_t { http_connect, socks5 };
  kind how = kind::http_connect;
  std::string host; ///< in lower case, IPv6 without brackets
  std::uint16_t port = 0;
  std::string user;
  std::string password;
  /// Whether its own address must pass the policy: not if the operator chose
  /// it.
  bool fenced = true;

  /// "http://[USER:PASSWORD@]HOST:PORT" or "socks5://…". invalid_argument,
  /// field "proxy".
  [[nodiscard]] static result<proxy> parse(std::string_view url);
  /// The URL with "***" for its password.
  [[nodiscard]] std::string masked() const;
};

/// Immutable; any thread. Null members: as the client does.
struct egress {
  std::shared_ptr<tls_settings> tls;
  std::shared_ptr<const proxy> via;
  std::shared_ptr<const address_policy> policy;
  /// Connections are shared by those with the same tag, scheme, host and port.
  std::string tag;
};

} // namespace fanfare::protocol
