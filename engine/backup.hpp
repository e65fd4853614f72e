// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Backups of a running engine, one at a time.

#include "actors/event_log.hpp"
#include "engine/lifecycle.hpp"
#include "fanfare/backup.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <filesystem>

namespace fanfare {

/// Any thread that may block.
class backup_maker {
public:
  /// All must outlive it.
  backup_maker(const storage::store& of, const lifecycle& life,
               event_log& events)
    : store_(of),
      life_(life),
      events_(events) {}

  /// As engine::back_up documents. Whoever gets the bytes may be told no more
  /// than that they end: the log has why.
  result<void> make(backup_sink& to, backup_options options);
  result<void> make(const std::filesystem::path& target,
                    const backup_options& options);

private:
  result<void> copy(backup_sink& to, backup_options options);

  const storage::store& store_;
  const lifecycle& life_;
  event_log& events_;
  std::atomic<bool> runs_{false};
};

} // namespace fanfare
