// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Finds the end of a request's head as its bytes arrive, and refuses bytes
/// that cannot become a request as early as possible. The request parser, which
/// sees complete heads only, checks the rest of the syntax.

#include "protocol/server/http_server_options.hpp"
#include "protocol/server/refusal.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace fanfare::protocol::server {

class head_scanner {
public:
  /// `bytes` is everything since the start of the head, including bytes of
  /// earlier calls, and not empty. Not to be called once complete().
  std::optional<refusal> scan(std::string_view bytes,
                              const http_server_options& limits);
  [[nodiscard]] bool complete() const {
    return size_ != 0;
  }
  /// For the next head.
  void reset() {
    *this = {};
  }

private:
  std::optional<refusal> find_end(std::string_view bytes,
                                  const http_server_options& limits);

  std::size_t scanned_ = 0; // no line feed before it
  std::size_t line_ = 0;    // start of the line that is not complete
  std::size_t size_ = 0;    // of the head, once complete
};

} // namespace fanfare::protocol::server
