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
#include <utility>
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
            protocol::exchange_completion done) override {
    sent.push_back({.url = request.to->masked_url(),
                    .what = request.what,
                    .limits = request.limits,
                    .head = request.to->head() + request.extra_head,
                    .when = clock_.now(),
                    .done = std::move(done)});
    open.push_back(sent.size() - 1);
    if (on_send)
      on_send(sent.back());
  }

  void answer(std::size_t i, protocol::exchange_result r) {
    std::erase(open, i);
    if (auto done = std::exchange(sent[i].done, nullptr))
      done(std::move(r));
  }

  /// Answers what the script has an answer for. True if there was any.
  bool run_script() {
    if (!script)
      return false;
    bool any = false;
    for (auto i : std::vector<std::size_t>{open.begin(), open.end()})
      if (auto r = script(sent[i])) {
        answer(i, std::move(*r));
        any = true;
      }
    return any;
  }

  void close() {
    script = [](const exchange&) { return std::optional{status(0)}; };
    run_script();
  }

  [[nodiscard]] std::vector<position> ids() const {
    std::vector<position> all;
    for (const auto& e : sent)
      all.push_back(e.what->id);
    return all;
  }

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
