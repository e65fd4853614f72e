// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// From the addresses of a host to a connected socket by "happy eyeballs" (RFC
/// 8305): the families take turns, IPv6 first; the next attempt starts next
/// to a slow one, and at once after a failure; the first to connect wins and
/// the others are closed. INTERNAL to client_connection, which keeps the
/// deadline.

#include "protocol/client/transport.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::protocol {

using client_socket = boost::asio::basic_stream_socket<
  boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// The error in a few plain words, in lower case: "connection refused".
[[nodiscard]] std::string plain_reason(const boost::system::error_code& code);

/// The families in turn, IPv6 first, each in its original order; then rotated
/// by so many from the front to the back.
void interleave_families(std::vector<boost::asio::ip::address>& addresses,
                         std::size_t first = 0);

/// A connector queries and reports to this.
class connector_owner {
public:
  /// Why the policy denies the address, if so. Called for each address right
  /// before the connect.
  virtual std::optional<std::string>
  refusal(const boost::asio::ip::address& address) = 0;
  /// The address is refused, or cannot be connected to.
  virtual void on_useless(const boost::asio::ip::address& address) = 0;
  /// A later attempt was faster than the one at this address.
  virtual void on_overtaken(const boost::asio::ip::address& address) = 0;
  /// Out of file descriptors: close unneeded ones. False: none was closed.
  virtual bool make_room() = 0;
  /// Unless closed before, one of these two is called, once.
  virtual void on_connected(client_socket socket) = 0;
  /// The last failure to connect ("connect: …"), or, if the policy allows no
  /// address, why it refused the first; empty if there was no address. `whose`:
  /// a lack of local resources that kept all addresses from being tried is this
  /// machine's fault.
  virtual void on_not_connected(std::string reason, fault whose) = 0;

protected:
  ~connector_owner() = default;
};

/// Belongs to one I/O thread; its owner closes it before it goes away.
class connector
  : public boost::intrusive_ref_counter<connector,
                                        boost::thread_unsafe_counter> {
public:
  /// How long to wait for an attempt before the next one also starts (RFC 8305,
  /// section 5).
  static constexpr std::chrono::milliseconds attempt_delay{250};
  /// Most concurrent attempts, however many addresses a name has: each takes a
  /// file descriptor, and a stranger controls the name's records.
  static constexpr std::size_t most_at_once = 4;

  connector(connector_owner& owner, boost::asio::io_context& context)
    : owner_(&owner),
      context_(context) {}
  connector(const connector&) = delete;
  connector& operator=(const connector&) = delete;

  /// Call once. Can report a failure before it returns. `first` says how
  /// many of the addresses, in their order of trial, move behind the
  /// others.
  void start(std::vector<boost::asio::ip::address> addresses,
             std::uint16_t port, std::size_t first = 0);

  /// Ends all attempts at once; reports nothing more.
  void close();

private:
  using error_code = boost::system::error_code;
  using timer_type = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock,
    boost::asio::wait_traits<std::chrono::steady_clock>,
    boost::asio::io_context::executor_type>;

  struct attempt {
    client_socket socket;
    std::size_t address;
  };

  void try_next();
  void on_attempt(std::size_t which, const error_code& code);
  void start_timer();
  void note_failure(std::size_t address, const error_code& code);

  connector_owner* owner_; // null: closed
  boost::asio::io_context& context_;
  std::vector<boost::asio::ip::address> addresses_;
  std::uint16_t port_ = 0;
  std::size_t next_ = 0;
  std::vector<attempt> attempts_; // has room for all: none is ever moved
  std::size_t pending_ = 0;
  std::optional<timer_type> timer_; // only where there is something to race
  std::string refused_;             // by policy, the first one
  std::string failed_;              // to connect, the last one
  bool only_here_ = true;           // for lack of a local resource
  bool is_short_ = false;           // of other resources than a route
};

} // namespace fanfare::protocol
