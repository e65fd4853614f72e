// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Publishing, and reading what was published.

#include "protocol/rest/exchange.hpp"

#include <memory>

namespace fanfare::protocol::rest {

/// …/notifications/: POST. Memory; answers on any thread, once the
/// notifications are on disk or refused.
void serve_publication(const std::shared_ptr<exchange>& x);
/// …/notifications/{id}/: GET. May wait for the disk.
[[nodiscard]] http_response serve_notification(const exchange& x);

} // namespace fanfare::protocol::rest
