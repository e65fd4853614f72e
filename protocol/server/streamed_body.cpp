// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/streamed_body.hpp"

#include <array>
#include <charconv>
#include <string_view>

namespace fanfare::protocol::server {

namespace {

std::string as_chunk(std::string_view bytes) {
  std::array<char, 20> size;
  const auto end = std::to_chars(size.data(), size.data() + size.size(),
                                 bytes.size(), 16)
                     .ptr;
  std::string out;
  out.reserve(bytes.size() + size.size());
  out.append(size.data(), end).append("\r\n").append(bytes).append("\r\n");
  return out;
}

} // namespace

streamed_body::found streamed_body::read(std::string& into,
                                         std::function<void()> wake) {
  if (!from_)
    return found::nothing;
  switch (from_->read(into, std::move(wake))) {
    case body_reader::found::bytes:
      if (chunked_)
        into = as_chunk(into);
      return found::bytes;
    case body_reader::found::nothing: break;
    case body_reader::found::end:
      into = end();
      return into.empty() ? found::nothing : found::bytes;
    case body_reader::found::broken: return found::broken;
  }
  return found::nothing;
}

std::string streamed_body::end() {
  from_.reset();
  return chunked_ ? "0\r\n\r\n" : "";
}

} // namespace fanfare::protocol::server
