// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Retention: removes notifications and calls that are too old and no longer
/// needed, and old answers kept under idempotency keys. A few hundred at a
/// time, so that no commit waits long for it.

#include "actors/commit_queue.hpp"
#include "actors/committer.hpp"
#include "actors/event_log.hpp"
#include "actors/journal_reader.hpp"
#include "actors/lanes/lane_actor.hpp"
#include "fanfare/clock.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <memory>

namespace fanfare {

/// How long entries are kept, and how often those that are older are looked
/// for. Changes hold from the next look on. Any thread.
struct retention_rule {
  std::atomic<std::chrono::milliseconds> period{std::chrono::hours{24 * 30}};
  std::atomic<std::chrono::milliseconds> interval{std::chrono::minutes{1}};
};

struct janitor_config {
  commit_queue* commits = nullptr;
  journal_reader* reader = nullptr;
  const wall_clock* clock = nullptr;
  log_function log;
  event_log* events = nullptr;
  const retention_rule* kept = nullptr;
  /// Entries of each kind that one commit removes.
  std::size_t batch = 500;
  /// Between two of these commits.
  std::chrono::milliseconds pause{5};
};

class janitor final : public lane_actor<janitor_actor> {
public:
  janitor(caf::actor_config& cfg, janitor_config config,
          boost::asio::io_context& io);

  behavior_type make_behavior() override;
  void on_exit() override;

  const char* name() const override {
    return "janitor";
  }

private:
  void look();
  void on_planned(const result<storage::expiry_plan>& plan);
  void wait(std::chrono::milliseconds pause);
  /// Once there is nothing more to remove for now; not more often than once an
  /// hour.
  void tell_removed();

  janitor_config config_;
  boost::asio::steady_timer timer_;
  timestamp answers_before_{};
  bool more_ = false;
  std::size_t removed_ = 0;  ///< notifications, that nobody was told of
  std::size_t removing_ = 0; ///< by the commit that runs
  timestamp told_{};
};

} // namespace fanfare
