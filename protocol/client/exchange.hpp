// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One request and its outcome. http_client, its pool and its connections share
/// it. INTERNAL to http_client; one I/O thread.

#include "protocol/client/exchange_clock.hpp"
#include "protocol/client/tls_sessions.hpp"
#include "protocol/client/transport.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fanfare::protocol {

class client_connection; // protocol/client/client_connection.hpp
struct proxied_way;      // the same

template <class T>
using counted = boost::intrusive_ref_counter<T, boost::thread_unsafe_counter>;

/// The lists that an idle connection is in: of the whole pool, oldest first,
/// and of its destination, latest last.
struct of_all;
struct of_destination;
template <class Tag>
using list_hook = boost::intrusive::list_base_hook<
  boost::intrusive::tag<Tag>,
  boost::intrusive::link_mode<boost::intrusive::normal_link>>;

/// So long an address that has proved useless is not where a notification goes
/// next because of a failure.
inline constexpr std::chrono::seconds useless_for{60};

/// Shared by exchanges with the same scheme, host, port and tag.
struct destination : counted<destination> {
  boost::intrusive::list<client_connection,
                         boost::intrusive::base_hook<list_hook<of_destination>>>
    idle;
  tls_sessions sessions;
  std::chrono::steady_clock::time_point last_used;
  /// Of its name, at the last look-up; empty: the host is an address.
  std::vector<boost::asio::ip::address> addresses;
  /// Of the family that the last look-up did not tell of: those before.
  std::vector<boost::asio::ip::address> untold;
  /// Those of `addresses` that proved useless, and until when that is believed.
  struct useless_address {
    boost::asio::ip::address at;
    std::chrono::steady_clock::time_point until;
  };
  std::vector<useless_address> useless;
  /// Its name does not exist, or has no address, although it had.
  bool is_gone = false;
  /// When they may be others: its name is to be looked up again.
  std::chrono::steady_clock::time_point known_until;
  /// A look-up of its name goes on that no exchange waits for.
  bool is_asked_for = false;
  /// Connections that are open, and of which nothing shows that the receiver
  /// has taken them: no handshake of TLS, no byte of an answer.
  std::size_t untaken = 0;
  /// When the latest of those that it has taken was opened. It takes them in
  /// order, so it has the earlier ones as well and is only slow.
  std::chrono::steady_clock::time_point taken_upto;
  /// Its proxy does not CONNECT to it, but forwards requests.
  bool forwarded = false;
  /// Until then no connection is kept, see `connection_pool::crowded`.
  std::chrono::steady_clock::time_point crowded_until;
  /// How long an answer takes to begin on a reused connection, as a smoothed
  /// average; 0: unknown.
  std::chrono::steady_clock::duration usual{0};

  [[nodiscard]] bool
  is_outdated(std::chrono::steady_clock::time_point now) const {
    return !addresses.empty() && known_until <= now;
  }

  /// Nothing leads there at the moment: it is refused, cannot be connected to,
  /// or took so long that another one was faster.
  void note_useless(const boost::asio::ip::address& at,
                    std::chrono::steady_clock::time_point now) {
    if (std::ranges::find(addresses, at) == addresses.end())
      return;
    note_useful(at);
    useless.push_back({at, now + useless_for});
  }
  void note_useful(const boost::asio::ip::address& at) {
    std::erase_if(useless, [&](const auto& each) { return each.at == at; });
  }
  [[nodiscard]] bool
  is_useless(const boost::asio::ip::address& at,
             std::chrono::steady_clock::time_point now) const {
    return std::ranges::any_of(useless, [&](const auto& each) {
      return each.at == at && each.until > now;
    });
  }
  /// Whether its name has another address that may be of use.
  [[nodiscard]] bool
  leads_to_others_than(const boost::asio::ip::address& at,
                       std::chrono::steady_clock::time_point now) const {
    return std::ranges::any_of(addresses, [&](const auto& each) {
      return each != at && !is_useless(each, now);
    });
  }

  void note_answer_after(std::chrono::steady_clock::duration time) {
    usual += usual.count() == 0 ? time : (time - usual) / 8;
  }
};

struct exchange : counted<exchange>, list_hook<of_all> {
  exchange_request request;
  exchange_completion done;
  exchange_result result;
  exchange_clock clock;
  boost::intrusive_ptr<destination> to;
  boost::intrusive_ptr<client_connection> on;
  /// Of the target, except those that failed or are refused. Empty on a reused
  /// connection, or if the host is an address.
  std::vector<boost::asio::ip::address> addresses;
  std::size_t detours = 0; ///< how often it moved on
  /// Why it moved on from the receiver at the address before. That is what
  /// ended the attempt if the next one cannot be reached.
  std::string shown;
  bool again = false; ///< what goes out next goes out a second time
  std::shared_ptr<proxied_way> way; ///< through a proxy to these, or null
  std::uint64_t look_up = 0;        ///< the resolver's ticket
  std::chrono::steady_clock::time_point asked; ///< the resolver
  bool over = false;                           ///< `done` was called
};

} // namespace fanfare::protocol
