// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The tokens of an organizer. Lists are answered from memory; writes may wait
/// for the disk.

#include "protocol/rest/exchange.hpp"

namespace fanfare::protocol::rest {

/// organizers/{organizer}/tokens/: GET, POST. The answer to a POST has the key,
/// which is never shown again.
[[nodiscard]] http_response serve_tokens(const exchange& x);
/// organizers/{organizer}/tokens/{id}/: DELETE.
[[nodiscard]] http_response serve_token(const exchange& x);

} // namespace fanfare::protocol::rest
