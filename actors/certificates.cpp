// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/certificates.hpp"

#include <algorithm>
#include <chrono>
#include <functional>

namespace fanfare {

namespace {

/// How long before its end a certificate is worth a notice, and how often.
constexpr std::chrono::days warning{14};
constexpr std::chrono::days interval{1};

std::size_t target_of(const webhook_record& hook) {
  return std::hash<std::string>{}(hook.target_url);
}

} // namespace

bool certificates::seen(const webhook_record& hook, timestamp expires,
                        timestamp now) {
  const std::lock_guard guard{mutex_};
  if (all_.size() >= most && !all_.contains(hook.id))
    make_room(now);
  auto& one = all_[hook.id];
  if (const auto target = target_of(hook); one.target != target)
    one = {.target = target};
  one.expires = expires;
  if (expires - now <= warning)
    soon_[hook.id] = {.hook = hook.id, .owner = hook.owner, .expires = expires};
  else
    soon_.erase(hook.id);
  if (expires - now > warning || now - one.told < interval)
    return false;
  one.told = now;
  return true;
}

std::optional<timestamp>
certificates::expires(const webhook_record& hook) const {
  const std::lock_guard guard{mutex_};
  const auto i = all_.find(hook.id);
  if (i == all_.end() || i->second.target != target_of(hook))
    return std::nullopt;
  return i->second.expires;
}

void certificates::make_room(timestamp now) {
  std::erase_if(
    all_, [now](const auto& e) { return now - e.second.told >= interval; });
  if (all_.size() >= most)
    all_.clear();
  std::erase_if(soon_,
                [this](const auto& e) { return !all_.contains(e.first); });
}

std::vector<certificates::expiring_one>
certificates::expiring(organizer_id owner, timestamp now) const {
  std::vector<expiring_one> out;
  {
    const std::lock_guard guard{mutex_};
    for (const auto& [hook, one] : soon_)
      if ((owner == 0 || one.owner == owner) && one.expires > now)
        out.push_back(one);
  }
  std::ranges::sort(out, {}, &expiring_one::expires);
  return out;
}

} // namespace fanfare
