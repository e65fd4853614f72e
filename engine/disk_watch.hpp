// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Tells the operator when the store or its file system is nearly full, once
/// when that begins and once when it ends.

#include "actors/event_log.hpp"
#include "storage/store.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <mutex>
#include <optional>

namespace fanfare {

class disk_watch {
public:
  /// Less than this part of it free, and less than 4 GiB, is nearly full.
  static constexpr std::size_t part = 10;

  struct room {
    std::size_t free = 0;
    std::size_t size = 0;
  };

  /// All must outlive it.
  disk_watch(const storage::store& store, std::filesystem::path data,
             event_log& events);

  /// To be called now and then. May wait for the disk; does nothing while
  /// another thread does.
  void look();
  /// The store had no room for a publish, of which it tells now and then. By
  /// the thread with the turn to write.
  void note_refusal();
  /// Of the file system; nothing if that cannot be told. Any thread.
  [[nodiscard]] std::optional<room> free_room() const;

private:
  enum class fill { fine, nearly_full };
  /// Says it when it changes.
  void note(fill& was, fill now, const std::string& full);

  const storage::store& store_;
  std::filesystem::path data_;
  event_log& events_;
  std::mutex mutex_; ///< of what follows
  fill store_was_ = fill::fine;
  fill disk_was_ = fill::fine;
  /// By the thread with the turn to write.
  std::optional<std::chrono::steady_clock::time_point> refusal_told_;
};

} // namespace fanfare
