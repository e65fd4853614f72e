// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Settings of what is sent, and how it is signed.

#include "protocol/rest/delivery/setting.hpp"

#include <string_view>

namespace fanfare::protocol::rest {

namespace settings {

extern const setting method;
extern const setting body;
extern const setting filter;
extern const setting headers;
extern const setting user_agent_suffix;
extern const setting signing;

} // namespace settings

/// "hmac-sha256", "ed25519", "none".
[[nodiscard]] std::string_view name_of(signing_algorithm algorithm);

} // namespace fanfare::protocol::rest
