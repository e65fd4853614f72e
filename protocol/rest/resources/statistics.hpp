// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Statistics of calls, by steps of time.

#include "protocol/rest/exchange.hpp"

namespace fanfare::protocol::rest {

/// …/webhooks/{id}/statistics/: GET. May wait for the disk.
[[nodiscard]] http_response serve_statistics(const exchange& x);
/// …/organizers/{organizer}/statistics/: GET. May wait for the disk.
[[nodiscard]] http_response serve_statistics_of_organizer(const exchange& x);

} // namespace fanfare::protocol::rest
