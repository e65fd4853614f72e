// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The bytes of one connection, plain or over TLS. Without TLS it is the
/// socket, behind one pointer test.

#include "protocol/server/tls_identity.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace fanfare::protocol::server {

/// Named: type erasure alone would cost a fifth of the speed.
using executor = boost::asio::io_context::executor_type;
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                    executor>;

/// One I/O thread. The socket must be non-blocking before the first read or
/// write.
class stream {
public:
  using error_code = boost::system::error_code;
  using wait_type = boost::asio::socket_base::wait_type;

  explicit stream(tcp_socket socket) : socket_(std::move(socket)) {}

  /// Speaks TLS from now on, starting with the handshake. False: out of
  /// memory.
  [[nodiscard]] bool secure_with(const tls_identity& who);
  [[nodiscard]] bool secure() const {
    return tls_ != nullptr;
  }

  [[nodiscard]] tcp_socket& socket() {
    return socket_;
  }

  /// Continues the handshake. Returns the event to wait for before the next
  /// call, nothing once the handshake is complete.
  [[nodiscard]] std::optional<wait_type> shake_hands(error_code& ec);

  /// As for a socket. `done` must keep this object alive.
  template <class Done>
  void async_read_some(boost::asio::mutable_buffer into, Done done) {
    if (!tls_)
      return socket_.async_read_some(into, std::move(done));
    error_code ec;
    const auto count = read(into, ec);
    if (ec == boost::asio::error::would_block)
      return read_later(into, std::move(done));
    boost::asio::post(
      socket_.get_executor(),
      [ec, count, done = std::move(done)]() mutable { done(ec, count); });
  }

  /// would_block: call again with the same bytes when the socket is writable.
  std::size_t write_some(std::span<const boost::asio::const_buffer> from,
                         error_code& ec) {
    if (tls_)
      return write(from.front(), ec);
    return from.size() == 1 ? socket_.write_some(from.front(), ec)
                            : socket_.write_some(from, ec);
  }

  /// A machine that is gone sends no word of it: the connection breaks if what
  /// was sent is not confirmed for so long.
  void limit_silence(std::chrono::milliseconds longest);

  /// Closes this side; over TLS with a close_notify.
  void shutdown_send(error_code& ec);

private:
  struct free_ssl {
    void operator()(SSL* which) const noexcept;
  };

  std::size_t read(boost::asio::mutable_buffer into, error_code& ec);
  std::size_t write(boost::asio::const_buffer from, error_code& ec);
  /// The error for `outcome` of an OpenSSL call; sets `wanted_` if that is
  /// would_block.
  error_code failure_of(int outcome);

  template <class Done>
  void read_later(boost::asio::mutable_buffer into, Done done) {
    socket_.async_wait(
      wanted_, [this, into, done = std::move(done)](error_code ec) mutable {
        std::size_t count = 0;
        if (!ec && socket_.is_open())
          count = read(into, ec);
        if (ec == boost::asio::error::would_block)
          return read_later(into, std::move(done));
        done(ec, count);
      });
  }

  tcp_socket socket_;
  std::unique_ptr<SSL, free_ssl> tls_;
  wait_type wanted_ = boost::asio::socket_base::wait_read;
};

} // namespace fanfare::protocol::server
