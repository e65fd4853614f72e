// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A webhook actor that does nothing but count what it is told.

#include "actors/interfaces.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace fanfare::test {

struct probe_record {
  std::size_t turns = 0;
  std::size_t writables = 0;
  std::function<void()> on_turn;
};

class probe_webhook final : public webhook_actor::base {
public:
  probe_webhook(caf::actor_config& cfg, std::shared_ptr<probe_record> into)
    : webhook_actor::base(cfg),
      into_(std::move(into)) {}

  behavior_type make_behavior() override {
    return {
      [](atom::notify, const notification_ptr&, position) {},
      [](atom::nudge) {},
      [](atom::changed, const webhook_ptr&) {},
      [this](atom::retire) { this->quit(); },
      [](atom::loaded, const webhook_state_ptr&) {},
      [this](atom::writable) { ++into_->writables; },
      [](atom::refilled, const backlog_chunk_ptr&) {},
      [](atom::fetched, const fetched_retries_ptr&) {},
      [](atom::finished, const attempt_result&) {},
      [this](atom::turn) {
        ++into_->turns;
        if (into_->on_turn)
          into_->on_turn();
      },
      [](atom::order, const webhook_order_ptr&) {},
      [](atom::selected, const selection_ptr&) {},
      [](atom::stored) {},
      [](atom::wake) {},
    };
  }

private:
  std::shared_ptr<probe_record> into_;
};

} // namespace fanfare::test
