// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a file wants (docs/declarative.md), read and checked before anything is
/// changed.

#include "cli/declarative/document.hpp"
#include "cli/declarative/references.hpp"
#include "cli/declarative/state.hpp"

#include <string>

namespace fanfare::cli::declarative {

/// Throws what fault_at() makes: of an unknown key, of a value that no server
/// would take, and of a reference that leads nowhere.
[[nodiscard]] wanted_state read_wanted(const node& document,
                                       const std::string& file,
                                       reference_source& references);

/// All settings of a webhook that has none of its own, as a server shows them.
[[nodiscard]] boost::json::object default_delivery();

} // namespace fanfare::cli::declarative
