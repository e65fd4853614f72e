// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The answer that is stored under an idempotency key.

#include "protocol/rest/exchange.hpp"

#include <memory>

namespace fanfare::protocol::rest {

/// /api/v1/idempotency_query?key=KEY: GET. Of the caller's own keys.
void serve_idempotency_query(const std::shared_ptr<exchange>& x);

} // namespace fanfare::protocol::rest
