// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The TLS sessions of a destination, to spare the next connection a full
/// handshake (RFC 8446, 2.2), and its last certificate.

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
  /// After the handshake that verified the certificate: through resumptions
  /// alone, a receiver could keep using one that is never checked again.
  static constexpr std::chrono::hours longest_use{24};

  /// Receivers send one or two tickets per full handshake, and some send none
  /// after a resumption.
  static constexpr std::size_t most = 2;

  tls_sessions() = default;
  tls_sessions(const tls_sessions&) = delete;
  tls_sessions& operator=(const tls_sessions&) = delete;

  /// Replaces the oldest one if there is no room.
  void keep(session_ptr session) noexcept;

  /// The newest session that may be resumed at that time; null if there is
  /// none. One of TLS 1.3 is given away: its ticket is for one use (RFC 8446,
  /// C.4). Expired ones are dropped.
  [[nodiscard]] session_ptr take(timestamp now) noexcept;

  [[nodiscard]] bool empty() const noexcept {
    return !kept_.front();
  }

  /// Records a successful handshake. Returns the expiry of the certificate of
  /// the newest full handshake: a resumed session still reports the certificate
  /// that it began with.
  [[nodiscard]] std::optional<timestamp> note_handshake(SSL* ssl);

private:
  std::array<session_ptr, most> kept_; // newest first
  std::optional<timestamp> certificate_end_;
};

/// Makes the context pass its new sessions to the `tls_sessions` of a
/// connection.
void keep_sessions(SSL_CTX* context);

/// The sessions that the connection resumes and adds to. False: out of memory.
[[nodiscard]] bool use_sessions(SSL* ssl, tls_sessions& sessions,
                                timestamp now);

} // namespace fanfare::protocol
