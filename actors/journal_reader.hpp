// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads data for actors, possibly from disk, and sends them the result as a
/// message. The reads run on threads that may wait.

#include "actors/interfaces.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace fanfare {

/// Any thread. Every request is answered once, unless its actor has ended.
class journal_reader {
public:
  virtual ~journal_reader() = default;
  /// `refilled`: matches of the webhook after `after` and at or before `upto`,
  /// matched with the versions then in the registry; at most `limit`.
  virtual void read_backlog(webhook_actor who, webhook_id hook, position after,
                            position upto, std::size_t limit) = 0;
  /// `fetched`, in the order of `which`.
  virtual void fetch(webhook_actor who, std::vector<position> which) = 0;
  /// `selected`: what a replay still has to hand over.
  virtual void select(webhook_actor who, webhook_id hook, replay wanted) = 0;
  /// `chunk`: the journal after `after`.
  virtual void read_journal(router_actor who, position after, position upto,
                            std::size_t limit) = 0;
  /// `planned`: the entries older than `cutoff`, and whether idempotency keys
  /// have answers older than `answers_cutoff`.
  virtual void plan_expiry(janitor_actor who, timestamp cutoff,
                           std::size_t limit, timestamp answers_cutoff) = 0;
};

/// Reads from a store on a thread pool.
class store_reader final : public journal_reader {
public:
  store_reader(const storage::store& store, std::size_t threads);
  ~store_reader() override;

  void read_backlog(webhook_actor who, webhook_id hook, position after,
                    position upto, std::size_t limit) override;
  void fetch(webhook_actor who, std::vector<position> which) override;
  void select(webhook_actor who, webhook_id hook, replay wanted) override;
  void read_journal(router_actor who, position after, position upto,
                    std::size_t limit) override;
  void plan_expiry(janitor_actor who, timestamp cutoff, std::size_t limit,
                   timestamp answers_cutoff) override;

  /// Has the pool run what may wait for the disk, unless it is closed by then.
  void run(std::function<void()> task);

  /// Waits for running reads, drops queued ones, and takes no more: after it
  /// returns, no actor is referenced.
  void close();

private:
  /// Runs it on the pool, unless closed by then.
  template <class Task>
  void read(Task task);
  /// Many webhooks read the same backlog: they share one copy of each
  /// notification.
  notification_ptr shared(notification_ptr n);

  const storage::store& store_;
  std::mutex mutex_;
  std::unordered_map<position, std::weak_ptr<const notification>> alive_;
  std::size_t sweep_at_ = 4'096;
  std::mutex closing_;
  std::atomic<bool> closed_{false};
  boost::asio::thread_pool pool_;
};

} // namespace fanfare
