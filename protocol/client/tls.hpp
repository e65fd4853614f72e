// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How receivers' certificates are verified. Always: there is no switch to
/// leave it out, only a choice of whom to trust.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <optional>
#include <string>

namespace fanfare::protocol {

/// The settings of TLS 1.2 and up as a client, made once at start-up and shared
/// by all connections. Any thread.
class tls_settings {
  struct token {};

public:
  /// Trusts the authorities in the PEM file `ca_file`, or, if it is empty,
  /// those of the system (which SSL_CERT_FILE and SSL_CERT_DIR override).
  /// io_error: the file cannot be read or holds no certificate.
  [[nodiscard]] static result<std::shared_ptr<tls_settings>>
  make(const std::string& ca_file = {});

  /// Like `make`, but trusts exactly the authorities of this PEM text.
  [[nodiscard]] static result<std::shared_ptr<tls_settings>>
  trusting(const std::string& pem);

  /// Of one webhook: trusts exactly the authorities of the PEM text `ca`
  /// (empty: the system's) and, unless they are empty, shows the certificate
  /// (with its chain) and uses the private key, both PEM texts, when a receiver
  /// asks for them. invalid_argument with field "tls": one sentence that says
  /// which of the three is wrong and why (also: the key does not belong to the
  /// certificate, the key has a passphrase).
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

/// Where the session of a connection is kept for the next one to the same
/// destination. Belongs to one I/O thread; must outlive the connections that
/// point to it.
class tls_session {
public:
  tls_session() = default;
  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;
  ~tls_session() {
    keep(nullptr);
  }

  /// Takes over a reference.
  void keep(SSL_SESSION* session) noexcept;
  [[nodiscard]] SSL_SESSION* get() const noexcept {
    return session_;
  }

private:
  SSL_SESSION* session_ = nullptr;
};

/// Readies a client's side for `host` (a name or an address): server name,
/// whose certificate is wanted, and an earlier session if there is one. New
/// sessions go to `session`. False: out of memory.
[[nodiscard]] bool prepare_tls(SSL* ssl, const std::string& host,
                               bool is_address, tls_session& session);

/// To be called before a connection that is closed without the farewell of TLS
/// is destroyed: OpenSSL would take its session for damaged.
void end_tls(SSL* ssl) noexcept;

/// Why a handshake failed, in one plain line that begins with "tls: ".
[[nodiscard]] std::string tls_failure(SSL* ssl,
                                      const boost::system::error_code& code,
                                      const std::string& host);

/// Why a connection ended whose handshake went well, before anything came back:
/// under TLS 1.3 a receiver judges the client's certificate after it. Nothing
/// if TLS is not why.
[[nodiscard]] std::optional<std::string>
tls_refusal(SSL* ssl, const boost::system::error_code& code);

/// End of validity of the certificate that the other side showed, now or in the
/// session that was resumed; nothing if that is not known.
[[nodiscard]] std::optional<timestamp> certificate_end(SSL* ssl);

} // namespace fanfare::protocol
