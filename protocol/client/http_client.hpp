// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The transport over sockets: HTTP/1.1 on pooled keep-alive connections, with
/// TLS for https targets. It enforces limits and well-formedness but does not
/// interpret the answer: no retry by status, no redirect.

#include "protocol/client/client_counters.hpp"
#include "protocol/client/egress.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/client/transport.hpp"
#include "protocol/dns/resolver.hpp"
#include "protocol/target/address_policy.hpp"
#include "protocol/target/host_list.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

namespace fanfare::protocol {

struct http_client_options {
  address_policy policy;
  /// Shared by all clients of a process. If null, the first https exchange
  /// makes settings with the system's authorities.
  std::shared_ptr<tls_settings> tls;
  /// For exchanges without their own proxy; null: none.
  std::shared_ptr<const proxy> via;
  /// What `via` is not for; null: nothing.
  std::shared_ptr<const host_list> not_via;
  /// An idle connection is closed after this long.
  std::chrono::milliseconds idle_timeout{45'000};
  /// A connection is not reused once it is this old, wherever its name leads;
  /// that is looked up again after the time to live of its record.
  std::chrono::milliseconds longest_use{60'000};
  std::size_t max_idle_per_destination = 256;
  std::size_t max_idle = 1024;
  /// How often deadlines are checked; an exchange can overrun by this much.
  std::chrono::milliseconds tick{25};
  /// Null: `make_system_resolver`.
  std::unique_ptr<resolver> names;
  /// Counts its connections, and outlives it; null: nobody does.
  client_counters* counters = nullptr;
};

/// Belongs to one I/O thread, the only one that runs `context`. Call all
/// functions on that thread, or after it has ended. Open connections count as
/// work, so `context.run()` returns only after `close`. The context must
/// outlive the client.
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
  /// Closes unless `close` was called; makes no callbacks afterwards.
  ~http_client() override;

  void send(exchange_request request, exchange_completion done) override;

  /// Ends all exchanges with "cancelled: the engine is stopping" before it
  /// returns, and closes all connections. Later exchanges end the same way.
  void close();

  /// Exchanges in flight.
  [[nodiscard]] std::size_t active() const noexcept;
  /// Idle connections.
  [[nodiscard]] std::size_t idle() const noexcept;
  /// Connections established so far.
  [[nodiscard]] std::size_t connects() const noexcept;

private:
  class core;
  boost::intrusive_ptr<core> core_;
};

} // namespace fanfare::protocol
