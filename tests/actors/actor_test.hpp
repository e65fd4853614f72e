// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// For tests of actors: a node with a receiver, which can be stopped and
/// started again. Its parts are in support/.

#include "tests/actors/support/node.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

namespace fanfare {

inline void PrintTo(const outcome& o, std::ostream* out) {
  *out << static_cast<int>(o);
}

} // namespace fanfare

namespace fanfare::test {

/// A node with a receiver that answers 200 unless told otherwise.
class NodeTest : public ::testing::Test {
protected:
  NodeTest() {
    restart({}, {});
  }

  /// The node ends while what its callbacks write to is still there: a
  /// fixture's own members go before those of its base.
  void TearDown() override {
    node_.reset();
  }

  void restart(disk from, const node_options& options) {
    node_.reset();
    node_ = std::make_unique<node>(clock_, std::move(from), options);
    node_->wire.script = [this](const fake_wire::exchange&) {
      return std::optional{status(code_)};
    };
    node_->begin();
  }

  void start(const node_options& options) {
    restart({}, options);
  }

  /// The process dies and comes back with what is on disk.
  void restart(const node_options& options = {}) {
    auto left = node_->store.contents();
    restart(std::move(left), options);
  }

  void hang() {
    node_->wire.script = nullptr;
  }

  [[nodiscard]] const auto& sent() const {
    return node_->wire.sent;
  }

  /// What the webhook says of its delivery.
  delivery_state inspect(webhook_id hook) {
    std::optional<delivery_state> found;
    node_->crew.router().send(
      atom::order_v, hook,
      std::make_shared<const webhook_order>(inspect_order{reply<delivery_state>{
        [&found](result<delivery_state> s) { found = *s; }}}));
    node_->run();
    return found.value_or(delivery_state{});
  }

  fake_clock clock_;
  std::uint16_t code_ = 200;
  std::unique_ptr<node> node_;
};

} // namespace fanfare::test
