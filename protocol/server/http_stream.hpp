// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The bytes of a connection of the HTTP server, plain or over TLS. Private to
/// the server. Without TLS it is the socket, behind one test of a pointer.

#include "protocol/server/tls_identity.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace fanfare::protocol {

/// The executor is named, not type-erased: that alone is a fifth of the speed.
using http_executor = boost::asio::io_context::executor_type;
using http_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                     http_executor>;

/// One I/O thread. The socket must be non-blocking before anything is read or
/// written.
class http_stream {
public:
  using error_code = boost::system::error_code;
  using wait_type = boost::asio::socket_base::wait_type;

  explicit http_stream(http_socket socket) : socket_(std::move(socket)) {}

  /// Speaks TLS from now on, the handshake first. False: out of memory.
  [[nodiscard]] bool secure_with(const tls_identity& who);
  [[nodiscard]] bool secure() const {
    return tls_ != nullptr;
  }

  [[nodiscard]] http_socket& socket() {
    return socket_;
  }

  /// Goes on with the handshake: what it has to wait for, nothing once it is
  /// through. To be repeated then.
  [[nodiscard]] std::optional<wait_type> shake_hands(error_code& ec);

  /// As of a socket. `done` must keep this object alive.
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

  /// would_block: when the socket takes more, again with the same bytes.
  std::size_t write_some(std::span<const boost::asio::const_buffer> from,
                         error_code& ec) {
    if (tls_)
      return write(from.front(), ec);
    return from.size() == 1 ? socket_.write_some(from.front(), ec)
                            : socket_.write_some(from, ec);
  }

  /// Says that nothing will follow.
  void shutdown_send(error_code& ec);

private:
  struct ending {
    void operator()(SSL* which) const noexcept;
  };

  std::size_t read(boost::asio::mutable_buffer into, error_code& ec);
  std::size_t write(boost::asio::const_buffer from, error_code& ec);
  /// What `outcome` of a call of OpenSSL means; sets `wanted_` if would_block.
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

  http_socket socket_;
  std::unique_ptr<SSL, ending> tls_;
  wait_type wanted_ = boost::asio::socket_base::wait_read;
};

} // namespace fanfare::protocol
