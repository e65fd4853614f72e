// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Bodies of requests that differ from a notification's own.

#include "fanfare/types.hpp"

#include <span>
#include <string>
#include <string_view>

namespace fanfare::protocol {

/// The keys that identify the notification: notification_id, organizer, event
/// and action, as far as it has them. The receiver fetches the rest. Any
/// thread.
[[nodiscard]] std::string thin_body(std::string_view body);

/// A JSON array of the bodies, in their order. Any thread.
[[nodiscard]] std::string batch_body(std::span<const notification_ptr> all,
                                     bool thin);

/// The `webhook-id` of a batch: equal for the same notifications, different for
/// others.
[[nodiscard]] std::string batch_id(std::span<const notification_ptr> all);

} // namespace fanfare::protocol
