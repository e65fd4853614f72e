// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An HTTP/1.1 server on threads of its own. It guards the handler: what
/// reaches it is a complete, well-formed request within the limits. What does
/// not is answered here, as
/// {"detail": "…"}: 400, 408, 413, 414, 417, 429, 431, 500 (the handler threw),
/// 501, 503, 505.
///
/// With a certificate it speaks TLS only, and what is no TLS is closed without
/// an answer.

#include "fanfare/error.hpp"
#include "protocol/server/http_handler.hpp"
#include "protocol/server/tls_identity.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace fanfare::protocol {

struct http_server_options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080; ///< 0 takes a free port
  std::size_t threads = 1;
  std::size_t head_limit = 16 * 1024;
  std::size_t target_limit = 8 * 1024; ///< of the request line's target
  std::size_t body_limit = 1024 * 1024;
  /// Bodies beyond this are large: their head is checked before they are read,
  /// and all of them that were not answered yet share the budget.
  std::size_t free_body = 16 * 1024;
  /// Bytes of large bodies, of all connections. Above it a body has to wait to
  /// be read, in the order of arrival and within its timeout.
  std::size_t body_budget = 64 * 1024 * 1024;
  /// Who the server is; null: it speaks plain HTTP.
  std::shared_ptr<const tls_identity> identity;
  std::chrono::milliseconds handshake_timeout{10'000}; ///< of TLS
  std::chrono::milliseconds head_timeout{
    10'000}; ///< from the first byte of a request
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{
    60'000}; ///< between requests, and for a response to be taken
  /// More are answered 503 and closed; over TLS closed without an answer, which
  /// would take a handshake.
  std::size_t max_connections = 10'000;
  /// The same with 429. Of IPv6 a /64 counts as one address.
  std::size_t max_connections_per_address = 2'000;
  /// Pipelined requests of one connection that are handled at the same time;
  /// answers keep their order.
  std::size_t max_pipelined = 16;
};

class http_server {
public:
  /// Listens and serves from now on. bind_failed, invalid_argument. `handler`
  /// must outlive it.
  static result<std::unique_ptr<http_server>>
  start(const http_server_options& options, http_handler& handler);
  virtual ~http_server() = default; ///< stop(0 s)

  [[nodiscard]] virtual std::uint16_t port() const = 0;
  /// "http://127.0.0.1:8080" or "https://…", IPv6 hosts in brackets.
  [[nodiscard]] virtual std::string url() const = 0;
  /// Connections from now on see this identity, the others go on. Only if the
  /// server was started with one. Any thread.
  virtual void
  change_identity(std::shared_ptr<const tls_identity> identity) = 0;
  /// Stops accepting, closes idle connections, lets running requests finish
  /// within `deadline`, then closes everything. Blocks; idempotent.
  virtual void stop(std::chrono::milliseconds deadline) = 0;
};

} // namespace fanfare::protocol
