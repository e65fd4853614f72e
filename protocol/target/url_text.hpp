// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The two encodings that credentials in a URL go through on their way to a
/// header. Any thread.

#include <string>
#include <string_view>

namespace fanfare::protocol {

/// "%40" becomes "@"; a % that begins no such triple stays.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// "Basic BASE64" of "USER:PASSWORD", as in Authorization and its likes.
[[nodiscard]] std::string basic_credentials(std::string_view user,
                                            std::string_view password);

} // namespace fanfare::protocol
