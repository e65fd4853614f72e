// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Host names to addresses, without blocking the caller. The seam behind which
/// the way of asking can change.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {

struct resolution {
  /// IPv6 first, each family in the order in which it was answered.
  std::vector<boost::asio::ip::address> addresses;
  /// One plain line that begins with "dns: "; empty if there are addresses.
  std::string failure;
};

/// Belongs to one I/O thread.
class resolver {
public:
  using completion = std::function<void(const resolution&)>;
  /// Names what waits for an answer; 0 names nothing.
  using ticket = std::uint64_t;

  virtual ~resolver() = default;

  /// Calls `done` on the I/O thread, maybe before it returns. A resolver that
  /// is destroyed meanwhile never calls it.
  virtual ticket resolve(const std::string& host, completion done) = 0;

  /// Nobody waits for this answer any more: its `done` is not called, and a
  /// look-up that was only for it ends. Does nothing for one that was called.
  virtual void cancel(ticket which) = 0;
};

struct resolver_options {
  using time_point = std::chrono::steady_clock::time_point;

  /// Name servers, "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT", to ask in
  /// place of those of `configuration`. What is none (see `is_name_server`) is
  /// left out.
  std::vector<std::string> servers;
  /// Name servers, search domains and so on, see resolv.conf(5). Looked at
  /// every 30 s, read again when it has changed.
  std::string configuration = "/etc/resolv.conf";
  /// What a server has for its answer before the next one is asked; twice that
  /// when all were asked in vain.
  std::chrono::milliseconds patience{1'500};
  /// When one family has addresses, how long the other may take.
  std::chrono::milliseconds other_family{250};
  /// Look-ups at a time, each with a socket per family; more wait in order.
  std::size_t most_at_once = 128;
  /// What a look-up has while others wait for their turn: so many names that
  /// hang do not hold up those that do not.
  std::chrono::milliseconds fair_share{1'000};
  /// Answers that are remembered.
  std::size_t most_remembered = 4096;
  /// By which answers grow old; null: the steady clock.
  std::function<time_point()> now;
};

/// Asks DNS, and the system's table of hosts, by means of c-ares: for both
/// families at once, all names independently of each other. Remembers answers
/// for their time to live but for 1 to 300 s, that there is none for 1 to 30 s,
/// a failure to find out for 1 s. Requests for a name that is being looked up
/// share the answer. `localhost` and what is in it never leaves the machine,
/// `invalid` is known not to exist (RFC 6761).
///
/// Look-ups count as work of `context`, which must outlive the resolver.
[[nodiscard]] std::unique_ptr<resolver>
make_system_resolver(boost::asio::io_context& context,
                     resolver_options options = {});

/// Whether this text may be one of `resolver_options::servers`.
[[nodiscard]] bool is_name_server(std::string_view text);

} // namespace fanfare::protocol
