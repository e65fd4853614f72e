// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Pages for people. They load nothing, run no scripts, and say so to the
/// browser. Any thread.

#include "protocol/rest/exchange.hpp"

#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

/// As text of an element or value of an attribute.
[[nodiscard]] std::string escape_html(std::string_view text);

/// Everything up to and including <body>, with `style` as the page's own.
[[nodiscard]] std::string page_head(std::string_view title,
                                    std::string_view style);

/// What a page with this style may do: use it, and nothing else.
[[nodiscard]] std::string page_policy(std::string_view style);

/// The page, the 304 if the client's copy is current, or the 406 if the client
/// accepts no HTML. `policy` comes from page_policy().
[[nodiscard]] http_response
page_answer(const exchange& x, std::string_view page, std::string_view policy);

} // namespace fanfare::protocol::rest
