// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Media types of requests and of the answers that clients accept. Any thread.

#include "protocol/server/http_handler.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

/// "text/html; charset=utf-8"
struct media_type {
  std::string main;
  std::string sub;
  std::vector<std::pair<std::string, std::string>> parameters;

  explicit media_type(std::string_view text);
  /// Whether it matches `main_name/sub_name`; either part of it may be `*`.
  [[nodiscard]] bool covers(std::string_view main_name,
                            std::string_view sub_name) const;
  [[nodiscard]] const std::string* parameter(std::string_view name) const;
};

/// The `Accept` header; "*/*" if there is none.
[[nodiscard]] std::string_view accept_header(const http_request& request);

/// Whether a client with this `Accept` header accepts the type.
[[nodiscard]] bool accepts(std::string_view accept, std::string_view main_name,
                           std::string_view sub_name);

/// The indentation of JSON for this `Accept` header, 0 for compact; nothing if
/// the client does not accept JSON.
[[nodiscard]] std::optional<unsigned> accept_json(std::string_view accept);

} // namespace fanfare::protocol::rest
