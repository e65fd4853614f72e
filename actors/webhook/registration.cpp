// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/registration.hpp"

#include "model/subscription.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

registration::news registration::adopt(webhook_ptr hook,
                                       const delivery_defaults& defaults,
                                       std::uint64_t fences) {
  const auto before = plan_.to;
  fences_ = fences;
  plan_ = delivery_plan{*hook, defaults};
  const news what{
    .redirected = hook_ && hook_->target_url != hook->target_url,
    .moved = plan_.to
          && (!before || before->destination() != plan_.to->destination())};
  hook_ = std::move(hook);
  enabled_ = hook_->current().enabled;
  filtered_ = std::ranges::any_of(hook_->versions, [](const auto& v) {
    return v.value.filter.value != nullptr;
  });
  return what;
}

bool registration::passes_filter(const notification& n) const {
  const auto* sub = version_at(*hook_, n.id);
  return sub == nullptr || passes(*sub, n);
}

} // namespace fanfare
