// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One batch of the commit queue as one transaction, and the news of it for
/// everyone concerned. For whoever has the queue's turn to write: the
/// committer, or a thread that has nothing to do but wait for its publish.

#include "actors/commit_queue.hpp"
#include "actors/interfaces.hpp"

#include <atomic>
#include <functional>
#include <memory>

namespace fanfare {

struct batch_writer_config {
  storage::store* store = nullptr;
  /// What a commit made durable, before anyone else hears of it: keeps the
  /// engine's memory of the registry current.
  std::function<void(const storage::operation&)> observe;
  /// Tells the router.
  std::function<void(committed_ptr)> publish;
  const std::atomic<position>* routed_upto = nullptr;
  /// Notifications that may wait in the router's mailbox; beyond it reads the
  /// journal.
  std::size_t max_unrouted = 20'000;
};

/// What is told of a batch whose writing has thrown.
const error& writing_has_thrown();

class batch_writer {
public:
  explicit batch_writer(batch_writer_config config);

  /// Waits for the disk. After an error nothing has changed.
  result<void> write(commit_queue::batch& what);
  /// As `storage::store::commit`: `what` stays where it is until `done` is
  /// told.
  void write(commit_queue::batch& what, storage::commit_listener& done,
             storage::commit_place place);
  /// How many may be written and not told yet.
  [[nodiscard]] std::size_t commits_ahead() const {
    return config_.store->commits_ahead();
  }
  /// Tells everyone that it is on disk.
  void tell(commit_queue::batch& written);

  /// Writes a publish on the thread of the caller, which would only wait for
  /// the committer to do it. False, and `what` is as it was: it is not its
  /// turn, push it. What the disk refuses is left to the committer. Never
  /// throws but for want of memory, before anything is done.
  bool write_alone(commit_queue& queue, publish_request& what);

private:
  void tell_router(std::shared_ptr<committed> news);

  batch_writer_config config_;
  position tail_ = 0;
};

} // namespace fanfare
