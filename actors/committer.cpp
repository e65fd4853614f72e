// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/committer.hpp"

#include "actors/lanes.hpp"

#include <iterator>
#include <utility>

namespace fanfare {

namespace {

/// The store takes operations; the queue knows who waits for them.
std::vector<storage::operation>
operations_of(std::vector<commit_queue::item>& batch) {
  std::vector<storage::operation> ops;
  ops.reserve(batch.size());
  for (auto& item : batch)
    ops.push_back(std::move(item.what));
  return ops;
}

void give_back(std::vector<storage::operation>& ops,
               std::vector<commit_queue::item>& batch) {
  for (std::size_t i = 0; i < ops.size(); ++i)
    batch[i].what = std::move(ops[i]);
}

} // namespace

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

void committer::run() {
  for (;;) {
    auto batch = config_.queue->take(config_.linger);
    if (batch.empty())
      return;
    commit(std::move(batch));
    config_.queue->announce_writable();
  }
}

void committer::commit(items batch) {
  bool failing = false;
  for (;;) {
    auto ops = operations_of(batch);
    auto written = config_.store->commit(ops);
    give_back(ops, batch);
    if (written) {
      if (failing) {
        config_.queue->set_failing(false);
        config_.log(log_level::info,
                    "the disk takes writes again; delivery goes on");
      }
      succeed(batch);
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
    const auto before = batch.size();
    batch = refuse(std::move(batch), failure);
    if (config_.queue->closed()) {
      // Stopping: the calls that could not be written will be made again.
      for (auto& item : batch)
        if (item.done)
          item.done(item.what, &failure);
      return;
    }
    if (before == batch.size())
      config_.queue->wait_for_more(config_.retry_pause);
    auto more = config_.queue->take(std::chrono::microseconds{0});
    std::move(more.begin(), more.end(), std::back_inserter(batch));
    if (batch.empty()) {
      // Nothing lasting is left that would show whether the disk has recovered:
      // let the next publish try.
      config_.queue->set_failing(false);
      return;
    }
  }
}

committer::items committer::refuse(items batch, const error& why) {
  items rest;
  for (auto& item : batch) {
    if (item.lasting)
      rest.push_back(std::move(item));
    else if (item.done)
      item.done(item.what, &why);
  }
  return rest;
}

void committer::succeed(items& batch) {
  auto news = std::make_shared<committed>();
  for (auto& item : batch) {
    config_.observe(item.what);
    // A webhook's state comes before the edits that were committed with it.
    if (item.done && std::holds_alternative<storage::load_webhook>(item.what))
      std::exchange(item.done, nullptr)(item.what, nullptr);
    if (auto* append = std::get_if<storage::append_notifications>(&item.what)) {
      if (append->done)
        for (const auto& n : *append->done)
          news->notifications.push_back(n);
    } else if (auto* add = std::get_if<storage::add_webhook>(&item.what)) {
      if (add->done)
        news->webhooks.push_back(
          std::make_shared<const webhook_record>(*add->done));
    } else if (auto* change = std::get_if<storage::change_webhook>(
                 &item.what)) {
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
  for (auto& item : batch)
    if (item.done)
      item.done(item.what, nullptr);
}

} // namespace fanfare
