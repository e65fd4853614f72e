// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Who asks, and whether they may. Memory only: runs on the I/O thread.

#include "fanfare/types.hpp"
#include "protocol/rest/auth_limiter.hpp"
#include "protocol/rest/exchange.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace fanfare::protocol::rest {

/// Who a valid key speaks for.
struct caller {
  bool server_admin = false;
  /// Of an organizer; null for the server's admin.
  std::shared_ptr<const token> value;
};

/// Nothing needed but a valid key.
inline constexpr std::uint8_t any_permission = 0xFF;
/// Only the server's admin.
inline constexpr std::uint8_t no_permission = 0;

/// Who sent a valid key, if anybody.
[[nodiscard]] std::optional<caller> identify(const exchange& x,
                                             std::string_view admin_hash);

/// Reads the `Authorization` header. On failure gives the 401 to send, or the
/// 429 if too many wrong keys came from there. `admin_hash` is the
/// hash_token_key() of the server's admin token; empty: there is none.
[[nodiscard]] std::optional<http_response>
authenticate(const exchange& x, std::string_view admin_hash,
             auth_limiter& limiter, caller& who);

/// Whether `who` may do what needs one of the bits `needed`, in the organizer
/// `owner` if given. An organizer's admin has all permissions of it.
[[nodiscard]] bool may(const caller& who, std::uint8_t needed,
                       const organizer* owner);

} // namespace fanfare::protocol::rest
