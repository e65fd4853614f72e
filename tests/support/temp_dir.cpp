// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/temp_dir.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace fanfare::test {

temp_dir::temp_dir() {
  auto pattern = (std::filesystem::temp_directory_path()
                  / "fanfare-test-XXXXXX")
                   .string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::system_error{errno, std::generic_category(), pattern};
  path_ = pattern;
}

temp_dir::temp_dir(temp_dir&& other) noexcept
  : path_{std::exchange(other.path_, {})} {
  // nop
}

temp_dir& temp_dir::operator=(temp_dir&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::exchange(other.path_, {});
  }
  return *this;
}

temp_dir::~temp_dir() {
  remove();
}

std::filesystem::path temp_dir::write(std::string_view name,
                                      std::string_view content) {
  auto file = path_ / name;
  std::ofstream out{file, std::ios::binary | std::ios::trunc};
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out)
    throw std::runtime_error{"cannot write " + file.string()};
  return file;
}

void temp_dir::remove() noexcept {
  if (path_.empty() || std::getenv("FANFARE_KEEP_TEMP") != nullptr)
    return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in)
    throw std::runtime_error{"cannot read " + path.string()};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace fanfare::test
