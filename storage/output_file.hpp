// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A file that is there once it is whole, and not before.

#include "fanfare/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace fanfare::storage {

/// Only its owner may read it. One thread.
class output_file {
public:
  /// Never replaces anything. Where the file system can do that, the file has
  /// no name until publish(), so that not even a killed process leaves it
  /// behind; else it is ".NAME.partial". already_exists, io_error, store_full.
  static result<output_file> create(const std::filesystem::path& target);

  output_file(output_file&& other) noexcept;
  output_file& operator=(output_file&&) = delete;
  /// Unless it was published nothing is left.
  ~output_file();

  result<void> append(std::string_view bytes);
  /// Bytes from there on, as many as there are up to the size of the buffer.
  [[nodiscard]] result<std::string_view> read(std::uint64_t at, char* to,
                                              std::size_t size) const;
  /// What else opens the file meanwhile does it by this name.
  [[nodiscard]] std::filesystem::path path() const;
  /// On disk, under its name: already_exists, io_error, store_full.
  result<void> publish();

private:
  output_file(std::filesystem::path target, int file,
              std::filesystem::path draft)
    : target_(std::move(target)),
      draft_(std::move(draft)),
      file_(file) {}

  /// Gives it its name.
  [[nodiscard]] result<void> name() const;

  std::filesystem::path target_;
  std::filesystem::path draft_; ///< empty: it has no name
  int file_ = -1;
};

} // namespace fanfare::storage
