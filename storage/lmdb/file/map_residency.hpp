// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Keeps the memory small that reading the store's file takes. What is read
/// through the map, and what lies around it, counts as the process's memory
/// until the system runs short: a backlog of a million notifications would all
/// be there. Once it is too much, the process gives the pages back. They stay
/// in the system's cache; whoever needs one again pays a page fault.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fanfare::storage::lmdb {

class map_residency {
public:
  /// Finds where the file of that name is mapped. Writer only.
  void find(const char* file);

  /// Notes that so many records were looked at; now and then says true: it is
  /// time to drop the pages. Any thread.
  [[nodiscard]] bool note(std::uint64_t records);
  /// Drops the pages of the first `size` bytes. Nothing of them may ever be
  /// written through the map. Any thread.
  void drop(std::size_t size);

  /// Of all notes.
  [[nodiscard]] std::uint64_t records() const noexcept {
    return records_.load();
  }

private:
  void* map_ = nullptr; ///< null if it is not known
  std::atomic<std::uint64_t> records_{0};
  /// When to look again how much is in memory: by `records_`, by steady_clock.
  std::atomic<std::uint64_t> look_after_{0};
  std::atomic<std::int64_t> look_at_{0};
};

} // namespace fanfare::storage::lmdb
