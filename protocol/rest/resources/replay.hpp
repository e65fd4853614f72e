// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Sending past notifications to a webhook again.

#include "protocol/rest/exchange.hpp"

namespace fanfare::protocol::rest {

/// …/webhooks/{id}/replay/: POST starts a replay, or with "dry_run" shows what
/// it would send; GET shows the progress of the last one; DELETE cancels it.
/// May wait for the disk.
[[nodiscard]] http_response serve_replay(const exchange& x);

} // namespace fanfare::protocol::rest
