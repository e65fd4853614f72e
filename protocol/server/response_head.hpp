// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The head of a response as bytes: the handler's part, and the server's
/// own.

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

/// What the connection adds to the response.
struct response_framing {
  std::string_view date; ///< the whole line
  bool close = false;
  bool announce_keep_alive = false; ///< HTTP/1.0 assumes nothing
  bool http10 = false; ///< the client's: an open body ends with the connection
};

/// True if a response with this status can have a body (RFC 9110, 15).
[[nodiscard]] inline bool has_content(std::uint16_t status) {
  return status != 204 && status != 304;
}

/// Appends status line and headers up to the empty line. Replaces the handler's
/// Connection, Content-Length, Transfer-Encoding and Date; a line break in a
/// value becomes a space. Returns true if the response closes the connection,
/// by the framing or the handler's Connection.
bool append_head(std::string& to, const http_response& response,
                 const response_framing& framing);

} // namespace fanfare::protocol::server
