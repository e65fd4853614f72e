// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Publishing, and reading what was published.

#include "protocol/rest/exchange.hpp"

#include <memory>

namespace fanfare::protocol::rest {

/// …/notifications/: POST publishes. Memory; answers on any thread, once the
/// notifications are on disk or refused. GET searches, newest first
/// (notification_query.hpp), which may wait for the disk. It looks at a bounded
/// number of notifications: a page may be short, even empty, and still have a
/// `next`; `looked_back_to` says how far it looked.
void serve_notifications(const std::shared_ptr<exchange>& x);
/// …/notifications/{id}/: GET. May wait for the disk.
[[nodiscard]] http_response serve_notification(const exchange& x);

} // namespace fanfare::protocol::rest
