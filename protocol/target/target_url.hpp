// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which texts are accepted as a webhook's URL. The host that is called, and
/// whether its address is allowed, is decided at each attempt
/// (protocol/target/target.hpp, protocol/target/address_policy.hpp).

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fanfare::protocol {

/// In code points.
inline constexpr std::size_t target_url_limit = 1024;

/// Which names of hosts are accepted.
enum class host_names : std::uint8_t {
  /// With a top-level domain, and `localhost`.
  public_only,
  /// Also those that only a network of one's own knows: without a dot, with an
  /// underscore, with any last label.
  local_too,
};

/// Whether `text`, trimmed, is an http or https URL as documented: a host name
/// (international ones too, if their ASCII form can be looked up) or an IP
/// address; user info and port are allowed. Does not check the overall length.
/// Any thread.
[[nodiscard]] bool is_target_url(std::string_view text,
                                 host_names which = host_names::public_only);

} // namespace fanfare::protocol
