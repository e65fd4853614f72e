// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The disk as tests want it. A program that links disk.cpp has its own calls
/// that write to files, for LMDB, too: they can fail, they can be counted, and
/// of a folder that is watched it is known what a loss of power would leave.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <limits>
#include <random>
#include <string>

namespace fanfare::test {

class faulty_disk {
public:
  enum class call { write, flush, reserve };

  /// Calls that fail. After a flush that has failed, the next one by each other
  /// descriptor of the file fails, too, as Linux has it, and is not counted.
  struct fault {
    call of = call::flush;
    std::string where;     ///< what the file's path has in it
    int code = 0;          ///< errno
    std::size_t after = 0; ///< so many go well before
    std::size_t count = 1;
    /// That the first of them, a write, still writes.
    std::size_t bytes = 0;
  };
  static constexpr auto for_good = std::numeric_limits<std::size_t>::max();

  /// One fault at a time, which replaces the last one.
  static void arm(fault which);
  static void disarm();
  /// Calls that have failed since arm().
  static std::size_t failed();
  /// Bytes written to files with that in their path, by all calls so far.
  static std::size_t written(const std::string& where);

  /// Flushes take no time from now on: for tests that look at something else.
  /// What watch() knows stays right.
  static void hurry(bool on);

  /// Knows from now on what is on disk of the files in the folder, which all
  /// that is in it now is. `before_call`, unless it is empty, is told of each
  /// call that is about to be made there, while no other one is.
  static void watch(const std::filesystem::path& folder,
                    std::function<void()> before_call = {});
  static void watch_nothing();

  /// Makes a folder with what a loss of power would leave of the one that is
  /// watched: what was flushed, and of the rest nothing, or with `random` any
  /// sectors of it. As after a flush that has failed: the system takes what it
  /// could not write for written.
  static void lose_power(const std::filesystem::path& into,
                         std::mt19937_64* random = nullptr);
  /// Makes a folder with what a process that is killed leaves.
  static void kill_process(const std::filesystem::path& into);
};

/// The disk is in order again afterwards.
struct disk_in_order {
  disk_in_order() = default;
  ~disk_in_order() {
    faulty_disk::disarm();
    faulty_disk::watch_nothing();
    faulty_disk::hurry(false);
  }
  disk_in_order(const disk_in_order&) = delete;
  disk_in_order& operator=(const disk_in_order&) = delete;
};

} // namespace fanfare::test
