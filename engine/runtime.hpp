// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A running engine: its crew on its lanes, from start to graceful
/// stop.

#include "actors/journal_reader.hpp"
#include "engine/crew.hpp"
#include "engine/lane_system.hpp"
#include "engine/lifecycle.hpp"
#include "engine/options.hpp"
#include "fanfare/error.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

namespace fanfare {

/// Notified of a runtime's progress.
struct runtime_hooks {
  /// Periodically while it runs, and before the last commit.
  std::function<void()> save;
  /// As often, on a thread that may wait for the disk.
  std::function<void()> look;
  /// Once, when it begins to stop.
  std::function<void()> stopping;
};

class runtime {
public:
  /// `options` and the targets of `parts`, all of them given, must outlive it.
  runtime(const checked_options& options, crew_parts parts,
          crew_settings settings, runtime_hooks hooks);
  /// Once it is stopped.
  ~runtime();

  // -- from the start on, any thread ------------------------------------------

  [[nodiscard]] const lifecycle& life() const {
    return life_;
  }
  [[nodiscard]] crew& actors() {
    return crew_;
  }
  [[nodiscard]] const crew& actors() const {
    return crew_;
  }

  // -- any thread -------------------------------------------------------------

  /// Once. Recovers, and starts delivery. Throws what lane_system does.
  result<void> start();
  /// As engine::stop documents.
  void stop(std::chrono::milliseconds deadline);
  /// The same.
  [[nodiscard]] bool responds(std::chrono::milliseconds patience);

private:
  using steady = std::chrono::steady_clock;

  result<void> start_actors();
  /// Waits for the attempts in flight, and cuts short those that take too long.
  void drain();
  bool wait_for_attempts(const std::function<bool()>& in_time);
  void save_progress();
  void end();

  const checked_options& options_;
  const storage::store& store_;
  const log_function log_;
  engine_figures& figures_;
  runtime_hooks hooks_;
  lifecycle life_;
  std::mutex asking_; ///< before `stopping_`
  std::mutex stopping_;
  /// The earliest end that any caller of `stop` gave.
  std::atomic<steady::time_point> stop_by_{steady::time_point::max()};
  steady::time_point saved_; ///< by the hook; lane thread only
  crew crew_;
  std::unique_ptr<store_reader> reader_;
  std::unique_ptr<lane_system> lanes_;
};

} // namespace fanfare
