// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Paths of the program and the sources for tests.

#include <filesystem>

namespace fanfare::test {

/// The `fanfare` program of this build; the environment's FANFARE_PROGRAM wins.
/// Throws `std::runtime_error` when this build has none.
std::filesystem::path fanfare_program();

/// The root of the source tree.
std::filesystem::path source_dir();

} // namespace fanfare::test
