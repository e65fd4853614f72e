// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A server's state as a file that "fanfare apply" takes. Values in, values
/// out.

#include "cli/declarative/state.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace fanfare::cli::declarative {

struct exported {
  boost::json::object document;
  /// Environment variables that must be set before it can be applied, each with
  /// what it stands for. Secrets are never exported.
  std::vector<std::pair<std::string, std::string>> references;
  /// What the reader of the file should know.
  std::vector<std::string> notes;
};

/// Webhooks without a name get one from their number.
[[nodiscard]] exported export_state(const found_state& of);

} // namespace fanfare::cli::declarative
