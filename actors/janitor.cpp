// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/janitor.hpp"

#include "protocol/payload/json_text.hpp"

#include <utility>

namespace fanfare {

janitor::janitor(caf::actor_config& cfg, janitor_config config,
                 boost::asio::io_context& io)
  : lane_actor(cfg),
    config_(std::move(config)),
    timer_(io) {}

janitor::behavior_type janitor::make_behavior() {
  wait(config_.pause);
  return {
    [this](atom::tick) { look(); },
    [this](atom::planned, const expiry_plan_ptr& plan) { on_planned(*plan); },
    [this](atom::expired, bool removed) {
      removed_ += removed ? std::exchange(removing_, 0) : 0;
      wait(removed && more_ ? config_.pause : config_.kept->interval.load());
    },
  };
}

void janitor::on_exit() {
  timer_.cancel();
}

void janitor::look() {
  const auto now = config_.clock->now();
  answers_before_ = now - idempotency_lifetime;
  config_.reader->plan_expiry(handle(), now - config_.kept->period.load(),
                              config_.batch, answers_before_);
}

void janitor::on_planned(const result<storage::expiry_plan>& plan) {
  if (!plan) {
    config_.log(log_level::warning,
                "looking for old entries failed: " + plan.error().detail);
    return wait(config_.kept->interval.load());
  }
  if (plan->notifications.empty() && plan->calls_upto == 0 && !plan->answers) {
    tell_removed();
    return wait(config_.kept->interval.load());
  }
  more_ = plan->more;
  removing_ = plan->notifications.size();
  config_.commits->push(
    {.what = storage::expire{.notifications = plan->notifications,
                             .calls_upto = plan->calls_upto,
                             .max_calls = config_.batch,
                             .answers_before = answers_before_,
                             .max_answers = config_.batch},
     .done = [self = handle()](storage::operation&, const error* failure) {
       caf::anon_send(self, atom::expired_v, failure == nullptr);
     }});
}

void janitor::tell_removed() {
  constexpr std::chrono::hours quiet{1};
  const auto now = config_.clock->now();
  if (removed_ == 0 || config_.events == nullptr
      || (now - told_ < quiet && now >= told_))
    return;
  told_ = now;
  config_.events->say(
    event_kind::retention, log_level::info,
    "the retention has removed " + std::to_string(std::exchange(removed_, 0))
      + " notifications, with their calls, from before "
      + protocol::to_iso8601(now - config_.kept->period.load()));
}

void janitor::wait(std::chrono::milliseconds pause) {
  timer_.expires_after(pause);
  timer_.async_wait(
    [weak = this->address()](const boost::system::error_code& failed) {
      if (failed)
        return;
      if (auto self = caf::actor_cast<janitor_actor>(weak))
        caf::anon_send(self, atom::tick_v);
    });
}

} // namespace fanfare
