// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Verifies receivers' certificates. This cannot be turned off; only the
/// authorities can be chosen.

#include "fanfare/error.hpp"
#include "protocol/client/tls_sessions.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <optional>
#include <string>

namespace fanfare::protocol {

/// The settings of a client that speaks TLS 1.2 and up, made once and shared by
/// all connections. Any thread.
class tls_settings {
  struct token {};

public:
  /// Trusts the authorities in the PEM file `ca_file`, or the system's if it is
  /// empty (SSL_CERT_FILE and SSL_CERT_DIR override those). Every certificate
  /// in the file is trusted, even an intermediate or a receiver's own.
  /// io_error: the file cannot be read or holds no certificate.
  [[nodiscard]] static result<std::shared_ptr<tls_settings>>
  make(const std::string& ca_file = {});

  /// Like `make`, but trusts exactly the authorities of this PEM text.
  [[nodiscard]] static result<std::shared_ptr<tls_settings>>
  trusting(const std::string& pem);

  /// For one webhook: trusts exactly the authorities of the PEM text `ca`
  /// (empty: the system's) and, unless empty, presents the certificate with its
  /// chain and uses the private key, both PEM texts, when a receiver requests a
  /// certificate. invalid_argument with field "tls": one sentence that says
  /// which of the three is wrong and why (also if the key does not belong to
  /// the certificate or has a passphrase).
  [[nodiscard]] static result<std::shared_ptr<tls_settings>>
  of_webhook(const std::string& ca, const std::string& certificate,
             const std::string& key);

  [[nodiscard]] boost::asio::ssl::context& context() noexcept {
    return context_;
  }

  explicit tls_settings(token);

private:
  boost::asio::ssl::context context_;
};

/// Prepares a handshake with `host` (a name or an address): the server name,
/// the host that the certificate must match, and an earlier session if any. New
/// sessions go to `sessions`. False: out of memory.
[[nodiscard]] bool prepare_tls(SSL* ssl, const std::string& host,
                               bool is_address, tls_sessions& sessions);

/// Call before a connection is destroyed without a close_notify: otherwise
/// OpenSSL considers its session damaged.
void end_tls(SSL* ssl) noexcept;

/// Part of a record, at least of its header, has arrived, but not its end.
[[nodiscard]] bool has_partial_record(const SSL* ssl) noexcept;

/// Why a handshake failed, in one plain line that begins with "tls: ".
/// `by_proxy`: it went through one, that may have had a hand in it.
[[nodiscard]] std::string
tls_failure(SSL* ssl, const boost::system::error_code& code,
            const std::string& host, bool by_proxy = false);

/// Why a connection ended after its handshake but before the first byte: under
/// TLS 1.3 a receiver checks the client's certificate only then, and under 1.2
/// some request one only then. `fresh`: it has served no exchange. Nothing if
/// TLS is not the cause.
[[nodiscard]] std::optional<std::string>
tls_refusal(SSL* ssl, const boost::system::error_code& code, bool fresh);

} // namespace fanfare::protocol
