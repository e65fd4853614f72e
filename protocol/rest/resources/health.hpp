// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The health of a webhook.

#include "protocol/rest/exchange.hpp"

namespace fanfare::protocol::rest {

/// …/webhooks/{id}/health/: GET. May wait for the disk.
[[nodiscard]] http_response serve_health(const exchange& x);

/// "pause", "breaker", …; empty for `none`.
[[nodiscard]] std::string_view hold_name(hold_reason why);

} // namespace fanfare::protocol::rest
