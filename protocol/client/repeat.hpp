// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Decides whether a request that lost its connection goes out again at
/// once, on a fresh one (RFC 9112, 9.3.1 and 9.5). A POST is not
/// idempotent, so only one that the receiver has hardly acted on does, and
/// never twice.

#include <chrono>
#include <cstdint>

namespace fanfare::protocol {

/// A receiver that closes an idle connection does not know yet of the request
/// on its way, so that close arrives within a round trip of the write. A later
/// one comes from a handler that had the request.
inline constexpr std::chrono::milliseconds repeat_within{1'000};

/// How an exchange lost its connection.
struct lost_exchange {
  bool by_peer = false;   ///< the receiver closed or reset the connection
  bool reused = false;    ///< it had served another exchange before
  bool elsewhere = false; ///< the receiver has another address to try
  bool repeated = false;  ///< the request went out a second time already
  bool begun = false;     ///< part of an answer, or of its record, came
  /// From the first byte of the request to the end of the connection.
  std::chrono::steady_clock::duration after{0};
};

/// The receiver closed an idle connection while the request was on its way: it
/// never read it. A fresh connection that ends is an answer of sorts, unless
/// there is another address: one of several servers may be shutting down. An
/// answer that has begun means that the request was read.
[[nodiscard]] constexpr bool may_repeat(const lost_exchange& how) noexcept {
  return how.by_peer && (how.reused || how.elsewhere) && !how.repeated
      && !how.begun && how.after <= repeat_within;
}

/// A complete answer received early.
struct early_answer {
  std::uint16_t status = 0;
  bool interim = false;  ///< another one (1xx) came before
  bool reused = false;   ///< as in `lost_exchange`
  bool repeated = false; ///< as in `lost_exchange`
  /// From the first byte of the request to the answer's status line.
  std::chrono::steady_clock::duration after{0};
};

/// How long to wait for the end of a connection behind a 408 that does not
/// announce it: receivers close right after it.
inline constexpr std::chrono::milliseconds ends_within{200};

/// Some receivers send 408 before they close an idle connection (RFC 9110,
/// 15.5.9); it crosses the request, which they never read. Only if the
/// connection does end: else the 408 is a handler's.
[[nodiscard]] constexpr bool may_repeat(const early_answer& how) noexcept {
  return how.status == 408 && !how.interim && how.reused && !how.repeated
      && how.after <= repeat_within;
}

} // namespace fanfare::protocol
