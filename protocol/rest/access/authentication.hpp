// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Who sent a request, and whether they may. Memory.

#include "fanfare/types.hpp"
#include "model/token.hpp"
#include "protocol/rest/access/auth_limiter.hpp"
#include "protocol/rest/exchange.hpp"
#include "protocol/rest/resource.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace fanfare::protocol::rest {

/// Whom a valid key speaks for.
struct caller {
  bool server_admin = false;
  /// An organizer's token; null for the server's admin.
  std::shared_ptr<const token> value;
};

/// The key that a request came with; empty: none, or more than one.
[[nodiscard]] std::string_view key_of(const exchange& x);

/// The caller, if the key is valid.
[[nodiscard]] std::optional<caller> identify(const exchange& x,
                                             std::string_view admin_hash);

/// Reads the `Authorization` header. On failure returns the 401, or the 429 if
/// too many wrong keys came from that address. `admin_hash` is hash_token_key()
/// of the server's admin token; empty: there is none.
[[nodiscard]] std::optional<http_response>
authenticate(const exchange& x, std::string_view admin_hash,
             auth_limiter& limiter, caller& who);

/// Whether `who` has one of the permissions `needed`, in the organizer `owner`
/// if given. An organizer's admin has all permissions in it, and none beyond.
[[nodiscard]] bool may(const caller& who, permissions needed,
                       const organizer* owner);

} // namespace fanfare::protocol::rest
