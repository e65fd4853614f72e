// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/response_head.hpp"

#include "protocol/ascii.hpp"

#include <boost/beast/core/error.hpp> // status.hpp needs its <ostream>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

namespace fanfare::protocol::server {

namespace {

namespace http = boost::beast::http;

void append_number(std::string& to, std::uint64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                 value)
                     .ptr;
  to.append(digits.data(), end);
}

/// A line break in text of the handler would end the header.
void append_field_text(std::string& to, std::string_view text) {
  const auto start = to.size();
  to.append(text);
  for (auto i = start; i < to.size(); ++i)
    if (to[i] == '\r' || to[i] == '\n' || to[i] == '\0')
      to[i] = ' ';
}

/// Nothing if there is no body, or an open one.
std::optional<std::uint64_t> length_of(const http_response& response) {
  if (!has_content(response.status))
    return std::nullopt;
  return response.stream ? response.stream->size() : response.body.size();
}

} // namespace

std::string_view date_line::at(std::time_t second) {
  if (second != second_) {
    second_ = second;
    std::tm parts{};
    gmtime_r(&second, &parts);
    // strftime's names follow the locale.
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed",
                                           "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr",
                                             "May", "Jun", "Jul", "Aug",
                                             "Sep", "Oct", "Nov", "Dec"};
    const auto count = std::snprintf(
      text_.data(), text_.size(),
      "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[parts.tm_wday],
      parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
      parts.tm_min, parts.tm_sec);
    size_ = std::min(static_cast<std::size_t>(count), text_.size() - 1);
  }
  return {text_.data(), size_};
}

bool append_head(std::string& to, const http_response& response,
                 const response_framing& framing) {
  auto close = framing.close;
  to += "HTTP/1.1 ";
  append_number(to, response.status);
  to += ' ';
  const auto reason = http::obsolete_reason(
    http::int_to_status(response.status));
  to.append(reason.data(), reason.size());
  to += "\r\n";
  to += framing.date;
  for (const auto& [name, value] : response.headers) {
    if (equals_lower(name, "connection")) {
      close = close || equals_lower(value, "close");
      continue;
    }
    if (name.empty() || equals_lower(name, "content-length")
        || equals_lower(name, "transfer-encoding")
        || equals_lower(name, "date"))
      continue;
    append_field_text(to, name);
    to += ": ";
    append_field_text(to, value);
    to += "\r\n";
  }
  if (const auto length = length_of(response)) {
    to += "Content-Length: ";
    append_number(to, *length);
    to += "\r\n";
  } else if (has_content(response.status) && !framing.http10) {
    to += "Transfer-Encoding: chunked\r\n";
  }
  if (close)
    to += "Connection: close\r\n";
  else if (framing.announce_keep_alive)
    to += "Connection: keep-alive\r\n";
  to += "\r\n";
  return close;
}

} // namespace fanfare::protocol::server
