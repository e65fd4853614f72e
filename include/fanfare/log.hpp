// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How much what an engine logs matters.

namespace fanfare {

enum class log_level { debug, info, warning, error };

} // namespace fanfare
