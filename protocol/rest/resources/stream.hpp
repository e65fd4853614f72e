// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The stream of an organizer: what happens, as it happens.

#include "protocol/rest/exchange.hpp"

#include <memory>

namespace fanfare::protocol::rest {

/// …/stream/: GET. May wait for the disk.
void serve_stream(const std::shared_ptr<exchange>& x);

} // namespace fanfare::protocol::rest
