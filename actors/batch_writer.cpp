// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/batch_writer.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

const error& writing_has_thrown() {
  static const error why{ec::internal,
                         "The engine's committer has ended because of an "
                         "error. Look whether this was stored before trying it "
                         "again, with an engine that is started anew."};
  return why;
}

batch_writer::batch_writer(batch_writer_config config)
  : config_(std::move(config)),
    tail_(config_.store->journal().tail()) {
  (void)writing_has_thrown(); // made while there is memory
}

result<void> batch_writer::write(commit_queue::batch& what) {
  begin_traces(what);
  const auto begun = std::chrono::steady_clock::now();
  auto done = config_.store->commit(what.operations);
  note(what, std::chrono::steady_clock::now() - begun, done.has_value());
  return done;
}

void batch_writer::write(commit_queue::batch& what,
                         storage::commit_listener& done,
                         storage::commit_place place) {
  begin_traces(what);
  config_.store->commit(what.operations, done, place);
}

void batch_writer::begin_traces(commit_queue::batch& what) {
  if (config_.tracing == nullptr)
    return;
  for (auto& op : what.operations)
    if (auto* append = std::get_if<storage::append_notifications>(&op))
      for (auto& each : append->drafts)
        if (each.trace.empty())
          each.trace = config_.tracing->begin();
}

void batch_writer::note(const commit_queue::batch& what,
                        std::chrono::steady_clock::duration took,
                        bool written) {
  const auto is_barrier = [](const storage::operation& op) {
    return std::holds_alternative<storage::barrier>(op);
  };
  if (std::ranges::all_of(what.operations, is_barrier))
    return;
  if (written && took >= commit_figures::slow)
    slow_ = took;
  if (config_.figures == nullptr)
    return;
  if (written)
    config_.figures->note(
      std::chrono::duration_cast<commit_figures::duration>(took), what.size(),
      std::chrono::steady_clock::now());
  else
    config_.figures->note_failure();
}

void batch_writer::say_slow() {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
    std::exchange(slow_, {}));
  if (config_.watch != nullptr)
    config_.watch->events.say(
      event_kind::commit, log_level::warning,
      "a commit took " + std::to_string(took.count())
        + " ms: the disk is slow, and publishes wait for it");
}

void batch_writer::tell(commit_queue::batch& written) {
  auto news = std::make_shared<committed>();
  for (std::size_t i = 0; i < written.size(); ++i) {
    auto& op = written.operations[i];
    config_.observe(op);
    // A webhook's state comes before the edits that were committed with it.
    if (std::holds_alternative<storage::barrier>(op))
      written.tell(i, nullptr);
    if (auto* append = std::get_if<storage::append_notifications>(&op)) {
      if (append->done) {
        for (const auto& n : *append->done)
          news->notifications.push_back(n);
        if (config_.tracing != nullptr)
          config_.tracing->published(*append->done);
      }
    } else if (auto* add = std::get_if<storage::add_webhook>(&op)) {
      if (add->done)
        news->webhooks.push_back(
          std::make_shared<const webhook_record>(*add->done));
    } else if (auto* change = std::get_if<storage::change_webhook>(&op)) {
      if (change->done)
        news->webhooks.push_back(
          std::make_shared<const webhook_record>(*change->done));
    } else if (auto* clear = std::get_if<storage::clear_organizer>(&op)) {
      if (clear->done)
        for (const auto& hook : clear->cleared)
          news->webhooks.push_back(
            std::make_shared<const webhook_record>(hook));
    }
  }
  if (!news->notifications.empty())
    tail_ = news->notifications.back()->id;
  if (!news->notifications.empty() || !news->webhooks.empty())
    tell_router(std::move(news));
  written.tell_all(nullptr);
  if (slow_.count() != 0)
    say_slow(); // once nobody waits
}

bool batch_writer::write_alone(commit_queue& queue, publish_request& what) {
  commit_queue::batch alone;
  alone.make_room(1);
  if (!queue.take_turn())
    return false;
  const commit_queue::scope here{queue};
  try {
    alone.add({.what = std::move(what.append), .done = std::move(what.done)});
    if (write(alone)) {
      tell(alone);
      alone.truncate(0);
    }
    queue.end_turn(std::move(alone), what.bytes);
  } catch (...) {
    const auto why = std::current_exception();
    alone.give_up(writing_has_thrown());
    queue.fail_turn(why);
  }
  return true;
}

void batch_writer::tell_router(std::shared_ptr<committed> news) {
  news->tail = tail_;
  if (tail_ - config_.routed_upto->load(std::memory_order_relaxed)
      > config_.max_unrouted)
    news->notifications.clear();
  config_.publish(std::move(news));
}

} // namespace fanfare
