// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Backups that the server makes by itself, into one directory, of which it
/// keeps the newest.

#include "fanfare/backup.hpp"
#include "fanfare/error.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fanfare {
class engine;
} // namespace fanfare

namespace fanfare::cli {

struct backup_plan {
  std::string directory; ///< empty: no backups
  std::chrono::milliseconds every = std::chrono::hours{24};
  std::size_t keep = 7;
  std::size_t bytes_per_second = backup_options{}.bytes_per_second;
};

/// The name of the backup that was begun then:
/// "fanfare-20261201T030000Z.backup", and the time of such a name.
[[nodiscard]] std::string backup_name(timestamp begun);
[[nodiscard]] std::optional<timestamp> time_of_backup(std::string_view name);

/// Works on a thread of its own.
class backup_schedule {
public:
  /// Makes the directory if there is none: io_error. `of` must outlive it.
  static result<std::unique_ptr<backup_schedule>> start(engine& of,
                                                        backup_plan plan);
  /// Ends at once if the engine has stopped.
  ~backup_schedule();
  backup_schedule(const backup_schedule&) = delete;
  backup_schedule& operator=(const backup_schedule&) = delete;

private:
  backup_schedule(engine& of, backup_plan plan);

  void work();
  /// False: it failed, and the log says so.
  bool back_up(timestamp begun);
  /// Removes all but the newest of those that were begun until then.
  void remove_old(timestamp newest) const;
  /// The names of those that there are, the oldest first.
  [[nodiscard]] std::vector<std::string> found() const;
  /// False: it is to end.
  bool wait_until(timestamp due);

  engine& engine_;
  backup_plan plan_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false; ///< under the mutex
  std::thread thread_;    ///< begins last
};

} // namespace fanfare::cli
