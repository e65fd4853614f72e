// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Organizers, their events, and the action types. Reads are answered from
/// memory; writes may wait for the disk.

#include "protocol/rest/exchange.hpp"

namespace fanfare::protocol::rest {

/// organizers/: GET, POST.
[[nodiscard]] http_response serve_organizers(const exchange& x);
/// organizers/{organizer}/: GET, PATCH, DELETE.
[[nodiscard]] http_response serve_organizer(const exchange& x);
/// organizers/{organizer}/events/: GET, POST.
[[nodiscard]] http_response serve_events(const exchange& x);
/// organizers/{organizer}/events/{event}/: GET, PATCH, DELETE.
[[nodiscard]] http_response serve_event(const exchange& x);
/// action-types/: GET, POST.
[[nodiscard]] http_response serve_action_types(const exchange& x);

} // namespace fanfare::protocol::rest
