// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/supervisor.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

supervisor::supervisor(caf::actor_config& cfg, supervisor_config config,
                       boost::asio::io_context& io)
  : lane_actor(cfg),
    config_(std::move(config)),
    timer_(io) {}

supervisor::behavior_type supervisor::make_behavior() {
  this->set_down_handler([this](const caf::down_msg& msg) { on_down(msg); });
  for (const auto& [role, actor] : config_.vital)
    this->monitor(actor);
  if (config_.start_janitor)
    start_janitor();
  return {
    [this](atom::watch, webhook_id id, const caf::strong_actor_ptr& actor) {
      this->monitor(actor);
      webhooks_[caf::actor_cast<caf::actor_addr>(actor)] = id;
    },
    [this](atom::tick) { run_due(); },
  };
}

void supervisor::on_exit() {
  timer_.cancel();
  due_.clear();
  webhooks_.clear();
  caf::anon_send_exit(janitor_, caf::exit_reason::user_shutdown);
  janitor_ = nullptr;
  config_ = {};
}

void supervisor::start_janitor() {
  janitor_ = config_.start_janitor();
  this->monitor(janitor_);
}

void supervisor::on_down(const caf::down_msg& msg) {
  const bool ended = !msg.reason || msg.reason == caf::exit_reason::normal
                  || msg.reason == caf::exit_reason::user_shutdown;
  if (auto i = webhooks_.find(msg.source); i != webhooks_.end()) {
    const auto id = i->second;
    webhooks_.erase(i);
    if (!ended)
      on_crash(id, msg.reason);
    return;
  }
  if (ended)
    return;
  if (msg.source == janitor_.address()) {
    config_.log(log_level::error, "the janitor crashed and is started again: "
                                    + this->system().render(msg.reason));
    const auto pause = config_.first_pause
                     * (1U << std::min<std::size_t>(janitor_crashes_++, 10));
    due_.emplace(clock::now() + pause, [this] { start_janitor(); });
    arm();
    return;
  }
  for (const auto& [role, actor] : config_.vital)
    if (caf::actor_cast<caf::actor_addr>(actor) == msg.source)
      config_.escalate("the " + role
                       + " died: " + this->system().render(msg.reason)
                       + "; stopping, start Fanfare again to recover");
}

void supervisor::on_crash(webhook_id id, const caf::error& why) {
  const auto now = clock::now();
  std::erase_if(crashed_, [&](const auto& c) {
    return now - c.second.first > config_.crash_window;
  });
  auto& c = crashed_[id];
  if (c.count == 0)
    c.first = now;
  if (++c.count > config_.max_crashes) {
    config_.abandon(id);
    return;
  }
  config_.log(log_level::error, "the actor of webhook " + std::to_string(id)
                                  + " crashed and is started again: "
                                  + this->system().render(why));
  due_.emplace(now + config_.first_pause * (1U << (c.count - 1)),
               [this, id] { config_.revive(id); });
  arm();
}

void supervisor::run_due() {
  const auto now = clock::now();
  while (!due_.empty() && due_.begin()->first <= now) {
    auto job = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    job();
  }
  arm();
}

void supervisor::arm() {
  if (due_.empty())
    return;
  timer_.expires_at(due_.begin()->first);
  timer_.async_wait(
    [weak = this->address()](const boost::system::error_code& failed) {
      if (failed)
        return;
      if (auto self = caf::actor_cast<supervisor_actor>(weak))
        caf::anon_send(self, atom::tick_v);
    });
}

} // namespace fanfare
