// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/paths.hpp"

#include <cstdlib>
#include <stdexcept>

namespace fanfare::test {

std::filesystem::path fanfare_program() {
  if (const char* path = std::getenv("FANFARE_PROGRAM"))
    return path;
#ifdef FANFARE_PROGRAM
  return FANFARE_PROGRAM;
#else
  throw std::runtime_error{"this build has no fanfare program"};
#endif
}

std::filesystem::path source_dir() {
  return FANFARE_SOURCE_DIR;
}

} // namespace fanfare::test
