// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A directory for one test, removed with it.

#include <filesystem>
#include <string>
#include <string_view>

namespace fanfare::test {

/// A new, empty, private directory below the system's temporary directory
/// (environment TMPDIR, else /tmp). Removed with its contents at destruction,
/// unless the environment has FANFARE_KEEP_TEMP, which helps to investigate a
/// failure. Throws `std::system_error` when it cannot be created.
class temp_dir {
public:
  temp_dir();

  temp_dir(temp_dir&& other) noexcept;

  temp_dir& operator=(temp_dir&& other) noexcept;

  ~temp_dir();

  /// Absolute.
  const std::filesystem::path& path() const noexcept {
    return path_;
  }

  /// The path of `name` inside; creates nothing.
  std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

  /// Writes a file inside, over an old one, and returns its path.
  std::filesystem::path write(std::string_view name, std::string_view content);

private:
  void remove() noexcept;

  std::filesystem::path path_;
};

/// The whole content of a file. Throws `std::runtime_error` if unreadable.
std::string read_file(const std::filesystem::path& path);

} // namespace fanfare::test
