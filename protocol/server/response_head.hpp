// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The head of a response as bytes: what the handler says, and what only the
/// server can say.

#include "protocol/server/http_handler.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace fanfare::protocol::server {

/// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", formatted once a second. One
/// thread.
class date_line {
public:
  /// Valid until the next call.
  [[nodiscard]] std::string_view at(std::time_t second);

private:
  std::time_t second_ = -1;
  std::array<char, 48> text_{};
  std::size_t size_ = 0;
};

/// What the connection knows beside the response.
struct response_framing {
  std::string_view date; ///< the whole line
  bool close = false;
  bool announce_keep_alive = false; ///< HTTP/1.0 assumes nothing
};

/// Whether a response with this status has a body at all (RFC 9110, 15).
[[nodiscard]] inline bool has_content(std::uint16_t status) {
  return status != 204 && status != 304;
}

/// Appends status line and headers up to the empty line. Replaces the handler's
/// Connection, Content-Length, Transfer-Encoding and Date; a line break in a
/// value becomes a space. Returns whether the response closes the connection:
/// the framing says so, or the handler's Connection does.
bool append_head(std::string& to, const http_response& response,
                 const response_framing& framing);

} // namespace fanfare::protocol::server
