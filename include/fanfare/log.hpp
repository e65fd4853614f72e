// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Severity of an engine's log lines.

namespace fanfare {

enum class log_level { debug, info, warning, error };

} // namespace fanfare
