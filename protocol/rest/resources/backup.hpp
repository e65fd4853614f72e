// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The backup of a running server, as a stream.

#include "protocol/rest/exchange.hpp"

#include <memory>

namespace fanfare::protocol::rest {

void serve_backup(const std::shared_ptr<exchange>& x);

} // namespace fanfare::protocol::rest
