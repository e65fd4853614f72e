// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
/// The reads of where webhooks stand, and what retention may remove.

#include "model/subscription.hpp"
#include "tests/support/memory_store/reads.hpp"

#include <algorithm>
#include <set>

namespace fanfare::test {

namespace {

error no_such_webhook() {
  return {ec::not_found, "There is no such webhook."};
}

/// Whether it was for the webhook when it was published.
bool matched_then(const webhook_record& hook, const notification& n) {
  const auto* then = version_at(hook, n.id);
  return then != nullptr && matches(*then, n.type, n.action, n.event)
      && passes(*then, n);
}

/// The same if the webhook was disabled then.
bool asked_for_then(const webhook_record& hook, const notification& n) {
  const auto* then = version_at(hook, n.id);
  return then != nullptr && asks_for(*then, n.type, n.action, n.event)
      && passes(*then, n);
}

} // namespace

// -- where webhooks stand -----------------------------------------------------

result<std::vector<retry>> memory_deliveries::retries(webhook_id hook) const {
  std::lock_guard lock{in_.mutex};
  const auto* found = in_.now.stored.find_hook(hook);
  if (!found)
    return no_such_webhook();
  std::vector<retry> set;
  if (found->hook.current().enabled)
    set = in_.now.standing(hook).retries.all();
  std::ranges::stable_sort(set, {}, &retry::due);
  return set;
}

result<std::vector<retry>>
memory_deliveries::retries(webhook_id hook,
                           const storage::action_choice& which) const {
  auto set = retries(hook);
  if (!set)
    return set;
  std::lock_guard lock{in_.mutex};
  std::set<position> wanted;
  for (const auto& n : in_.now.stored.journal)
    if (which.takes(n->type, n->action))
      wanted.insert(n->id);
  std::erase_if(*set,
                [&](const retry& r) { return !wanted.contains(r.subject); });
  return set;
}

result<storage::standing> memory_deliveries::find_standing(webhook_id hook,
                                                           position at) const {
  std::lock_guard lock{in_.mutex};
  const auto* found = in_.now.stored.find_hook(hook);
  if (!found)
    return no_such_webhook();
  const auto now = in_.now.standing(found->hook);
  storage::standing answer{.settled = now.upto.settled(at), .waiting = {}};
  const auto& waiting = now.retries.by_subject;
  if (const auto r = waiting.find(at);
      r != waiting.end() && found->hook.current().enabled)
    answer.waiting = r->second;
  return answer;
}

result<storage::backlog_size>
memory_deliveries::count_backlog(const webhook_record& hook,
                                 std::size_t max_scan) const {
  std::lock_guard lock{in_.mutex};
  const auto upto = in_.now.standing(hook).upto;
  storage::backlog_size found;
  std::size_t scanned = 0;
  for (const auto& n : in_.now.stored.journal) {
    if (n->owner != hook.owner || n->id <= upto.cursor)
      continue;
    if (scanned++ == max_scan) {
      found.complete = false;
      break;
    }
    if (matched_then(hook, *n) && !upto.settled(n->id) && found.count++ == 0)
      found.first = n->id;
  }
  return found;
}

// -- replays ------------------------------------------------------------------

result<replay> memory_deliveries::find_replay(webhook_id hook) const {
  std::lock_guard lock{in_.mutex};
  const auto* found = in_.now.stored.find_hook(hook);
  if (!found || !found->sent_again)
    return error{ec::not_found, "There is no such replay."};
  return *found->sent_again;
}

result<storage::selection>
memory_deliveries::select(const webhook_record& hook,
                          const replay& wanted) const {
  std::lock_guard lock{in_.mutex};
  storage::selection found{.chosen = {wanted.cursor, wanted.upto}};
  std::set<position> called;
  std::set<position> delivered;
  for (const auto& c : in_.now.stored.calls)
    if (c.hook == hook.id) {
      called.insert(c.subject);
      if (c.result == outcome::delivered)
        delivered.insert(c.subject);
    }
  const auto now = in_.now.standing(hook);
  for (const auto& n : in_.now.stored.journal) {
    if (n->id <= wanted.cursor || n->id > wanted.upto || n->owner != hook.owner
        || n->published < wanted.asked.since
        || n->published >= wanted.asked.until
        || !matches(wanted.selecting, n->type, n->action, n->event)
        || !passes(wanted.selecting, *n))
      continue;
    const bool waits = !now.upto.settled(n->id) && matched_then(hook, *n);
    if (waits || now.retries.by_subject.contains(n->id))
      ++found.skipped;
    else if (!wanted.asked.only_failed
             || (!delivered.contains(n->id)
                 && (called.contains(n->id) || asked_for_then(hook, *n))))
      found.chosen.insert(n->id);
  }
  found.count = found.chosen.count();
  return found;
}

// -- retention ----------------------------------------------------------------

storage::expiry_plan plan_expiry(const disk& of, timestamp cutoff,
                                 std::size_t limit, timestamp answers_cutoff) {
  storage::expiry_plan plan;
  if (limit == 0)
    return plan;
  auto settled = of.routed_upto;
  for (const auto& [hook, cursor] : of.behind)
    settled = std::min(settled, cursor);
  std::set<position> needed;
  for (const auto& [hook, at] : of.saved)
    for (const auto& [subject, r] : at.retries.by_subject)
      needed.insert(subject);
  for (const auto& n : of.journal) {
    if (n->id > settled || n->published >= cutoff)
      break;
    if (needed.contains(n->id))
      continue;
    if (plan.notifications.size() == limit) {
      plan.more = true;
      break;
    }
    plan.notifications.push_back(n->id);
  }
  std::size_t count = 0;
  for (const auto& c : of.calls) {
    if (c.id > of.reflected_call || c.time >= cutoff)
      break;
    if (count++ == limit) {
      plan.more = true;
      break;
    }
    plan.calls_upto = c.id;
  }
  const auto old = std::ranges::count_if(of.answers, [&](const auto& entry) {
    return entry.second.created < answers_cutoff;
  });
  plan.answers = old > 0;
  plan.more = plan.more || static_cast<std::size_t>(old) > limit;
  return plan;
}

} // namespace fanfare::test
