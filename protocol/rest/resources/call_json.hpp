// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An entry of the call log as clients see it. Any thread.

#include "fanfare/types.hpp"

#include <boost/json/object.hpp>

#include <chrono>

namespace fanfare::protocol::rest {

/// `subject` is the notification that was sent; null if it has expired.
[[nodiscard]] boost::json::object to_json(const call& c,
                                          const notification* subject);

/// With its fraction.
[[nodiscard]] double seconds(std::chrono::microseconds time);

} // namespace fanfare::protocol::rest
