// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One request of a webhook: the body it carries, and where and how it goes by
/// the webhook's plan. Nothing is sent here.

#include "actors/delivery.hpp"
#include "actors/webhook/attempt.hpp"
#include "actors/webhook/delivery_plan.hpp"
#include "actors/webhook/delivery_queue.hpp"
#include "actors/webhook/webhook_context.hpp"

#include <cstddef>
#include <memory>

namespace fanfare {

/// Carries one notification, of which this is the attempt. It is in flight.
[[nodiscard]] std::shared_ptr<delivery_order>
carry(delivery_queue& queue, notification_ptr what, attempt a, bool thin);
/// Carries the bodies of so many that are ready. They are in flight.
[[nodiscard]] std::shared_ptr<delivery_order>
carry_together(delivery_queue& queue, delivery_queue::source from,
               std::size_t count, bool thin);

/// Addresses and signs it by a plan that has a target, for the webhook `to` of
/// these.
void prepare(delivery_order& request, delivery_plan& by, webhook_id to,
             const webhook_context& of, timestamp now);

/// How it ended if the plan has no target.
[[nodiscard]] attempt_result unsendable(delivery_order&& request,
                                        const delivery_plan& by, timestamp now);

} // namespace fanfare
