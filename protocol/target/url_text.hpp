// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How credentials from a URL go into a header. Any thread.

#include <string>
#include <string_view>

namespace fanfare::protocol {

/// "Basic BASE64" of "USER:PASSWORD", as in `Authorization` and
/// `Proxy-Authorization`.
[[nodiscard]] std::string basic_credentials(std::string_view user,
                                            std::string_view password);

} // namespace fanfare::protocol
