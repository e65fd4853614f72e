// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Sending again what a webhook was to get before.

#include "protocol/rest/exchange.hpp"

namespace fanfare::protocol::rest {

/// …/webhooks/{id}/replay/: POST begins one, or with "dry_run" tells what it
/// would send; GET says how far the last one is; DELETE cancels it. May wait
/// for the disk.
[[nodiscard]] http_response serve_replay(const exchange& x);

} // namespace fanfare::protocol::rest
