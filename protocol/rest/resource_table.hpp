// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// All resources of the API.

#include "protocol/rest/resource.hpp"

#include <span>

namespace fanfare::protocol::rest {

/// Any thread.
[[nodiscard]] std::span<const resource> resource_table();

} // namespace fanfare::protocol::rest
