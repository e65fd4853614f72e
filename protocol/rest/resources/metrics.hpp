// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The server's figures.

#include "protocol/rest/exchange.hpp"
#include "protocol/server/http_handler.hpp"

namespace fanfare::protocol::rest {

/// /metrics: GET. With `organizer`, those of its webhooks; a token sees its own
/// organizer's only.
[[nodiscard]] http_response serve_metrics(const exchange& x);

} // namespace fanfare::protocol::rest
