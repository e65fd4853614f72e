// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// organizers/{organizer}/networks/: networks that receivers of the organizer
/// may, and may not, be in, in addition to the server's options.

#include "protocol/rest/exchange.hpp"
#include "protocol/server/http_handler.hpp"

namespace fanfare::protocol::rest {

/// Blocks.
[[nodiscard]] http_response serve_networks(const exchange& x);

} // namespace fanfare::protocol::rest
