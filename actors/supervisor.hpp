// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Watches all other actors. If a webhook's actor or the janitor crashes, it is
/// restarted after a pause, from the store; a webhook whose actor crashes
/// repeatedly is abandoned, with an error in the log. The router and the
/// committer keep everything in order: if either dies, the engine stops, and
/// recovery at the next start restores everything.

#include "actors/committer.hpp"
#include "actors/interfaces.hpp"
#include "actors/lanes/lane_actor.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

namespace fanfare {

struct supervisor_config {
  log_function log;
  /// Actors that the engine cannot run without, with their names.
  std::vector<std::pair<std::string, caf::strong_actor_ptr>> vital;
  /// Called when one of them dies, with a sentence for the operator.
  std::function<void(const std::string&)> escalate;
  std::function<void(webhook_id)> revive;
  std::function<void(webhook_id)> abandon;
  std::function<janitor_actor()> start_janitor;
  /// Crashes within `crash_window` after which a webhook's actor is not
  /// restarted.
  std::size_t max_crashes = 5;
  std::chrono::seconds crash_window{60};
  std::chrono::milliseconds first_pause{500}; ///< doubles with each crash
};

class supervisor final : public lane_actor<supervisor_actor> {
public:
  supervisor(caf::actor_config& cfg, supervisor_config config,
             boost::asio::io_context& io);

  behavior_type make_behavior() override;
  void on_exit() override;

  const char* name() const override {
    return "supervisor";
  }

private:
  using clock = std::chrono::steady_clock;
  struct crashes {
    std::size_t count = 0;
    clock::time_point first;
  };

  void on_down(const caf::down_msg& msg);
  void on_crash(webhook_id id, const caf::error& why);
  void run_due();
  void arm();
  void start_janitor();

  supervisor_config config_;
  boost::asio::steady_timer timer_;
  std::unordered_map<caf::actor_addr, webhook_id> webhooks_;
  std::unordered_map<webhook_id, crashes> crashed_;
  /// The only reference to it: its timer and reads hold none.
  janitor_actor janitor_;
  std::size_t janitor_crashes_ = 0;
  std::multimap<clock::time_point, std::function<void()>> due_;
};

} // namespace fanfare
