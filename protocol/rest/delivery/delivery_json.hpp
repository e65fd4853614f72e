// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The delivery settings of a webhook as JSON. docs/delivery.md has a table of
/// them, with their limits. Any thread.

#include "fanfare/types.hpp"
#include "protocol/rest/delivery/delivery_patch.hpp"
#include "protocol/rest/service.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace fanfare::protocol::rest {

/// Adds the settings that were sent to `out` and returns their faults. `text`
/// is what they were parsed from. `secrets` opens stored secrets that are to be
/// kept, and must outlive `out`.
[[nodiscard]] delivery_faults
read_delivery(const boost::json::object& json, std::string_view text,
              const secret_opener& secrets, delivery_patch& out);

[[nodiscard]] boost::json::object delivery_json(const webhook& hook,
                                                const secret_opener& secrets);

} // namespace fanfare::protocol::rest
