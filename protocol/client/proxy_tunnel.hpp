// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Opens a tunnel to an address, or to a name, through a proxy, over a socket
/// that is connected to the proxy: HTTP CONNECT (RFC 9110, 9.3.6) or SOCKS5
/// (RFC 1928, 1929). INTERNAL to client_connection, which keeps the deadline.

#include "protocol/client/egress.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace fanfare::protocol {

/// Belongs to one I/O thread; its owner closes it before the socket ends.
class proxy_tunnel
  : public boost::intrusive_ref_counter<proxy_tunnel,
                                        boost::thread_unsafe_counter> {
public:
  using socket_type = boost::asio::basic_stream_socket<
    boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

  /// How it ended. No byte of the target was read from the socket.
  struct outcome {
    /// Empty: the tunnel is open, bytes written now reach the target. Else one
    /// line that begins with "proxy: ".
    std::string failure;
    /// The proxy could not reach this address but may reach another.
    bool unreachable = false;
    /// An HTTP proxy does not CONNECT there, but may forward requests.
    bool may_forward = false;
  };
  using completion = std::function<void(outcome&&)>;

  /// Most bytes of the proxy's answer to CONNECT, interim ones (1xx) included.
  static constexpr std::size_t most_head = 8'192;

  proxy_tunnel(socket_type& socket, std::shared_ptr<const proxy> via)
    : socket_(socket),
      via_(std::move(via)) {}
  proxy_tunnel(const proxy_tunnel&) = delete;
  proxy_tunnel& operator=(const proxy_tunnel&) = delete;

  /// Call once. `done` is called later, once, unless it is closed.
  void open(const boost::asio::ip::address& to, std::uint16_t port,
            completion done);
  /// The same to a name of at most 255 characters, which the proxy looks up.
  void open(std::string name, std::uint16_t port, completion done);

  /// From now on it reports nothing and does not touch the socket.
  void close() noexcept {
    done_ = nullptr;
  }

private:
  using error_code = boost::system::error_code;
  using step = void (proxy_tunnel::*)();

  /// Sends `out_`, then continues with `next` once `bytes` have arrived.
  void ask(std::size_t bytes, step next);
  void write();
  void want(std::size_t bytes, step next);
  void read();

  void ask_http();
  void on_http();
  /// `alone`: nothing came behind the head.
  void on_status(unsigned status, bool alone);

  void ask_socks();
  void on_method();
  void on_password();
  void ask_socks_address();
  void on_reply();
  void on_bound();

  void lost(const error_code& code);
  void fail(const std::string& why, bool unreachable = false,
            bool may_forward = false);
  void finish(outcome&& how);
  void ask();
  /// "ADDRESS:PORT" or "NAME:PORT" of the target.
  [[nodiscard]] std::string place() const;
  [[nodiscard]] unsigned at(std::size_t i) const noexcept {
    return static_cast<unsigned char>(in_[i]);
  }

  socket_type& socket_;
  std::shared_ptr<const proxy> via_;
  boost::asio::ip::address to_;
  std::string name_; // empty: `to_` is asked for
  std::uint16_t port_ = 0;
  completion done_; // null: closed
  std::string out_;
  std::size_t sent_ = 0;
  std::array<char, most_head> in_;
  std::size_t have_ = 0;
  std::size_t wanted_ = 0; // bytes before `next_`; 0: whatever comes
  step next_ = nullptr;
};

} // namespace fanfare::protocol
