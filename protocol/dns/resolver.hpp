// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Host names to addresses, without blocking the caller. Tests put a scripted
/// resolver behind this interface.

#include "protocol/dns/resolution.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {

/// Belongs to one I/O thread.
class resolver {
public:
  using completion = std::function<void(const resolution&)>;
  /// Identifies one call of `resolve` that waits for its answer; 0: none.
  using ticket = std::uint64_t;

  virtual ~resolver() = default;

  /// Calls `done` on the I/O thread, possibly before it returns. A resolver
  /// that is destroyed before never calls it.
  virtual ticket resolve(const std::string& host, completion done) = 0;

  /// The caller has given up on this answer: its `done` is not called, and a
  /// look-up that nobody else needs ends. Does nothing once `done` was called.
  virtual void cancel(ticket which) = 0;

  /// Whether a name server has said something definite about any name since
  /// then. If none has, what a look-up lacks is lacking here, and not the fault
  /// of whoever the name belongs to.
  [[nodiscard]] virtual bool
  heard_since(std::chrono::steady_clock::time_point then) const = 0;

  /// Whether nobody was asked for this name so far: others have their turn.
  [[nodiscard]] virtual bool is_queued(ticket which) const = 0;
};

struct resolver_options {
  using time_point = std::chrono::steady_clock::time_point;

  /// Name servers, "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT", that are
  /// asked in place of those in `configuration`. Other texts (see
  /// `is_name_server`) are left out.
  std::vector<std::string> servers;
  /// Name servers, search domains and so on, see resolv.conf(5). Looked at
  /// every 30 s and read again when it has changed.
  std::string configuration = "/etc/resolv.conf";
  /// How long a server may take before the next one is asked; twice that once
  /// all were asked in vain.
  std::chrono::milliseconds patience{1'500};
  /// How long one family may take once the other has addresses.
  std::chrono::milliseconds other_family{250};
  /// Look-ups at a time, each with a socket per family; more wait in order.
  std::size_t most_at_once = 128;
  /// How long a look-up may take while others wait for their turn, so that many
  /// names that hang do not hold up those that do not.
  std::chrono::milliseconds fair_share{1'000};
  /// Answers that are remembered.
  std::size_t most_remembered = 4096;
  /// The clock by which answers expire; null: the steady clock.
  std::function<time_point()> now;
};

/// Asks DNS and the system's table of hosts by means of c-ares: both families
/// at once, all names independently of each other. Addresses are remembered for
/// their time to live, but at least 1 s and at most 300 s; that a name has none
/// for 1 to 30 s; that nobody answered for 1 s. Requests for a name that is
/// being looked up share the answer. `localhost` and names below it never leave
/// the machine, `invalid` does not exist (RFC 6761).
///
/// Look-ups count as work of `context`, which must outlive the resolver.
[[nodiscard]] std::unique_ptr<resolver>
make_system_resolver(boost::asio::io_context& context,
                     resolver_options options = {});

/// Whether this text may be one of `resolver_options::servers`.
[[nodiscard]] bool is_name_server(std::string_view text);

} // namespace fanfare::protocol
