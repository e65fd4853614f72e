// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Why a webhook received a notification or not, as clients see it. Any thread.

#include "protocol/rest/service.hpp"

#include <boost/json/object.hpp>

namespace fanfare::protocol::rest {

[[nodiscard]] boost::json::object
to_json(const explanation& e, const notification& what, timestamp now);

} // namespace fanfare::protocol::rest
