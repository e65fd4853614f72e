// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The two encodings between credentials in a URL and a header. Any thread.

#include <string>
#include <string_view>

namespace fanfare::protocol {

/// Turns "%40" into "@". A % that does not begin such a triple stays.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// "Basic BASE64" of "USER:PASSWORD", as in `Authorization` and
/// `Proxy-Authorization`.
[[nodiscard]] std::string basic_credentials(std::string_view user,
                                            std::string_view password);

} // namespace fanfare::protocol
