// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Turns what waits in the commit queue into one transaction at a time, and
/// tells everyone concerned once it is on disk. While the disk refuses writes
/// it keeps what has to be written. It runs on a thread of its own, because a
/// commit waits for the disk.

#include "actors/batch_writer.hpp"
#include "actors/commit_queue.hpp"
#include "actors/interfaces.hpp"
#include "fanfare/log.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <string>

namespace fanfare {

/// Where the engine writes what an operator should know. Any thread.
using log_function = std::function<void(log_level, const std::string&)>;

struct committer_config {
  batch_writer* writer = nullptr;
  commit_queue* queue = nullptr;
  log_function log;
  /// How long calls wait for others to share a commit with. What finished
  /// within it before a crash is called again after it.
  std::chrono::microseconds linger{2'000};
  /// How long to wait before the disk is tried again when it was full.
  std::chrono::milliseconds retry_pause{250};
};

class committer final : public committer_actor::base {
public:
  committer(caf::actor_config& cfg, committer_config config);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  void run();
  /// Writes `batch_`, or as much of it as can wait for the disk until that
  /// takes it.
  void commit();
  /// Answers what cannot wait for the disk with the error; the rest stays.
  void refuse(const error& why);

  committer_config config_;
  commit_queue::batch batch_; ///< of the commit at hand
};

} // namespace fanfare
