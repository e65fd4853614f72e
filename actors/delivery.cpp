// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/delivery.hpp"

#include <utility>

namespace fanfare {

delivery::delivery(caf::actor_config& cfg,
                   std::shared_ptr<delivery_order> order, webhook_actor owner)
  : lane_actor(cfg),
    order_(std::move(order)),
    owner_(std::move(owner)) {}

delivery::behavior_type delivery::make_behavior() {
  order_->wire->send({.to = order_->to,
                      .what = order_->what,
                      .limits = order_->limits,
                      .extra_head = std::move(order_->headers),
                      .by = std::move(order_->by),
                      .attempt = order_->attempt},
                     [self = handle()](protocol::exchange_result&& exchange) {
                       caf::anon_send(self, atom::answered_v,
                                      std::move(exchange));
                     });
  return {
    [this](atom::answered, protocol::exchange_result& exchange) {
      report(std::move(exchange));
      this->quit();
    },
  };
}

void delivery::report(protocol::exchange_result&& exchange) {
  reported_ = true;
  order_->permit.release();
  // Anonymous: this may be the end of an actor without any reference left.
  caf::anon_send(owner_, atom::finished_v,
                 attempt_result{.what = std::move(order_->what),
                                .members = std::move(order_->members),
                                .to = std::move(order_->to),
                                .attempt = order_->attempt,
                                .started = order_->started,
                                .exchange = std::move(exchange)});
}

void delivery::on_exit() {
  if (!reported_) {
    protocol::exchange_result crashed;
    crashed.reason = "internal: the delivery ended without an answer";
    report(std::move(crashed));
  }
  owner_ = nullptr;
}

} // namespace fanfare
