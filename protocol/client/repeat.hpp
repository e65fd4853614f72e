// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Whether a request that lost its connection goes out again at once, on a
/// fresh one (RFC 9112, 9.3.1). A POST is not idempotent, so this is only for
/// one that the receiver cannot have acted upon.

#include <cstddef>

namespace fanfare::protocol {

/// How an exchange lost its connection.
struct lost_exchange {
  bool by_peer = false;     ///< the receiver closed or reset the connection
  bool reused = false;      ///< it had served another exchange before
  bool repeated = false;    ///< the request went out a second time already
  std::size_t received = 0; ///< bytes of the answer
};

/// The receiver closed an idle connection while the request was on its way: it
/// never read it. A fresh connection that ends is an answer of sorts, and an
/// answer that has begun means that the request was read.
[[nodiscard]] constexpr bool may_repeat(const lost_exchange& how) noexcept {
  return how.by_peer && how.reused && !how.repeated && how.received == 0;
}

} // namespace fanfare::protocol
