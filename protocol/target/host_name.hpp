// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Names of hosts as they are looked up.

#include "fanfare/error.hpp"

#include <string>
#include <string_view>

namespace fanfare::protocol {

/// The name in lower case and in ASCII (IDNA 2008 with UTS #46), without a
/// final dot. UTS #46 also maps wide letters and digits, and dots of other
/// scripts: what comes out is to be judged like a host that was written that
/// way. invalid_argument (field "target_url", one plain sentence): no valid
/// international name, or not labels of 1 to 63 letters, digits, hyphens and
/// underscores, 253 characters together. Any thread.
[[nodiscard]] result<std::string> to_ascii_name(std::string_view name);

} // namespace fanfare::protocol
