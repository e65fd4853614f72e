// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Media types: which answers a client takes and what it sends. Any thread.

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
  /// Whether it stands for `main_name/sub_name`; either may be `*`.
  [[nodiscard]] bool covers(std::string_view main_name,
                            std::string_view sub_name) const;
  [[nodiscard]] const std::string* parameter(std::string_view name) const;
};

/// The `Accept` header, which stands for everything if there is none.
[[nodiscard]] std::string_view accept_header(const http_request& request);

/// Whether a client with this `Accept` header takes the type.
[[nodiscard]] bool accepts(std::string_view accept, std::string_view main_name,
                           std::string_view sub_name);

/// How to render JSON for this `Accept` header: the spaces to indent by, 0 for
/// compact; nothing if the client takes no JSON.
[[nodiscard]] std::optional<unsigned> accept_json(std::string_view accept);

} // namespace fanfare::protocol::rest
