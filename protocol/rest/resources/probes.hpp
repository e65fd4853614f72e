// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Liveness and readiness, for whoever supervises the server. Memory.

#include "protocol/rest/exchange.hpp"

namespace fanfare::protocol::rest {

/// /healthz: GET. The process answers.
[[nodiscard]] http_response serve_healthz(const exchange& x);
/// /readyz: GET. 503 unless the engine runs and the disk takes writes.
[[nodiscard]] http_response serve_readyz(const exchange& x);

} // namespace fanfare::protocol::rest
