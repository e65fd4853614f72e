// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/batch.hpp"

#include "actors/webhook/outcome.hpp"
#include "protocol/payload/composed_body.hpp"

#include <algorithm>
#include <memory>

namespace fanfare {

namespace {

/// Most bytes of bodies, beyond the first, that one request combines.
constexpr std::size_t most_bytes = 1024 * 1024;

} // namespace

void batch_halves::answered(const std::vector<notification_ptr>& members,
                            bool refused) {
  if (!refused) {
    for (const auto& m : members)
      forget(m->id);
    return;
  }
  if (!halves_)
    halves_ = std::make_unique<by_subject>();
  const auto middle = (members.size() + 1) / 2;
  for (std::size_t i = 0; i < members.size(); ++i)
    halves_->insert_or_assign(members[i]->id,
                              members[i < middle ? 0 : middle]->id);
  if (halves_->size() > most) {
    for (const auto& m : members)
      halves_->erase(m->id);
    overflow_ = true;
  }
}

void batch_halves::forget(position subject) {
  if (!halves_)
    return;
  halves_->erase(subject);
  if (halves_->size() < most / 2)
    overflow_ = false;
  if (halves_->empty())
    halves_.reset();
}

batch_choice choose_batch(delivery_queue& queue, delivery_queue::source from,
                          const delivery_plan& plan, const batch_halves& halves,
                          std::size_t most, timestamp now) {
  const bool first_attempts = from == delivery_queue::source::window;
  const bool by_halves = !first_attempts && !halves.empty();
  const auto half = by_halves ? halves.half_of(queue.peek(from).id) : 0;
  if (half != 0)
    queue.bring_forward([&](position p) { return halves.half_of(p) == half; });
  const std::size_t limit = std::min(
    most, std::size_t{plan.batch ? plan.batch->max_count : 1});
  const auto ready = std::min(limit, queue.ready(from));
  // Of first attempts, those that were sent again before their turn came.
  const bool may_be_in_flight = !first_attempts || queue.sends_again();
  batch_choice chosen;
  std::size_t bytes = 0;
  for (; chosen.count < ready; ++chosen.count) {
    const auto& next = queue.peek(from, chosen.count);
    if (by_halves && halves.half_of(next.id) != half)
      break;
    const bool done = (first_attempts && queue.progress().settled(next.id))
                   || (may_be_in_flight && queue.is_in_flight(next.id));
    const bool too_old = !done
                      && is_too_old(queue.attempt_of(from, chosen.count),
                                    next.published, plan, now);
    if (done || too_old) {
      if (chosen.count == 0)
        chosen.too_old = too_old;
      break; // else the next batch begins with it
    }
    bytes += next.body.size();
    if (chosen.count > 0 && bytes > most_bytes)
      break;
  }
  const bool full = chosen.count == limit || bytes > most_bytes;
  if (chosen.count > 0 && first_attempts && !full && !queue.behind())
    if (const auto ready_at = queue.peek(from).published + plan.batch->max_wait;
        ready_at > now)
      chosen.wait_until = ready_at;
  return chosen;
}

notification_ptr combine(const std::vector<notification_ptr>& members,
                         bool thin) {
  const auto& first = *members.front();
  auto together = std::make_shared<notification>();
  together->id = first.id;
  together->published = first.published;
  together->owner = first.owner;
  together->body = protocol::batch_body(members, thin);
  return together;
}

} // namespace fanfare
