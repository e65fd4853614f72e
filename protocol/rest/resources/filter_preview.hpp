// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Trying a filter before it is saved.

#include "protocol/rest/exchange.hpp"
#include "protocol/server/http_handler.hpp"

namespace fanfare::protocol::rest {

/// Blocks.
[[nodiscard]] http_response serve_filter_preview(const exchange& x);

} // namespace fanfare::protocol::rest
