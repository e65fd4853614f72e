// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The signing secret of a webhook.

#include "protocol/rest/exchange.hpp"
#include "protocol/server/http_handler.hpp"

namespace fanfare::protocol::rest {

/// Blocks.
[[nodiscard]] http_response serve_secret(const exchange& x);
/// Blocks.
[[nodiscard]] http_response serve_secret_rotation(const exchange& x);

} // namespace fanfare::protocol::rest
