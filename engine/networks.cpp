// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/networks.hpp"

#include <memory>
#include <utility>

namespace fanfare {

result<std::vector<protocol::network>>
read_networks(const std::vector<std::string>& texts, std::string_view field) {
  std::vector<protocol::network> out;
  for (const auto& text : texts) {
    const auto parsed = protocol::network::parse(text);
    if (!parsed)
      return error{parsed.error().code, parsed.error().detail,
                   std::string{field}};
    out.push_back(*parsed);
  }
  return out;
}

result<void> organizer_fences::update(const organizer& changed) {
  const auto allowed = read_networks(changed.allow_networks, "allow_networks");
  if (!allowed)
    return allowed.error();
  const auto denied = read_networks(changed.deny_networks, "deny_networks");
  if (!denied)
    return denied.error();
  const std::lock_guard guard{mutex_};
  const auto generation = ++changes_;
  if (allowed->empty() && denied->empty()) {
    fences_.erase(changed.id);
  } else {
    auto& own = fences_[changed.id];
    own.allowed = *allowed;
    own.denied = *denied;
    enclose(own, generation);
  }
  return {};
}

void organizer_fences::enclose(own_networks& one,
                               std::uint64_t generation) const {
  one.within = {.policy = std::make_shared<const protocol::address_policy>(
                  common_.with(one.allowed, one.denied)),
                .generation = generation};
}

void organizer_fences::replace_common(protocol::address_policy common) {
  const std::lock_guard guard{mutex_};
  const auto generation = ++changes_;
  common_ = std::move(common);
  replaced_ = {
    .policy = std::make_shared<const protocol::address_policy>(common_),
    .generation = generation};
  for (auto& [id, own] : fences_)
    enclose(own, generation);
}

delivery_defaults::fence organizer_fences::of(organizer_id id) const {
  const std::lock_guard guard{mutex_};
  const auto found = fences_.find(id);
  return found == fences_.end() ? replaced_ : found->second.within;
}

} // namespace fanfare
