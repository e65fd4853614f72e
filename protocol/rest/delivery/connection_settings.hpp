// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Settings of the connection to a receiver, and of what it may answer.

#include "protocol/rest/delivery/setting.hpp"

namespace fanfare::protocol::rest::settings {

extern const setting timeouts;
extern const setting limits;
extern const setting tls;
extern const setting proxy;

} // namespace fanfare::protocol::rest::settings
