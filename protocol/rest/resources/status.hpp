// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What an operator looks at first.

#include "protocol/rest/exchange.hpp"

namespace fanfare::protocol::rest {

/// …/status/: GET. Of the server, or of an organizer. May wait for the disk.
[[nodiscard]] http_response serve_status(const exchange& x);

} // namespace fanfare::protocol::rest
