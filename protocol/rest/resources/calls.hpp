// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The call logs of webhooks. All functions may wait for the disk.

#include "protocol/rest/exchange.hpp"

#include <memory>

namespace fanfare::protocol::rest {

/// …/webhooks/{id}/calls/: GET. Newest first; `page_size` up to 50, `cursor` is
/// the id of the last call seen. Filters: `success`, `notification_id`, `since`
/// and `until` (times of the call, ISO 8601 with a zone), `action_type` (exact,
/// or `a.b.*` for all below it). A request looks at a bounded number of calls:
/// its page may be short, even empty, and still have a `next`.
[[nodiscard]] http_response serve_calls(const exchange& x);
/// …/calls/: GET. The same of all webhooks of the organizer, or of those that
/// `webhook` names, each with its `webhook_id`. `looked_back_to` says how far
/// it looked, if that was not to the end.
[[nodiscard]] http_response serve_calls_of_organizer(const exchange& x);
/// …/webhooks/{id}/calls/{call}/: GET.
[[nodiscard]] http_response serve_call(const exchange& x);
/// …/webhooks/{id}/calls/{call}/resend/: POST; 202 with the retry that is due.
[[nodiscard]] http_response serve_resend(const exchange& x);
/// …/webhooks/{id}/test/: POST. Answers with the call once its attempt has
/// ended, on any thread.
void serve_test(const std::shared_ptr<exchange>& x);

} // namespace fanfare::protocol::rest
