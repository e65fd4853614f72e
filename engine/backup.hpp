// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Backups of a running engine, one at a time.

#include "engine/lifecycle.hpp"
#include "fanfare/backup.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <filesystem>

namespace fanfare {

/// Any thread that may block.
class backup_maker {
public:
  /// Both must outlive it.
  backup_maker(const storage::store& of, const lifecycle& life)
    : store_(of),
      life_(life) {}

  /// As engine::back_up documents.
  result<void> make(backup_sink& to, backup_options options);
  result<void> make(const std::filesystem::path& target,
                    const backup_options& options);

private:
  const storage::store& store_;
  const lifecycle& life_;
  std::atomic<bool> runs_{false};
};

} // namespace fanfare
