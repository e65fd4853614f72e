// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The webhooks of an organizer: the resource that programs written for pretix
/// use. All functions may wait for the disk, but describe_webhooks.

#include "protocol/rest/exchange.hpp"

#include <optional>

namespace fanfare::protocol::rest {

/// …/webhooks/: GET, POST.
[[nodiscard]] http_response serve_webhooks(const exchange& x);
/// OPTIONS of it: the fields that a POST takes.
[[nodiscard]] http_response describe_webhooks(const exchange& x);
/// …/webhooks/{id}/: GET, PUT, PATCH, DELETE. The filter of the list holds here
/// too.
[[nodiscard]] http_response serve_webhook(const exchange& x);
/// OPTIONS of it: the fields that a PUT takes, if the webhook exists.
[[nodiscard]] http_response describe_webhook(const exchange& x);
/// …/webhooks/{id}/delivery/: GET, PATCH.
[[nodiscard]] http_response serve_delivery(const exchange& x);

/// Loads the webhook of the path, or returns the 404.
[[nodiscard]] std::optional<http_response> load_webhook(const exchange& x,
                                                        webhook& out);

} // namespace fanfare::protocol::rest
