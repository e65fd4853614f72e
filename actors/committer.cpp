// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/committer.hpp"

#include "actors/lanes.hpp"

#include <utility>

namespace fanfare {

committer::committer(caf::actor_config& cfg, committer_config config)
  : committer_actor::base(cfg),
    config_(std::move(config)),
    tail_(config_.store->tail()) {
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
  static const error ended{ec::internal,
                           "The engine's committer has ended because of an "
                           "error. Look whether this was stored before trying "
                           "it again, with an engine that is started anew."};
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    try {
      batch_.tell(i, &ended);
    } catch (...) { // NOLINT(bugprone-empty-catch): the others are still told
    }
  }
  batch_.truncate(0);
}

void committer::run() {
  for (;;) {
    config_.queue->take(batch_, config_.linger);
    if (batch_.empty())
      return;
    commit();
    batch_.truncate(0);
    config_.queue->announce_writable();
  }
}

void committer::commit() {
  bool failing = false;
  for (;;) {
    const auto written = config_.store->commit(batch_.operations);
    if (written) {
      if (failing) {
        config_.queue->set_failing(false);
        config_.log(log_level::info,
                    "the disk takes writes again; delivery goes on");
      }
      succeed();
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
    config_.queue->take(more, std::chrono::microseconds{0});
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

void committer::succeed() {
  auto news = std::make_shared<committed>();
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    auto& op = batch_.operations[i];
    config_.observe(op);
    // A webhook's state comes before the edits that were committed with it.
    if (std::holds_alternative<storage::load_webhook>(op))
      batch_.tell(i, nullptr);
    if (auto* append = std::get_if<storage::append_notifications>(&op)) {
      if (append->done)
        for (const auto& n : *append->done)
          news->notifications.push_back(n);
    } else if (auto* add = std::get_if<storage::add_webhook>(&op)) {
      if (add->done)
        news->webhooks.push_back(
          std::make_shared<const webhook_record>(*add->done));
    } else if (auto* change = std::get_if<storage::change_webhook>(&op)) {
      if (change->done)
        news->webhooks.push_back(
          std::make_shared<const webhook_record>(*change->done));
    }
  }
  if (!news->notifications.empty())
    tail_ = news->notifications.back()->id;
  if (!news->notifications.empty() || !news->webhooks.empty()) {
    news->tail = tail_;
    if (tail_ - config_.routed_upto->load(std::memory_order_relaxed)
        > config_.max_unrouted)
      news->notifications.clear();
    config_.publish(std::move(news));
  }
  batch_.tell_all(nullptr);
}

} // namespace fanfare
