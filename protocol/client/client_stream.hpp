// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The byte stream to a receiver: a socket, with TLS on it from `start_tls` on.
/// INTERNAL to client_connection, which keeps it alive while it works.

#include "protocol/client/connector.hpp"
#include "protocol/client/tls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace fanfare::protocol {

class client_stream {
public:
  using error_code = boost::system::error_code;

  explicit client_stream(boost::asio::io_context& context)
    : socket_(context.get_executor()) {}

  /// Takes a connected socket. Call once, first.
  void open(client_socket socket) {
    socket_ = std::move(socket);
  }

  [[nodiscard]] client_socket& socket() noexcept {
    return socket_;
  }
  /// Null without TLS.
  [[nodiscard]] SSL* tls() const noexcept {
    return tls_ ? tls_->native_handle() : nullptr;
  }

  /// A part of a record has arrived that is unreadable without the rest.
  [[nodiscard]] bool has_partial_record() const noexcept {
    return tls_ && fanfare::protocol::has_partial_record(tls());
  }

  void start_tls(tls_settings& settings) {
    tls_ = std::make_unique<boost::asio::ssl::stream<client_socket&>>(
      socket_, settings.context());
  }

  template <class Handler>
  void handshake(Handler&& done) {
    tls_->async_handshake(boost::asio::ssl::stream_base::client,
                          std::forward<Handler>(done));
  }

  template <class Buffer, class Handler>
  void read_some(const Buffer& space, Handler&& done) {
    if (tls_)
      tls_->async_read_some(space, std::forward<Handler>(done));
    else
      socket_.async_read_some(space, std::forward<Handler>(done));
  }

  /// Without TLS: writes as much as the kernel takes at once.
  template <class Buffers>
  std::size_t write_now(const Buffers& bytes, error_code& code) {
    return socket_.write_some(bytes, code);
  }
  template <class Buffers, class Handler>
  void write_plain(const Buffers& bytes, Handler&& done) {
    boost::asio::async_write(socket_, bytes, std::forward<Handler>(done));
  }
  template <class Buffers, class Handler>
  void write_tls(const Buffers& bytes, Handler&& done) {
    boost::asio::async_write(*tls_, bytes, std::forward<Handler>(done));
  }

  /// At once; operations in progress end with an error.
  void close() noexcept {
    if (tls_)
      end_tls(tls_->native_handle());
    error_code ignored;
    socket_.close(ignored);
  }

private:
  client_socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<client_socket&>> tls_;
};

} // namespace fanfare::protocol
