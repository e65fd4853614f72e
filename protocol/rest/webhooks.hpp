// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The webhooks of an organizer: the resource that programs written for pretix
/// use. Both functions may wait for the disk.

#include "protocol/rest/exchange.hpp"

#include <optional>

namespace fanfare::protocol::rest {

/// …/webhooks/: GET, POST, OPTIONS.
[[nodiscard]] http_response serve_webhooks(const exchange& x);
/// …/webhooks/{id}/: GET, PUT, PATCH, DELETE, OPTIONS.
[[nodiscard]] http_response serve_webhook(const exchange& x);
/// …/webhooks/{id}/delivery/: GET, PATCH.
[[nodiscard]] http_response serve_delivery(const exchange& x);

/// The webhook of the path, or the answer that there is none. For the webhook
/// itself (not what is below it) the filters of the list hold, too.
[[nodiscard]] std::optional<http_response> load_webhook(const exchange& x,
                                                        webhook& out);

} // namespace fanfare::protocol::rest
