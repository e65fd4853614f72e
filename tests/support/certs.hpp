// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Certificates for tests, made on the fly: good ones and every kind of bad.
/// Nothing is read from disk and nothing expires in the repository.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace boost::asio::ssl {
class context;
} // namespace boost::asio::ssl

namespace fanfare::test {

/// A certificate with its private key (P-256), both in PEM.
struct certificate {
  std::string certificate_pem;
  std::string key_pem;
};

/// The contents of a certificate.
struct certificate_options {
  /// Host names and IP addresses it is valid for. The first is its common name.
  std::vector<std::string> names = {"localhost"};
  /// From now; negative is in the past.
  std::chrono::seconds not_before = -std::chrono::hours{1};
  std::chrono::seconds not_after = std::chrono::hours{24};
};

/// A private certificate authority. Throws `std::runtime_error` when OpenSSL
/// refuses.
class certificate_authority {
public:
  explicit certificate_authority(std::string name = "Fanfare test CA");

  /// The certificate that clients must trust, in PEM.
  const std::string& pem() const noexcept {
    return own_.certificate_pem;
  }

  /// Another one, signed by this one.
  certificate_authority
  intermediate(std::string name,
               std::chrono::seconds not_after = std::chrono::hours{24}) const;

  /// Signs anything.
  certificate issue(const certificate_options& options) const;

  /// Valid now for these names, by default those of the local machine.
  certificate good(std::vector<std::string> names = {"localhost", "127.0.0.1",
                                                     "::1"}) const;

  /// Was valid for the names until an hour ago.
  certificate expired(std::vector<std::string> names = {
                        "localhost", "127.0.0.1", "::1"}) const;

  /// Will be valid for the names from tomorrow on.
  certificate not_yet_valid(std::vector<std::string> names = {
                              "localhost", "127.0.0.1", "::1"}) const;

  /// Valid now, but for "wrong.example" only.
  certificate wrong_host() const;

private:
  explicit certificate_authority(certificate own) : own_{std::move(own)} {}

  certificate own_;
};

/// Valid now for the names, self-signed.
certificate
self_signed(std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"});

/// A server's TLS context (1.2 and up) that presents `cert`; pass it to
/// `http_sink`. With `client_ca` it demands a client certificate of that.
std::shared_ptr<boost::asio::ssl::context>
server_context(const certificate& cert, const std::string& client_ca = {});

} // namespace fanfare::test
