// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a return code of LMDB or of the system means to the user of the store.

#include "fanfare/error.hpp"

#include <string_view>

namespace fanfare::storage::lmdb {

/// `code`: of LMDB, or an errno. `doing` completes "Cannot …".
[[nodiscard]] error to_error(int code, std::string_view doing);

} // namespace fanfare::storage::lmdb
