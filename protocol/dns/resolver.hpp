// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Resolves host names to addresses, without blocking the caller. Tests put a
/// scripted resolver behind this interface.

#include "protocol/dns/dns_counters.hpp"
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
  /// destroyed before then never calls it.
  virtual ticket resolve(const std::string& host, completion done) = 0;

  /// The caller has given up on this answer: its `done` is not called, and a
  /// look-up without other callers ends. Does nothing once `done` was called.
  virtual void cancel(ticket which) = 0;

  /// True if a name server has given a definite answer about any name since
  /// then. If none has, a failed look-up is this machine's fault, not that of
  /// the name's owner.
  [[nodiscard]] virtual bool
  heard_since(std::chrono::steady_clock::time_point then) const = 0;

  /// True if this name is still unqueried: others have their turn.
  [[nodiscard]] virtual bool is_queued(ticket which) const = 0;
};

struct resolver_options {
  using time_point = std::chrono::steady_clock::time_point;

  /// Name servers, "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT", that replace
  /// those in `configuration`. Other texts (see `is_name_server`) are left
  /// out.
  std::vector<std::string> servers;
  /// Name servers, search domains and so on, see resolv.conf(5). Checked every
  /// 30 s and reread when it has changed.
  std::string configuration = "/etc/resolv.conf";
  /// How long a server may take before the next one is queried; twice that once
  /// all have failed.
  std::chrono::milliseconds patience{1'500};
  /// How long one family may take once the other has addresses.
  std::chrono::milliseconds other_family{250};
  /// Concurrent look-ups, each with a socket per family; more wait in order.
  std::size_t most_at_once = 128;
  /// How long a look-up may take while others wait for their turn, so that many
  /// hanging names do not hold up the others.
  std::chrono::milliseconds fair_share{1'000};
  /// Answers in the cache.
  std::size_t most_remembered = 4096;
  /// Counts its look-ups; null: nobody does.
  dns_counters* counters = nullptr;
  /// The clock by which answers expire; null: the steady clock.
  std::function<time_point()> now;
};

/// Queries DNS and the system's hosts file through c-ares: both families at
/// once, all names independently. Addresses are cached for their time to live,
/// but at least 1 s and at most 300 s; the lack of any for 1 to 30 s; the lack
/// of an answer for 1 s. Requests for a name being looked up share the answer.
/// `localhost` and names below it never leave the machine, `invalid` does not
/// exist (RFC 6761).
///
/// Look-ups count as work of `context`, which must outlive the resolver.
[[nodiscard]] std::unique_ptr<resolver>
make_system_resolver(boost::asio::io_context& context,
                     resolver_options options = {});

/// True if this text can be one of `resolver_options::servers`.
[[nodiscard]] bool is_name_server(std::string_view text);

} // namespace fanfare::protocol
