// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Writes what waits in the commit queue, one commit group after the other, and
/// tells everyone concerned, in order. A store that takes several commits at
/// once is given the next group while earlier ones are in flight; one that
/// takes one at a time is used on the caller's thread alone.
///
/// While the disk refuses writes it keeps what has to be written and tries it
/// again, one commit at a time. For the thread that has the turn to write.

#include "actors/batch_writer.hpp"
#include "actors/commit_queue.hpp"
#include "fanfare/log.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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

class commit_pipeline {
public:
  explicit commit_pipeline(committer_config config);
  ~commit_pipeline();
  commit_pipeline(const commit_pipeline&) = delete;
  commit_pipeline& operator=(const commit_pipeline&) = delete;

  /// Returns when nothing waits and nothing is in flight: the turn has ended.
  /// Throws what writing or telling throws; give_up() is to follow.
  void run();
  /// Nothing is written any more: waits for what is in flight, and answers
  /// whoever waits with `why`.
  void give_up(const error& why) noexcept;

private:
  /// A commit group from the queue until all are told.
  class group;

  /// The one that was given to the store after so many others in flight.
  [[nodiscard]] group& in_flight(std::size_t place) const;
  /// Gives the group after those in flight, which is filled, to the store.
  void submit();
  /// Waits for the oldest in flight, and tells how it ended.
  void finish_oldest();
  /// The oldest in flight was refused, and so all others are: keeps what has
  /// to be written until the disk takes it.
  void recover(error failure);
  /// Answers what cannot wait for the disk with the error; the rest stays.
  void refuse(const error& why);

  committer_config config_;
  /// As many as the store takes at once, in turn.
  std::vector<std::unique_ptr<group>> groups_;
  std::size_t oldest_ = 0; ///< in groups_
  std::size_t count_ = 0;  ///< in flight
  /// What the disk has refused.
  commit_queue::batch refused_;
};

} // namespace fanfare
