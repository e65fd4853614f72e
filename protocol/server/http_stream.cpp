// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/http_stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace fanfare::protocol {

namespace asio = boost::asio;

void http_stream::ending::operator()(SSL* which) const noexcept {
  SSL_free(which);
}

bool http_stream::secure_with(const tls_identity& who) {
  tls_.reset(who.accept(socket_.native_handle()));
  return tls_ != nullptr;
}

http_stream::error_code http_stream::failure_of(int outcome) {
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

// OpenSSL keeps its errors per thread: what another connection left there would
// be taken for one of this.

std::optional<http_stream::wait_type> http_stream::shake_hands(error_code& ec) {
  ERR_clear_error();
  ec = failure_of(SSL_do_handshake(tls_.get()));
  if (ec != asio::error::would_block)
    return std::nullopt;
  ec = {};
  return wanted_;
}

std::size_t http_stream::read(asio::mutable_buffer into, error_code& ec) {
  ERR_clear_error();
  std::size_t count = 0;
  ec = failure_of(SSL_read_ex(tls_.get(), into.data(), into.size(), &count));
  return count;
}

std::size_t http_stream::write(asio::const_buffer from, error_code& ec) {
  ERR_clear_error();
  std::size_t count = 0;
  ec = failure_of(SSL_write_ex(tls_.get(), from.data(), from.size(), &count));
  // Without renegotiation nothing has to be read for it.
  if (ec == asio::error::would_block
      && wanted_ != asio::socket_base::wait_write)
    ec = asio::error::connection_aborted;
  return count;
}

void http_stream::shutdown_send(error_code& ec) {
  if (tls_) {
    ERR_clear_error();
    SSL_shutdown(tls_.get()); // what fails shows when the socket is next used
  }
  socket_.shutdown(asio::socket_base::shutdown_send, ec);
}

} // namespace fanfare::protocol
