// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The transport over sockets: HTTP/1.1 on pooled keep-alive connections, with
/// TLS where the target asks for it. It judges what comes back (limits,
/// well-formedness) but not what it means: no retry, no redirect, no decision
/// by status.

#include "protocol/client/egress.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/client/transport.hpp"
#include "protocol/dns/resolver.hpp"
#include "protocol/target/address_policy.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

namespace fanfare::protocol {

struct http_client_options {
  address_policy policy;
  /// Shared by all clients of a process; made with the system's authorities
  /// by the first https exchange if absent.
  std::shared_ptr<tls_settings> tls;
  /// For all that have no proxy of their own; null: none.
  std::shared_ptr<const proxy> via;
  /// A connection that was not used for that long is closed.
  std::chrono::milliseconds idle_timeout{45'000};
  std::size_t max_idle_per_destination = 256;
  std::size_t max_idle = 1024;
  /// How often deadlines are checked: an exchange may outlive one by that much.
  std::chrono::milliseconds tick{25};
  /// Null: the system's.
  std::unique_ptr<resolver> names;
};

/// Belongs to one I/O thread, the only one that runs `context`: all functions
/// are to be called there, or when that thread does not run any more. Open
/// connections count as work, so `context.run()` returns only after `close`.
/// The context must outlive the client.
///
/// Reasons of failures begin with what failed: "policy: ", "dns: ",
/// "connect: ", "proxy: ", "tls: ", "timeout: ", "reset: ", "malformed answer:
/// ", "too large: ", "cancelled: ".
class http_client final : public transport {
public:
  explicit http_client(boost::asio::io_context& context,
                       http_client_options options = http_client_options{});
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;
  /// Closes, if `close` was not called before; nothing is called back after it.
  ~http_client() override;

  void send(exchange_request request, exchange_completion done) override;

  /// Ends all exchanges with "cancelled: the engine is stopping", before it
  /// returns, and closes all connections. What is sent later ends the same way.
  void close();

  /// Exchanges that have not ended.
  [[nodiscard]] std::size_t active() const noexcept;
  /// Connections that wait for an exchange.
  [[nodiscard]] std::size_t idle() const noexcept;
  /// Connections that were established so far.
  [[nodiscard]] std::size_t connects() const noexcept;

private:
  class core;
  boost::intrusive_ptr<core> core_;
};

} // namespace fanfare::protocol
