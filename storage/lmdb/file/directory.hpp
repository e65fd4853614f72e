// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The data directory: made if it is not there, ours or refused, and used by
/// one process at a time.

#include "fanfare/error.hpp"

#include <sys/types.h>

#include <filesystem>
#include <utility>

namespace fanfare::storage::lmdb {

/// Holds the lock on the directory until it ends. A copy of the process, made
/// by fork, holds it too, but its ending does not give it back.
class data_directory {
public:
  /// Errors: store_locked, store_foreign, io_error. A directory that is refused
  /// is left as it was.
  static result<data_directory> open(const std::filesystem::path& given);
  /// One that is there, to be read: nothing in it is made or changed, and one
  /// without a file for the lock is not locked. not_found too.
  static result<data_directory>
  open_existing(const std::filesystem::path& given);

  data_directory(data_directory&& other) noexcept;
  data_directory& operator=(data_directory&& other) noexcept;
  ~data_directory();

  [[nodiscard]] const std::filesystem::path& path() const noexcept {
    return path_;
  }
  /// The file that LMDB keeps the tables in.
  [[nodiscard]] std::filesystem::path store_file() const;
  /// The folder of the log.
  [[nodiscard]] std::filesystem::path log_folder() const;
  /// False in a copy of the process.
  [[nodiscard]] bool is_of_this_process() const noexcept;
  /// Makes files that were made in it survive a loss of power.
  void sync() const;

private:
  data_directory(std::filesystem::path path, int lock, pid_t owner)
    : path_(std::move(path)),
      lock_(lock),
      owner_(owner) {}

  /// store_locked: another process has the lock.
  [[nodiscard]] result<void> lock() const;

  std::filesystem::path path_;
  int lock_ = -1;
  pid_t owner_ = -1; ///< the process that has opened it
};

} // namespace fanfare::storage::lmdb
