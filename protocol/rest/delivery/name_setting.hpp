// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The name under which a webhook is found again.

#include "protocol/rest/delivery/setting.hpp"

namespace fanfare::protocol::rest::settings {

extern const setting name;

} // namespace fanfare::protocol::rest::settings
