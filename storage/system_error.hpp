// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a code of the system means to the user of a store.

#include "fanfare/error.hpp"

#include <string_view>

namespace fanfare::storage {

/// `code`: an errno. `doing` completes "Cannot …".
[[nodiscard]] error system_error(int code, std::string_view doing);

} // namespace fanfare::storage
