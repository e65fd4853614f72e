// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/event_log.hpp"

#include "protocol/target/target.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace fanfare {

namespace {

constexpr std::array kind_names = std::to_array<std::string_view>({
  "webhooks that were disabled",
  "webhooks that were changed",
  "webhooks that began to fail or work again",
  "circuit breakers",
  "receivers that ask to wait",
  "notifications given up",
  "notices to owners",
  "tokens",
  "failed logins",
  "slow commits",
  "the disk",
  "retention",
  "backups",
});
static_assert(kind_names.size() == std::size_t(event_kind::backup) + 1,
              "each kind has a name");

} // namespace

event_log::event_log(sink to, const wall_clock& clock,
                     std::function<std::string(organizer_id)> slug_of)
  : to_(std::move(to)),
    clock_(clock),
    slug_of_(std::move(slug_of)) {}

std::string event_log::end_period(std::size_t kind, timestamp now) {
  auto& of = lanes_[kind];
  const auto left_out = std::exchange(of.left_out, 0);
  of.since = now;
  of.said = 0;
  if (left_out == 0)
    return {};
  return std::to_string(left_out) + " more like this about "
       + std::string{kind_names[kind]};
}

bool event_log::admit(event_kind kind, log_level level) {
  const auto now = clock_.now();
  const auto at = static_cast<std::size_t>(kind);
  std::string more;
  auto more_level = log_level::info;
  {
    const std::lock_guard guard{mutex_};
    auto& of = lanes_[at];
    if (now - of.since >= period || now < of.since) {
      more_level = of.level;
      more = end_period(at, now);
    }
    if (of.said >= most) {
      of.level = of.left_out == 0 ? level : std::max(of.level, level);
      ++of.left_out;
      return false;
    }
    ++of.said;
  }
  if (!more.empty())
    to_(more_level, more);
  return true;
}

void event_log::say(event_kind kind, log_level level, const std::string& line) {
  if (admit(kind, level))
    to_(level, line);
}

void event_log::say(event_kind kind, log_level level, const webhook_record& of,
                    std::string_view what) {
  if (admit(kind, level))
    to_(level, name_of(of) + ' ' + std::string{what});
}

std::string event_log::name_of(const webhook_record& hook) const {
  return "webhook " + std::to_string(hook.id) + " of " + slug_of_(hook.owner)
       + " (" + protocol::name_url(hook.target_url) + ')';
}

void event_log::sum_up(bool all) {
  const auto now = clock_.now();
  for (std::size_t i = 0; i < kinds; ++i) {
    std::string more;
    auto level = log_level::info;
    {
      const std::lock_guard guard{mutex_};
      auto& of = lanes_[i];
      if (of.left_out == 0
          || (!all && now - of.since < period && now >= of.since))
        continue;
      level = of.level;
      more = end_period(i, now);
    }
    to_(level, more);
  }
}

} // namespace fanfare
