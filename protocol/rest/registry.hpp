// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Organizers, their events and tokens, and the action types. What only reads
/// answers from memory; what changes something may wait for the disk.

#include "protocol/rest/exchange.hpp"

namespace fanfare::protocol::rest {

[[nodiscard]] http_response serve_organizers(const exchange& x);
[[nodiscard]] http_response serve_events(const exchange& x);
[[nodiscard]] http_response serve_tokens(const exchange& x);
/// DELETE only.
[[nodiscard]] http_response serve_token(const exchange& x);
[[nodiscard]] http_response serve_action_types(const exchange& x);

} // namespace fanfare::protocol::rest
