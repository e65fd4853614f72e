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
  /// Makes the plan's directory if there is none: io_error.
  static result<void> prepare(const backup_plan& plan);
  /// Begins a plan that is prepared. `of` must outlive it.
  static std::unique_ptr<backup_schedule> begin(engine& of, backup_plan plan);
  /// Another plan, prepared, from the next backup on; one that runs goes on.
  void change(backup_plan plan);
  /// Ends at once if the engine has stopped.
  ~backup_schedule();
  backup_schedule(const backup_schedule&) = delete;
  backup_schedule& operator=(const backup_schedule&) = delete;

private:
  backup_schedule(engine& of, backup_plan plan);

  void work();
  /// Until the plan changes, or it is to end.
  void follow(const backup_plan& plan);
  /// False: it failed, and the log says so.
  bool back_up(const backup_plan& plan, timestamp begun);
  /// False: the plan has changed, or it is to end.
  bool wait_until(const backup_plan& plan, timestamp due);

  engine& engine_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Under the mutex.
  backup_plan plan_;
  bool plan_changed_ = false;
  bool stopping_ = false;
  std::thread thread_; ///< begins last
};

} // namespace fanfare::cli
