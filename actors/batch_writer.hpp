// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Writes one commit group in one transaction and completes its entries. For
/// the thread with the turn to write: the committer, or a thread that would
/// otherwise only wait for its publish.

#include "actors/commit_figures.hpp"
#include "actors/commit_queue.hpp"
#include "actors/interfaces.hpp"
#include "actors/tracer.hpp"
#include "actors/watch.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

namespace fanfare {

struct batch_writer_config {
  storage::store* store = nullptr;
  /// Gets what a commit made durable before any entry completes: keeps the
  /// engine's in-memory registry current.
  std::function<void(const storage::operation&)> observe;
  /// Notifies the router.
  std::function<void(committed_ptr)> publish;
  const std::atomic<position>* routed_upto = nullptr;
  /// Notifications that may wait in the router's mailbox; beyond it reads the
  /// journal.
  std::size_t max_unrouted = 20'000;
  commit_figures* figures = nullptr; ///< null: nobody counts
  operator_watch* watch = nullptr;
  tracer* tracing = nullptr; ///< null: nothing is traced
};

/// The error for a batch whose writing has thrown.
const error& writing_has_thrown();

class batch_writer {
public:
  explicit batch_writer(batch_writer_config config);

  /// Waits for the disk. After an error nothing has changed.
  result<void> write(commit_queue::batch& what);
  /// As `storage::store::commit`: `what` stays in place until `done` is
  /// called.
  void write(commit_queue::batch& what, storage::commit_listener& done,
             storage::commit_place place);
  /// How many may be written and not completed yet.
  [[nodiscard]] std::size_t commits_ahead() const {
    return config_.store->commits_ahead();
  }
  /// A commit took so long, or failed. Of those that reach the disk.
  void note(const commit_queue::batch& what,
            std::chrono::steady_clock::duration took, bool written);
  /// Completes all entries: they are on disk.
  void tell(commit_queue::batch& written);

  /// Writes a publish on the caller's thread, which would only wait for the
  /// committer. False, with `what` unchanged: it is not its turn, push it. The
  /// committer handles what the disk refuses. Throws only when memory runs out,
  /// before anything is done.
  bool write_alone(commit_queue& queue, publish_request& what);

private:
  /// Of notifications that belong to no trace yet.
  void begin_traces(commit_queue::batch& what);
  /// Tells the operator.
  void say_slow();
  void tell_router(std::shared_ptr<committed> news);

  batch_writer_config config_;
  position tail_ = 0;
  /// The newest slow commit that the log has not told of.
  std::chrono::steady_clock::duration slow_{0};
};

} // namespace fanfare
