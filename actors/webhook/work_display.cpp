// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/work_display.hpp"

#include <chrono>
#include <cstdint>

namespace fanfare {

open_work work_display::work(const delivery_queue& queue,
                             const throttle& held) const {
  using source = delivery_queue::source;
  open_work out{
    .waiting = static_cast<std::uint32_t>(queue.ready(source::window)),
    .retries = static_cast<std::uint32_t>(queue.waiting_retries()),
    .behind = queue.behind(),
    .breaker_open = held.pace().breaker()
                 != delivery_state::breaker_state::closed};
  if (out.waiting == 0 && out.retries == 0 && !out.behind)
    return out;
  out.held_by = held.held_by();
  if (out.held_by == hold_reason::pause)
    return out;
  using std::chrono::seconds;
  if (out.waiting != 0)
    out.oldest = std::chrono::floor<seconds>(
                   queue.peek(source::window).published.time_since_epoch())
                   .count();
  else if (out.behind) // it is being read
    out.oldest = shown_.oldest;
  return out;
}

void work_display::show(const webhook_context& in, webhook_id hook,
                        const open_work& now) {
  const auto& shared = in.shared;
  if (shared.board != nullptr)
    shared.board->change(shown_, now);
  if (shared.tallies != nullptr
      && (now.retries != shown_.retries
          || now.breaker_open != shown_.breaker_open)) {
    auto& tally = shared.tallies->of(hook);
    webhook_tally::set(tally.retries, now.retries);
    webhook_tally::set(tally.breaker_open,
                       std::uint32_t{now.breaker_open ? 1U : 0U});
  }
  shown_ = now;
}

} // namespace fanfare
