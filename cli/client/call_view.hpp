// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// How calls are shown: in lists, and one by one with all details.

#include "cli/client/output.hpp"

namespace fanfare::cli {

/// `with_webhook`: calls have a member "webhook_id".
[[nodiscard]] std::vector<list_column> call_columns(bool with_webhook);

void show_call(output& out, const boost::json::object& call);

} // namespace fanfare::cli
