// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The log in files of this machine. A group waits for the disk once: its
/// segment was written with zeros before, so that no metadata change.

#include "storage/log/commit_log.hpp"
#include "storage/log/segment.hpp"
#include "storage/log/segment_supply.hpp"
#include "storage/log/walk.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace fanfare::storage::log {

class file_log final : public commit_log {
public:
  struct options {
    std::filesystem::path folder; ///< of its own; made if there is none
    store_id store{};
    std::size_t first_segment = std::size_t{1} << 20;    ///< bytes
    std::size_t largest_segment = std::size_t{64} << 20; ///< bytes
    /// Only to be read: nothing is made or changed.
    bool read_only = false;
  };

  /// Opens the log for reading. store_damaged, io_error.
  static result<std::unique_ptr<file_log>> open(options opts);

  /// Whether there was no log, not even an empty one.
  [[nodiscard]] bool is_new() const noexcept {
    return old_.empty();
  }
  /// Bytes of its files, before begin().
  [[nodiscard]] std::size_t size() const noexcept;

  /// Has the groups after `after` on disk whatever became of the process that
  /// wrote them. To be called before anything else relies on them.
  result<void> harden(log_sequence after);
  /// Goes on where it ends, and needs no room for that unless it is new.
  /// Removes the files that are in no use. To be called once, when the store is
  /// accepted, before the first append().
  result<void> begin();

  [[nodiscard]] log_sequence last() const override {
    return end_.last;
  }
  /// Its segments before begin(), the oldest first.
  [[nodiscard]] std::span<const segment> segments() const noexcept {
    return old_;
  }
  result<void> append(std::string_view group) override;
  result<void> read(log_sequence after, const visitor& visit) const override;
  void truncate(log_sequence upto) override;
  [[nodiscard]] bool can_truncate() const override {
    return retired_count_.load(std::memory_order_relaxed) != 0;
  }

private:
  struct retired {
    segment file;
    log_sequence last = 0; ///< the newest group of which it has a part
  };

  explicit file_log(options opts);

  /// The next segment becomes the active one.
  result<void> advance(log_sequence first, std::uint32_t epoch);
  /// Writes the group; segments that it has filled go to `filled`.
  result<void> write(std::string_view group, std::vector<segment>& filled);
  result<void> flush(std::vector<segment>& filled);
  /// Undoes a write() that has begun at `at`.
  void take_back(std::vector<segment>& filled, std::size_t at,
                 std::uint32_t chain);
  void retire(std::vector<segment>& files, log_sequence last);

  options options_;
  std::uint32_t seed_; ///< of all checksums
  log_end end_;
  std::vector<segment> old_;    ///< those found, until begin()
  std::vector<segment> unused_; ///< those in no use, until begin()
  std::uint64_t number_ = 0;    ///< of the active one
  std::unique_ptr<segment_supply> supply_;
  std::optional<segment> active_;
  std::size_t at_ = 0; ///< in active_
  block_buffer blocks_;
  std::deque<segment> ahead_; ///< taken for a write() that was taken back
  std::optional<error> broken_;
  std::mutex mutex_;
  std::deque<retired> retired_; ///< under mutex_, the oldest first
  std::atomic<std::size_t> retired_count_{0};
};

} // namespace fanfare::storage::log
