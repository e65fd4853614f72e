// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A webhook's route where its settings differ from the engine's:
/// authorities to trust, client certificate to present, proxy to use,
/// addresses to allow.

#include "fanfare/error.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/target/address_policy.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fanfare::protocol {

/// An HTTP proxy that supports CONNECT, or a SOCKS5 proxy (RFC 1928, 1929); or
/// the wish to have none, whichever is there for all others.
struct proxy {
  enum class kind : std::uint8_t { http_connect, socks5, none };
  kind how = kind::http_connect;
  std::string host; ///< in lower case, IPv6 without brackets
  std::uint16_t port = 0;
  std::string user;
  std::string password;
  /// It is asked for names, which it looks up, instead of addresses: the policy
  /// never sees where they lead. Only what the operator allows may be so.
  bool resolves = false;
  /// Whether its own address must pass the policy. A proxy that the operator
  /// has chosen need not.
  bool fenced = true;

  /// "http://[USER:PASSWORD@]HOST:PORT", "socks5://…", "socks5h://…" (which
  /// `resolves`) or "direct".
  /// invalid_argument, field "proxy".
  [[nodiscard]] static result<proxy> parse(std::string_view url);
  /// The URL with "***" for its password.
  [[nodiscard]] std::string masked() const;
};

/// What is said of a proxy that `resolves` where that is not allowed.
inline constexpr std::string_view no_proxy_resolves =
  "a socks5h:// proxy looks up names where they cannot be checked, which the "
  "operator of the server has to allow (--proxy-resolves); write socks5:// "
  "for one that is asked for addresses";

/// Immutable; any thread. Where a member is null, the client's own applies.
struct egress {
  std::shared_ptr<tls_settings> tls;
  std::shared_ptr<const proxy> via;
  std::shared_ptr<const address_policy> policy;
  /// Exchanges with the same tag, scheme, host and port share connections.
  std::string tag;
};

} // namespace fanfare::protocol
