// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The TLS sessions of a destination, so that the next connection need not
/// begin from nothing (RFC 8446, 2.2), and what its certificate was.

#include "fanfare/types.hpp"

#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

namespace fanfare::protocol {

struct session_deleter {
  void operator()(SSL_SESSION* session) const noexcept;
};
using session_ptr = std::unique_ptr<SSL_SESSION, session_deleter>;

/// Belongs to one I/O thread; must outlive the connections that point to it.
class tls_sessions {
public:
  /// After the handshake that verified the certificate: resumption by
  /// resumption a receiver could go on with one that nobody looks at any more.
  static constexpr std::chrono::hours longest_use{24};

  /// Receivers send one ticket or two per full handshake, and some send none
  /// after a resumption.
  static constexpr std::size_t most = 2;

  tls_sessions() = default;
  tls_sessions(const tls_sessions&) = delete;
  tls_sessions& operator=(const tls_sessions&) = delete;

  /// In place of the oldest one if there is no room.
  void keep(session_ptr session) noexcept;

  /// The newest session that may be resumed at that time; null if there is
  /// none. One of TLS 1.3 is given away: its ticket is for one use (RFC 8446,
  /// C.4). Others are dropped once they are out of date.
  [[nodiscard]] session_ptr take(timestamp now) noexcept;

  [[nodiscard]] bool empty() const noexcept {
    return !kept_.front();
  }

  /// Notes a handshake that has succeeded. Returns when the certificate expires
  /// that the newest full handshake has shown: a resumed session still tells of
  /// the one that it began with.
  [[nodiscard]] std::optional<timestamp> note_handshake(SSL* ssl);

private:
  std::array<session_ptr, most> kept_; // newest first
  std::optional<timestamp> certificate_end_;
};

/// Makes the context give its new sessions to the `tls_sessions` of a
/// connection.
void keep_sessions(SSL_CTX* context);

/// Whose sessions the connection resumes and adds to. False: out of memory.
[[nodiscard]] bool use_sessions(SSL* ssl, tls_sessions& sessions,
                                timestamp now);

} // namespace fanfare::protocol
