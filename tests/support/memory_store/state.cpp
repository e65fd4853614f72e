// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_store/state.hpp"

#include <algorithm>

namespace fanfare::test {

namespace {

void advance_before_first(hook_standing& of, const webhook_record& hook) {
  const auto from = hook.versions.front().from;
  of.upto.advance(from == 0 ? 0 : from - 1);
}

} // namespace

// -- disk ---------------------------------------------------------------------

notification_ptr disk::find(position at) const {
  const auto id_of = [](const notification_ptr& n) { return n->id; };
  const auto i = std::ranges::lower_bound(journal, at, {}, id_of);
  return i != journal.end() && (*i)->id == at ? *i : nullptr;
}

const disk::stored* disk::find_hook(webhook_id id) const {
  const auto i = hooks.find(id);
  return i == hooks.end() ? nullptr : &i->second;
}

disk::stored* disk::find_hook(webhook_id id) {
  const auto i = hooks.find(id);
  return i == hooks.end() ? nullptr : &i->second;
}

hook_standing disk::saved_standing(webhook_id id) const {
  hook_standing found;
  if (const auto i = saved.find(id); i != saved.end())
    found = i->second;
  const auto i = behind.find(id);
  found.upto.advance(i == behind.end() ? routed_upto : i->second);
  return found;
}

bool is_replaying(const disk::stored& hook) {
  return hook.sent_again && hook.sent_again->state == replay_state::running;
}

// -- memory_state -------------------------------------------------------------

hook_standing memory_state::standing(webhook_id id) const {
  const auto i = since.find(id);
  return i == since.end() ? stored.saved_standing(id) : i->second;
}

hook_standing memory_state::standing(const webhook_record& hook) const {
  auto found = standing(hook.id);
  advance_before_first(found, hook);
  return found;
}

hook_standing& memory_state::touch(webhook_id id) {
  const auto i = since.find(id);
  return i != since.end()
         ? i->second
         : since.emplace(id, stored.saved_standing(id)).first->second;
}

void memory_state::save(webhook_id id) {
  stored.saved[id] = touch(id);
}

storage::recovery memory_state::recover() {
  storage::recovery found{.routed_upto = stored.routed_upto,
                          .runs = stored.runs};
  since.clear();
  for (const auto& c : stored.calls) {
    if (c.id <= stored.reflected_call)
      continue;
    ++found.calls_replayed;
    auto& at = touch(c.hook);
    if (c.id > at.upto.last_call)
      at.upto.apply(c, at.retries);
  }
  for (const auto& [id, record] : stored.hooks) {
    if (!record.hook.current().enabled)
      continue;
    const auto at = standing(record.hook);
    storage::recovery::unsettled todo{.hook = id, .cursor = at.upto.cursor};
    todo.behind = stored.behind.contains(id)
               && at.upto.cursor < stored.routed_upto;
    todo.has_retries = !at.retries.by_subject.empty() || is_replaying(record);
    if (todo.behind || todo.has_retries)
      found.webhooks.push_back(todo);
    if (at.upto.failures != 0)
      found.failing.push_back({.hook = id,
                               .owner = record.hook.owner,
                               .failures = at.upto.failures,
                               .since = at.upto.failing_since,
                               .last = at.upto.last_failure});
  }
  return found;
}

} // namespace fanfare::test
