// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A notification as clients see it. Any thread.

#include "fanfare/types.hpp"
#include "protocol/rest/service.hpp"

#include <boost/json/object.hpp>

namespace fanfare::protocol::rest {

/// `of` knows the names.
[[nodiscard]] boost::json::object to_json(const service& of,
                                          const notification& n);

} // namespace fanfare::protocol::rest
