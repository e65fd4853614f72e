// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the lists of a log have in common: newest first, from a cursor on, with
/// a bounded amount of work for a page. Any thread.

#include "fanfare/types.hpp"
#include "protocol/rest/exchange.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/query.hpp"

#include <boost/json/array.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fanfare::protocol::rest {

/// Bytes of texts in a page, which ends early beyond: fifty of the largest
/// would be many megabytes.
inline constexpr std::size_t log_page_bytes = std::size_t{1} << 20;

/// Bytes that are read for a page, shown or not.
inline constexpr std::size_t log_read_bytes = std::size_t{16} << 20;

/// A time of the query; nothing if it has none. `errors` gets a fault.
[[nodiscard]] std::optional<timestamp>
read_time(const query& q, std::string_view name, field_errors& errors);

/// Where the page before this one ended, an id; 0 for the first page. `of`, as
/// in "a call", is for the fault.
[[nodiscard]] std::uint64_t read_cursor(const query& q, std::string_view of,
                                        field_errors& errors);

/// A page of a log, and how far it looked if that was not to the end.
struct log_page {
  boost::json::array results{};
  std::uint64_t next = 0; ///< the cursor of the next page; 0: this is the last
  std::optional<timestamp> looked_back_to{};
};

/// {"next", "previous", "results"}
[[nodiscard]] http_response page_answer(const exchange& x, log_page page);
/// The same with "looked_back_to", null if it looked at everything.
[[nodiscard]] http_response search_answer(const exchange& x, log_page page);

} // namespace fanfare::protocol::rest
