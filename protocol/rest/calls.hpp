// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The call log of a webhook and what is due for it. All functions may wait for
/// the disk.

#include "protocol/rest/exchange.hpp"

#include <memory>

namespace fanfare::protocol::rest {

/// …/webhooks/{id}/calls/: newest first, `page_size` up to 50, `cursor` = the
/// id seen last. Filters: `success`, `notification_id`, `since`, `until` (times
/// of the call, ISO 8601 with zone), `action_type` (exact, or `a.b.*` for all
/// below). One request looks at a bounded number of calls: a page may be short,
/// even empty, and still have a `next`.
[[nodiscard]] http_response serve_calls(const exchange& x);
/// …/webhooks/{id}/calls/{call}/
[[nodiscard]] http_response serve_call(const exchange& x);
/// …/webhooks/{id}/calls/{call}/resend/: POST; 202 with what is due now.
[[nodiscard]] http_response serve_resend(const exchange& x);
/// …/webhooks/{id}/test/: POST. Answers with the call once the attempt has
/// ended, on any thread.
void serve_test(const std::shared_ptr<exchange>& x);
/// …/webhooks/{id}/retries/expedite/: POST; {"expedited": number}.
[[nodiscard]] http_response serve_expedite(const exchange& x);
/// …/webhooks/{id}/retries/drop/: POST; {"dropped": number}.
[[nodiscard]] http_response serve_drop(const exchange& x);
/// …/webhooks/{id}/retries/: by due time, in pages. `reason` is that of the
/// last attempt, null if it lies too far back in the log.
[[nodiscard]] http_response serve_retries(const exchange& x);

} // namespace fanfare::protocol::rest
