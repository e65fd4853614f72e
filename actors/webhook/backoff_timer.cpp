// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/backoff_timer.hpp"

#include <algorithm>
#include <chrono>

namespace fanfare {

namespace {

/// The longest it sleeps: the time of day may be set meanwhile. The actor looks
/// at the clock when it wakes, so that waking early is harmless.
constexpr std::chrono::milliseconds longest_sleep = std::chrono::minutes{1};

} // namespace

backoff_timer::backoff_timer(boost::asio::io_context& io,
                             const wall_clock& clock, const webhook_actor& who)
  : timer_(io),
    clock_(clock),
    who_(who.address()) {}

void backoff_timer::set(timestamp due) {
  timer_.expires_after(std::clamp<std::chrono::milliseconds>(
    due - clock_.now(), std::chrono::milliseconds{0}, longest_sleep));
  timer_.async_wait([who = who_](const boost::system::error_code& failed) {
    if (failed)
      return;
    if (auto self = caf::actor_cast<webhook_actor>(who))
      caf::anon_send(self, atom::wake_v);
  });
}

void backoff_timer::cancel() {
  timer_.cancel();
}

} // namespace fanfare
