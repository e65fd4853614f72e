// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which texts are accepted as a webhook's URL. The host that is called, and
/// whether its address is allowed, is decided at each attempt
/// (protocol/target/target.hpp, protocol/target/address_policy.hpp).

#include <cstddef>
#include <string_view>

namespace fanfare::protocol {

/// In code points.
inline constexpr std::size_t target_url_limit = 1024;

/// Whether `text`, trimmed, is an http or https URL as documented: a host name
/// with a top-level domain (international ones too), `localhost` or an IP
/// address; user info and port are allowed. Does not check the overall length.
/// Any thread.
[[nodiscard]] bool is_target_url(std::string_view text);

} // namespace fanfare::protocol
