// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The server's own answer to a request that never reaches the handler.

#include "protocol/server/http_handler.hpp"

#include <cstdint>
#include <string_view>

namespace fanfare::protocol::server {

struct refusal {
  std::uint16_t status = 0;
  std::string_view detail; ///< a literal
};

/// {"detail": "…"}, and for 429 and 503 when to retry.
[[nodiscard]] http_response to_response(const refusal& why);

} // namespace fanfare::protocol::server
