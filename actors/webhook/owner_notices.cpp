// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/owner_notices.hpp"

#include "protocol/payload/json_text.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace fanfare {

namespace {

/// Between two notices of the same kind about recoveries, or what is given up.
constexpr std::chrono::minutes shortest_interval{1};
/// The engine's own action types begin with it.
constexpr std::string_view own_actions = "fanfare.";

} // namespace

std::optional<owner_notice> owner_notices::recovered(timestamp failing_since,
                                                     timestamp now) {
  if (now - recovery_announced_ < shortest_interval)
    return std::nullopt;
  recovery_announced_ = now;
  return owner_notice{"fanfare.webhook.recovered",
                      R"(, "failing_since": )"
                        + protocol::json_time(failing_since)};
}

std::optional<owner_notice>
owner_notices::certificate_seen(certificates& known, const webhook_record& by,
                                timestamp expires, timestamp now) {
  if (!known.seen(by, expires, now))
    return std::nullopt;
  return owner_notice{"fanfare.webhook.certificate_expiring",
                      R"(, "expires": )" + protocol::json_time(expires)};
}

void owner_notices::note_given_up(position subject, std::string_view action) {
  if (action.starts_with(own_actions))
    return;
  if (given_up_.count++ == 0)
    given_up_.first = subject;
  given_up_.last = subject;
}

bool owner_notices::remembers(timestamp now) const {
  return given_up_.count != 0
      || now < std::max(given_up_.announced, recovery_announced_)
                 + shortest_interval;
}

void owner_notices::add_due(earliest_after& to) const {
  to.add(given_up_.announced + shortest_interval);
  to.add(recovery_announced_ + shortest_interval);
}

std::optional<owner_notices::loss> owner_notices::given_up(timestamp now) {
  if (given_up_.count == 0 || now < given_up_.announced + shortest_interval)
    return std::nullopt;
  const auto first = std::to_string(given_up_.first);
  const auto last = std::to_string(given_up_.last);
  auto sentence = "gave up "
                + (given_up_.count == 1
                     ? "notification " + last
                     : std::to_string(given_up_.count) + " notifications, from "
                         + first + " to " + last);
  owner_notice notice{"fanfare.notification.given_up",
                      R"(, "count": )" + std::to_string(given_up_.count)
                        + R"(, "first_notification_id": )" + first
                        + R"(, "last_notification_id": )" + last};
  given_up_ = {.count = 0, .first = 0, .last = 0, .announced = now};
  return loss{.notice = std::move(notice), .sentence = std::move(sentence)};
}

namespace {

/// The command that sends what was missed, once the webhook is enabled again.
std::string replay_command(webhook_id hook, timestamp since) {
  const auto quoted = protocol::json_time(since);
  return "fanfare replay " + std::to_string(hook) + " --only-failed --since "
       + quoted.substr(1, quoted.size() - 2);
}

} // namespace

owner_notice owner_notices::disabled(const call& last, std::string_view action,
                                     std::string_view why, timestamp since) {
  return {"fanfare.webhook.disabled",
          R"(, "reason": )" + protocol::json_quoted(why)
            + R"(, "return_code": )" + std::to_string(last.status)
            + R"(, "action_type": )" + protocol::json_quoted(action)
            + R"(, "replay": )"
            + protocol::json_quoted(replay_command(last.hook, since))};
}

std::string owner_notices::disabled_sentence(const call& last,
                                             std::string_view action,
                                             timestamp since) {
  return "is disabled after a call of " + std::string{action} + ": "
       + last.reason + ". Once it is enabled again, this sends what it missed: "
       + replay_command(last.hook, since);
}

} // namespace fanfare
