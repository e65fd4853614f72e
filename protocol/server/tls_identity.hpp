// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The HTTP server's certificate and private key.

#include "fanfare/error.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace fanfare::protocol {

/// A server's settings for TLS 1.2 and later, made once and shared by the
/// connections that start with them. Any thread.
class tls_identity {
  struct token {};

public:
  /// `certificate_file`: PEM, the server's own certificate first, then the
  /// intermediate ones. `key_file`: PEM, without a passphrase.
  /// invalid_argument, with a sentence that names the file: it cannot be read,
  /// does not hold a certificate or key, or the key belongs to another
  /// certificate.
  [[nodiscard]] static result<std::shared_ptr<tls_identity>>
  load(const std::string& certificate_file, const std::string& key_file);

  /// The server's side of a new connection on the socket `descriptor`, or null
  /// if memory runs out. It can outlive this object.
  [[nodiscard]] SSL* accept(int descriptor) const noexcept;

  explicit tls_identity(token);

private:
  boost::asio::ssl::context context_;
};

} // namespace fanfare::protocol
