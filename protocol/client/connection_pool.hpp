// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Connections that wait for an exchange, by destination, and data on each
/// destination. It closes surplus and old ones. INTERNAL to http_client; one
/// I/O thread.

#include "model/counter.hpp"
#include "protocol/client/client_connection.hpp"
#include "protocol/client/exchange.hpp"
#include "protocol/dns/resolution.hpp"
#include "protocol/target/target.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <chrono>
#include <cstddef>
#include <unordered_map>

namespace fanfare::protocol {

class connection_pool {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct limits {
    std::size_t idle_per_destination;
    std::size_t idle; ///< of all destinations together
    std::chrono::milliseconds idle_time;
    /// Since it opened; older ones serve no further exchange.
    std::chrono::milliseconds age;
  };

  /// `idle`: shows how many wait; may be null.
  explicit connection_pool(const limits& bounds, counter* idle = nullptr)
    : limits_(bounds),
      shown_(idle) {}
  connection_pool(const connection_pool&) = delete;
  connection_pool& operator=(const connection_pool&) = delete;

  /// The destination of this key, marked as used now.
  boost::intrusive_ptr<destination> find(const pool_key& key, time_point now);

  /// The connection used last, so that surplus ones grow old; null if none is
  /// idle. The caller owns it from now on.
  boost::intrusive_ptr<client_connection> take(destination& to, time_point now);
  /// The same of those to this address.
  boost::intrusive_ptr<client_connection>
  take(destination& to, time_point now, const boost::asio::ip::address& at);

  /// Lets a connection that has served an exchange wait for the next, or closes
  /// it: for lack of room, for its age, because its address is no longer one of
  /// the name's, or because the destination is gone or crowded.
  void release(client_connection& connection, time_point now);

  /// The destination's name has these addresses: closes idle connections to
  /// others, but none because of a family that the answer does not tell of.
  void found(destination& to, const resolution& answer);

  /// The destination's name has no addresses any more: closes all that wait,
  /// and keeps none until it has.
  void gone(destination& to);

  /// A fresh connection to the destination is not taken, perhaps because all
  /// its workers wait on idle ones: closes those, and keeps none until it is,
  /// or a moment has passed.
  void crowded(destination& to, time_point now);

  /// Closes one that waits.
  void drop(client_connection& connection);

  /// Closes half of those that wait, the oldest first. False: none waited.
  bool shrink();

  /// Closes connections idle for too long, and forgets unused destinations,
  /// with their TLS sessions.
  void expire(time_point now);

  /// Closes and forgets everything.
  void clear();

  [[nodiscard]] std::size_t idle() const noexcept {
    return idle_count_;
  }

private:
  struct key_hash {
    std::size_t operator()(const pool_key& key) const noexcept {
      return key.hash;
    }
  };

  void drop_all(destination& to);
  boost::intrusive_ptr<client_connection> unlink(client_connection& connection);

  const limits limits_;
  counter* const shown_;
  std::unordered_map<pool_key, boost::intrusive_ptr<destination>, key_hash>
    destinations_;
  // Owns a reference to each of its members. Oldest first.
  boost::intrusive::list<client_connection,
                         boost::intrusive::base_hook<list_hook<of_all>>,
                         boost::intrusive::constant_time_size<false>>
    idle_;
  std::size_t idle_count_ = 0;
  time_point swept_;
};

} // namespace fanfare::protocol
