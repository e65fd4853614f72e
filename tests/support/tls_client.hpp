// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A client of a TLS server on this machine, byte by byte, for what no HTTP
/// library would do. Every wait is bounded.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fanfare::test {

struct tls_client_options {
  std::string ca_pem;  ///< whom to trust; empty: anyone
  int max_version = 0; ///< of TLS, as OpenSSL writes it; 0: the newest
  std::string protocol = "http/1.1"; ///< offered by ALPN; empty: none
  std::chrono::seconds patience{30}; ///< for each read
};

class tls_client {
public:
  /// Connects to 127.0.0.1. Throws `std::runtime_error` if it cannot.
  explicit tls_client(std::uint16_t port, tls_client_options options = {});
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;
  ~tls_client();

  /// False if either side refuses.
  bool shake_hands();
  /// "TLSv1.3"
  [[nodiscard]] std::string version() const;
  /// The protocol that the server chose by ALPN.
  [[nodiscard]] std::string protocol() const;
  /// The common name of the server's certificate.
  [[nodiscard]] std::string server_name() const;

  bool send(std::string_view bytes);
  /// The bytes up to and including `last`; all received if the connection ends
  /// or nothing comes in time.
  std::string read_until(std::string_view last);
  std::string read(std::size_t count);

  /// Unchanged, without TLS.
  bool send_plain(std::string_view bytes);
  /// True if the server closes the connection, orderly or by a reset, before
  /// the patience runs out.
  bool closed_plain();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace fanfare::test
