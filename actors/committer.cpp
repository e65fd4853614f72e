// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/committer.hpp"

#include "actors/lanes/lanes.hpp"

#include <utility>

namespace fanfare {

committer::committer(caf::actor_config& cfg, committer_config config)
  : committer_actor::base(cfg),
    config_(std::move(config)) {
  this->set_exception_handler(reason_of);
}

committer::behavior_type committer::make_behavior() {
  return {
    [this](atom::commit) { run(); },
  };
}

void committer::on_exit() {
  // Not empty if it ended by an exception: whoever waits must not wait for
  // ever.
  const commit_queue::scope here{*config_.queue};
  batch_.give_up(writing_has_thrown());
  batch_.truncate(0);
}

void committer::run() {
  const commit_queue::scope here{*config_.queue};
  for (;;) {
    if (!config_.queue->take(batch_, config_.linger))
      return;
    commit();
    batch_.truncate(0);
    config_.queue->announce_writable();
  }
}

void committer::commit() {
  bool failing = false;
  for (;;) {
    const auto written = config_.writer->write(batch_);
    if (written) {
      if (failing) {
        config_.queue->set_failing(false);
        config_.log(log_level::info,
                    "the disk takes writes again; delivery goes on");
      }
      config_.writer->tell(batch_);
      return;
    }
    const auto failure = written.error();
    if (!failing) {
      failing = true;
      config_.queue->set_failing(true);
      config_.log(log_level::error,
                  "commit failed, publishes are refused and delivery waits: "
                    + failure.detail);
    }
    const auto before = batch_.size();
    refuse(failure);
    if (config_.queue->closed()) {
      // Stopping: the calls that could not be written will be made again.
      batch_.tell_all(&failure);
      return;
    }
    if (before == batch_.size())
      config_.queue->wait_for_more(config_.retry_pause);
    commit_queue::batch more;
    config_.queue->take_more(more);
    batch_.append(std::move(more));
    if (batch_.empty()) {
      // Nothing lasting is left that would show whether the disk has recovered:
      // let the next publish try.
      config_.queue->set_failing(false);
      return;
    }
  }
}

void committer::refuse(const error& why) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    if (batch_.endings[i].lasting)
      batch_.move(i, kept++);
    else
      batch_.tell(i, &why);
  }
  batch_.truncate(kept);
}

} // namespace fanfare
