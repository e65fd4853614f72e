// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An entry of the call log for C.

#include "fanfare/fanfare.h"
#include "fanfare/types.hpp"

namespace fanfare::c {

/// Its texts are those of `from`. The size is not set.
[[nodiscard]] fanfare_call to_c(const call& from);

} // namespace fanfare::c
