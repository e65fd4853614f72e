// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Has the next segment ready before the log needs it: a thread makes one of
/// zeros, or renames one whose groups are not needed any more.

#include "fanfare/error.hpp"
#include "storage/log/segment.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

namespace fanfare::storage::log {

class segment_supply {
public:
  struct options {
    std::filesystem::path folder;
    std::size_t first = 0;   ///< bytes of the first two segments
    std::size_t largest = 0; ///< each new one is twice as large, up to this
  };

  /// `next`: the number of the first one to take.
  segment_supply(options opts, std::uint64_t next);
  ~segment_supply();
  segment_supply(const segment_supply&) = delete;
  segment_supply& operator=(const segment_supply&) = delete;

  /// The next one by number, with its name on disk; waits for it: store_full,
  /// io_error.
  result<segment> take();
  /// Nothing in it is needed any more. Any thread.
  void give_back(segment&& one);

private:
  void work();
  /// Without the lock held.
  result<segment> prepare(std::optional<segment> used, std::uint64_t number,
                          std::size_t size) const;

  options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t next_;
  std::size_t next_size_;
  std::size_t made_ = 0; ///< new ones
  std::optional<segment> ready_;
  std::optional<error> failure_; ///< of the last try
  std::deque<segment> used_;     ///< to be used again, the oldest first
  bool stopping_ = false;
  std::thread thread_; ///< begins last
};

} // namespace fanfare::storage::log
