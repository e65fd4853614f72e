// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An HTTP/1.1 server on its own threads. It guards its handler, which gets
/// complete, well-formed requests within the limits. The server answers
/// everything else itself, with {"detail": "…"}: 400, 408, 413, 414, 417, 429,
/// 431, 500 (the handler threw), 501, 503, 505.
///
/// With a certificate it speaks only TLS, and closes other connections without
/// an answer.

#include "fanfare/error.hpp"
#include "protocol/server/http_handler.hpp"
#include "protocol/server/http_server_options.hpp"
#include "protocol/server/tls_identity.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fanfare::protocol {

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
  /// New connections get this identity, open ones keep theirs. Only for a
  /// server started with one. Any thread.
  virtual void
  change_identity(std::shared_ptr<const tls_identity> identity) = 0;
  /// New connections from these proxies are believed what they say of their
  /// clients; open ones keep what held for them. Any thread.
  virtual void change_trusted_proxies(std::vector<network> proxies) = 0;
  /// Stops accepting, closes idle connections, lets running requests finish
  /// within `deadline`, then closes everything. Blocks; idempotent.
  virtual void stop(std::chrono::milliseconds deadline) = 0;
};

} // namespace fanfare::protocol
