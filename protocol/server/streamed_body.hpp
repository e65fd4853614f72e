// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The body of an answer that is made while it is sent, as bytes on the
/// connection: an open one in chunks (RFC 9112, 7.1), unless the client knows
/// none.

#include "protocol/server/body_stream.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace fanfare::protocol::server {

/// One thread.
class streamed_body {
public:
  streamed_body() = default;
  streamed_body(std::shared_ptr<body_reader> from, bool http10)
    : from_(std::move(from)),
      open_(!from_->size()),
      chunked_(open_ && !http10) {}

  /// Whether there may be more of it.
  explicit operator bool() const {
    return from_ != nullptr;
  }
  [[nodiscard]] bool is_open() const {
    return from_ && open_;
  }

  enum class found : std::uint8_t {
    bytes,
    nothing, ///< now, or any more
    broken,  ///< the rest will never come
  };
  /// As body_reader::read.
  [[nodiscard]] found read(std::string& into, std::function<void()> wake);
  /// An open one is complete as it is: what the client is still to get.
  [[nodiscard]] std::string end();

private:
  std::shared_ptr<body_reader> from_;
  bool open_ = false;
  bool chunked_ = false;
};

} // namespace fanfare::protocol::server
