// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/counters.hpp"

#include <string>
#include <utility>

namespace fanfare {

void engine_counters::observe(const storage::operation& op) {
  if (const auto* made = std::get_if<storage::append_call>(&op)) {
    add(calls_[static_cast<std::size_t>(made->entry.result)], 1);
    add(call_microseconds_,
        static_cast<std::uint64_t>(made->entry.timings.total.count()));
  } else if (const auto* added = std::get_if<storage::append_notifications>(
               &op);
             added != nullptr && added->done) {
    add(notifications_, added->done->size());
  }
}

std::vector<metric> engine_counters::figures(const engine_statistics& now,
                                             bool ready) const {
  using kind = metric::kind;
  using labels = std::vector<std::pair<std::string, std::string>>;
  std::vector<metric> out;
  auto put = [&out](const char* name, const char* help, kind type, auto value,
                    labels of = {}) {
    out.push_back({.name = name,
                   .help = help,
                   .type = type,
                   .labels = std::move(of),
                   .value = static_cast<double>(value)});
  };
  put("fanfare_notifications_total", "Notifications published.", kind::counter,
      notifications_.load());
  put("fanfare_publishes_refused_total",
      "Publishes that found too much waiting for the disk.", kind::counter,
      refused_.load());
  static constexpr const char* outcomes[] = {"delivered", "retried", "given_up",
                                             "gone"};
  for (std::size_t i = 0; i < calls_.size(); ++i)
    put("fanfare_calls_total", "Entries of the call log, by outcome.",
        kind::counter, calls_[i].load(), {{"outcome", outcomes[i]}});
  put("fanfare_call_seconds_total", "Time that finished calls took together.",
      kind::counter, static_cast<double>(call_microseconds_.load()) / 1e6);
  put("fanfare_calls_in_flight", "Attempts in flight.", kind::gauge,
      now.in_flight);
  put("fanfare_webhooks", "Webhooks that are registered.", kind::gauge,
      now.registered_webhooks);
  put("fanfare_webhooks_active", "Webhooks with something to do lately.",
      kind::gauge, now.active_webhooks);
  put("fanfare_unrouted_notifications",
      "Notifications that were not yet fanned out.", kind::gauge,
      now.tail - std::min(now.tail, now.routed_upto));
  put("fanfare_store_bytes", "Bytes of the store in use.", kind::gauge,
      now.store_bytes);
  put("fanfare_ready", "1 while the engine runs and the disk takes writes.",
      kind::gauge, ready ? 1 : 0);
  return out;
}

} // namespace fanfare
