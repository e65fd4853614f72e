// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace fanfare::protocol::server {

namespace asio = boost::asio;

void stream::free_ssl::operator()(SSL* which) const noexcept {
  SSL_free(which);
}

bool stream::secure_with(const tls_identity& who) {
  tls_.reset(who.accept(socket_.native_handle()));
  return tls_ != nullptr;
}

void stream::limit_silence(std::chrono::milliseconds longest) {
  const auto value = static_cast<unsigned>(longest.count());
  // Without it the system gives up after a quarter of an hour.
  (void)::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT,
                     &value, sizeof value);
}

stream::error_code stream::failure_of(int outcome) {
  switch (SSL_get_error(tls_.get(), outcome)) {
    case SSL_ERROR_NONE: return {};
    case SSL_ERROR_WANT_READ:
      wanted_ = asio::socket_base::wait_read;
      return asio::error::would_block;
    case SSL_ERROR_WANT_WRITE:
      wanted_ = asio::socket_base::wait_write;
      return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN: return asio::error::eof;
    default: return asio::error::connection_aborted;
  }
}

// OpenSSL keeps its errors per thread: one that another connection left there
// would be taken for ours.

std::optional<stream::wait_type> stream::shake_hands(error_code& ec) {
  ERR_clear_error();
  ec = failure_of(SSL_do_handshake(tls_.get()));
  if (ec != asio::error::would_block)
    return std::nullopt;
  ec = {};
  return wanted_;
}

std::size_t stream::read(asio::mutable_buffer into, error_code& ec) {
  ERR_clear_error();
  std::size_t count = 0;
  ec = failure_of(SSL_read_ex(tls_.get(), into.data(), into.size(), &count));
  return count;
}

std::size_t stream::write(asio::const_buffer from, error_code& ec) {
  ERR_clear_error();
  std::size_t count = 0;
  ec = failure_of(SSL_write_ex(tls_.get(), from.data(), from.size(), &count));
  // Without renegotiation a write never has to read first.
  if (ec == asio::error::would_block
      && wanted_ != asio::socket_base::wait_write)
    ec = asio::error::connection_aborted;
  return count;
}

void stream::shutdown_send(error_code& ec) {
  if (tls_) {
    ERR_clear_error();
    SSL_shutdown(tls_.get()); // a failure shows at the next use of the socket
  }
  socket_.shutdown(asio::socket_base::shutdown_send, ec);
}

} // namespace fanfare::protocol::server
