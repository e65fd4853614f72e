// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The HTTP server's address, and every limit and timeout for its
/// clients.

#include "protocol/server/server_counters.hpp"
#include "protocol/server/tls_identity.hpp"
#include "protocol/target/network.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fanfare::protocol {

struct http_server_options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080; ///< 0: a free port
  std::size_t threads = 1;
  /// The server's certificate and key; null: it speaks plain HTTP.
  std::shared_ptr<const tls_identity> identity;
  /// Proxies that are believed who the client is and how it reached them
  /// (X-Forwarded-For, -Proto, -Host).
  std::vector<network> trusted_proxies;
  /// Counts its connections; null: nobody does.
  std::shared_ptr<server_counters> counters;

  // -- of a request -----------------------------------------------------------

  std::size_t head_limit = 16 * 1024;
  std::size_t target_limit = 8 * 1024; ///< of the target in the request line
  std::size_t body_limit = 1024 * 1024;
  /// A larger body is admitted by its head before it is read, and counts
  /// against the budget until its request is answered.
  std::size_t free_body = 16 * 1024;
  /// Bytes of large bodies, over all connections. Beyond it a body waits its
  /// turn, in order of arrival and within its timeout.
  std::size_t body_budget = 64 * 1024 * 1024;
  /// Pipelined requests of one connection handled concurrently; answers keep
  /// their order.
  std::size_t max_pipelined = 16;

  // -- of a connection --------------------------------------------------------

  /// Further ones get a 503 and are closed; over TLS without an answer, which
  /// would take a handshake.
  std::size_t max_connections = 10'000;
  /// The same with 429. The /64 of an IPv6 address counts as one address. A
  /// trusted proxy may have more: its clients share its address.
  std::size_t max_connections_per_address = 2'000;

  // -- in time ----------------------------------------------------------------

  std::chrono::milliseconds handshake_timeout{10'000}; ///< of TLS
  /// From the first byte of a request to the end of its head.
  std::chrono::milliseconds head_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  /// Between requests, and for a client to take more of its answers.
  std::chrono::milliseconds idle_timeout{60'000};
  /// For a client to take more of an open body, and for its machine to confirm
  /// what was sent of it.
  std::chrono::milliseconds open_body_timeout{30'000};
};

} // namespace fanfare::protocol
