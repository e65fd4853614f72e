// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One request of a webhook: the body it carries, and where and how it goes by
/// the webhook's plan. Nothing is sent here.

#include "actors/delivery.hpp"
#include "actors/webhook/attempt.hpp"
#include "actors/webhook/delivery_plan.hpp"

#include <memory>
#include <vector>

namespace fanfare {

/// Carries one notification, of which this is the attempt.
[[nodiscard]] std::shared_ptr<delivery_order> carry(notification_ptr what,
                                                    const attempt& a);
/// Carries the bodies of all members; `last`: the attempt with the highest
/// number among theirs.
[[nodiscard]] std::shared_ptr<delivery_order>
carry_together(std::vector<notification_ptr> members, const attempt& last);

/// Addresses and signs it by a plan that has a target.
void prepare(delivery_order& request, delivery_plan& by,
             protocol::transport& wire, timestamp now);

/// How it ended if the plan has no target.
[[nodiscard]] attempt_result unsendable(delivery_order&& request,
                                        const delivery_plan& by, timestamp now);

} // namespace fanfare
