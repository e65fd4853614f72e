// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The retries of a webhook. All functions may wait for the disk.

#include "protocol/rest/exchange.hpp"

namespace fanfare::protocol::rest {

/// …/webhooks/{id}/retries/: GET. By due time, in pages. `reason` is that of
/// the last attempt, null if it lies too far back in the log.
[[nodiscard]] http_response serve_retries(const exchange& x);
/// …/webhooks/{id}/retries/expedite/: POST; {"expedited": number}.
[[nodiscard]] http_response serve_expedite(const exchange& x);
/// …/organizers/{organizer}/retries/expedite/: POST; the same at all webhooks
/// of the organizer: {"expedited": number, "webhooks": number}, those that had
/// some.
[[nodiscard]] http_response serve_expedite_all(const exchange& x);
/// /api/v1/retries/expedite/: POST; the same at all webhooks of the server.
[[nodiscard]] http_response serve_expedite_everywhere(const exchange& x);
/// …/webhooks/{id}/retries/drop/: POST, of all or of one "action_type";
/// {"dropped": number}.
[[nodiscard]] http_response serve_drop(const exchange& x);

} // namespace fanfare::protocol::rest
