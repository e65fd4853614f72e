// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A transport without a network: it records what is sent, and answers as the
/// test has written or says.

#include "fanfare/clock.hpp"
#include "protocol/client/transport.hpp"
#include "protocol/target/target.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::test {

inline protocol::exchange_result status(std::uint16_t code) {
  protocol::exchange_result r;
  r.status = code;
  return r;
}

/// Records what is sent. Answers by `script`, or leaves it open for `answer`.
class fake_wire final : public protocol::transport {
public:
  struct exchange {
    std::string url;
    notification_ptr what;
    protocol::exchange_limits limits;
    std::string head; ///< the request line and all headers so far
    timestamp when;
    protocol::exchange_completion done; ///< null once answered
  };

  explicit fake_wire(const wall_clock& clock) : clock_(clock) {}

  void send(protocol::exchange_request request,
            protocol::exchange_completion done) override;

  void answer(std::size_t i, protocol::exchange_result r);

  /// Answers what the script has an answer for. True if there was any.
  bool run_script();

  void close();

  [[nodiscard]] std::vector<position> ids() const;

  std::deque<exchange> sent;
  std::deque<std::size_t> open;
  /// None: the receiver hangs.
  std::function<std::optional<protocol::exchange_result>(const exchange&)>
    script;
  std::function<void(const exchange&)> on_send;

private:
  const wall_clock& clock_;
};
} // namespace fanfare::test
