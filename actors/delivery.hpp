// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One attempt: one HTTP exchange, then exactly one `finished` to its webhook,
/// even if this actor fails.

#include "actors/admission.hpp"
#include "actors/interfaces.hpp"
#include "actors/lanes/lane_actor.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fanfare {

/// One request, and what its exchange needs.
struct delivery_order {
  protocol::transport* wire = nullptr; ///< of the lane; outlives its actors
  /// The notification whose body is sent; of a batch, all `members` combined.
  notification_ptr what;
  std::vector<notification_ptr> members = {};
  std::shared_ptr<const protocol::target> to;
  std::shared_ptr<const protocol::egress> by = {};
  protocol::exchange_limits limits;
  std::string headers = {}; ///< of this attempt only, each with its CRLF
  std::uint16_t attempt = 1;
  timestamp started;
  admission::permit permit;
};

class delivery final : public lane_actor<delivery_actor> {
public:
  delivery(caf::actor_config& cfg, std::shared_ptr<delivery_order> order,
           webhook_actor owner);

  behavior_type make_behavior() override;
  void on_exit() override;

  const char* name() const override {
    return "delivery";
  }

private:
  void report(protocol::exchange_result&& exchange);

  std::shared_ptr<delivery_order> order_;
  webhook_actor owner_;
  bool reported_ = false;
};

} // namespace fanfare
