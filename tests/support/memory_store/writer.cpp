// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
/// Notifications, calls, answers and what concerns where webhooks stand.

#include "tests/support/memory_store/writer.hpp"

#include "tests/support/memory_store/names.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::test {

// -- journal ------------------------------------------------------------------

void memory_writer::execute(storage::append_notifications& op) {
  op.new_events.clear();
  op.earlier.reset();
  if (op.once)
    if (auto earlier = find_answer(op.once->key, op.published)) {
      op.earlier = std::make_shared<stored_answer>(std::move(*earlier));
      op.done = std::vector<notification_ptr>{};
      return;
    }
  for (const auto& d : op.drafts)
    if (d.event == 0 && !d.new_event.empty())
      if (auto fine = check_name(d.new_event, "event"); !fine) {
        op.done = fine.error();
        return;
      }
  std::vector<notification_ptr> added;
  for (auto& d : op.drafts)
    added.push_back(append(d, op));
  if (op.once)
    disk_.answers[op.once->key] = {
      .created = op.published,
      .answer = publish_receipt{
        .first = added.empty() ? 0 : added.front()->id,
        .count = static_cast<std::uint32_t>(added.size()),
        .list = op.once->list,
        .indent = op.once->indent,
        .asked = op.once->asked}};
  op.done = std::move(added);
}

notification_ptr memory_writer::append(storage::draft& from,
                                       storage::append_notifications& op) {
  auto about = from.event;
  if (about == 0 && !from.new_event.empty()) {
    bool is_new = false;
    auto found = find_or_add_event(from.owner, from.new_event, from.new_event,
                                   is_new);
    about = found.id;
    if (is_new)
      op.new_events.push_back(std::move(found));
  }
  const auto id = ++disk_.last_position;
  auto n = std::make_shared<const notification>(
    notification{.id = id,
                 .published = op.published,
                 .owner = from.owner,
                 .event = about,
                 .type = from.type,
                 .action = std::exchange(from.action, {}),
                 .body = R"({"notification_id": )" + std::to_string(id)
                       + std::exchange(from.rest, {}),
                 .trace = std::exchange(from.trace, {})});
  disk_.journal.push_back(n);
  return n;
}

// -- calls and retries --------------------------------------------------------

void memory_writer::execute(storage::append_call& op) {
  auto& c = op.entry;
  auto& at = to_.touch(c.hook);
  c.id = ++disk_.last_call;
  c.previous = at.upto.last_call;
  at.upto.apply(c, at.retries);
  disk_.calls.push_back(c);
  const auto began = std::max(c.time, timestamp{}).time_since_epoch();
  disk_.counted[c.hook][began / tally_times::fine].add(classify(c));
}

void memory_writer::execute(storage::drop_retries& op) {
  to_.touch(op.hook).retries.clear();
  to_.save(op.hook);
}

void memory_writer::execute(storage::amend_progress& op) {
  if (!disk_.find_hook(op.hook))
    return;
  auto& upto = to_.touch(op.hook).upto;
  const bool excused = upto.excuse(op.off_since, op.off_until);
  const bool lifted = op.lift_hold && upto.lift_hold();
  const bool forgotten = op.forget_failures && upto.forget_failures();
  if (excused || lifted || forgotten)
    to_.save(op.hook);
}

void memory_writer::execute(storage::enqueue& op) {
  auto* record = disk_.find_hook(op.hook);
  if (!record || !record->hook.current().enabled)
    return;
  // It may have been ended by a disabling, and another begun since.
  if (op.progress
      && (!is_replaying(*record)
          || record->sent_again->started != op.progress->started))
    return;
  for (const auto& r : op.entries)
    to_.touch(op.hook).retries.put(r);
  if (!op.entries.empty())
    to_.save(op.hook);
  if (op.progress)
    record->sent_again = op.progress;
}

void memory_writer::execute(storage::start_replay& op) {
  auto* record = disk_.find_hook(op.hook);
  if (!record || record->hook.owner != op.owner) {
    op.done = refusal(ec::not_found, "id");
    return;
  }
  if (!record->hook.current().enabled || is_replaying(*record)) {
    op.done = refusal(ec::conflict, "");
    return;
  }
  record->sent_again = *op.value;
  op.done = *op.value;
}

void memory_writer::execute(storage::barrier& op) {
  if (op.load == 0)
    return;
  const auto* record = disk_.find_hook(op.load);
  if (!record) {
    op.done = refusal(ec::not_found, "id");
    return;
  }
  auto at = to_.standing(record->hook);
  storage::webhook_state state{.hook = record->hook,
                               .upto = std::move(at.upto),
                               .retries = {},
                               .running = {}};
  if (record->hook.current().enabled) {
    state.retries = at.retries.all();
    if (is_replaying(*record))
      state.running = record->sent_again;
    auto c = disk_.calls.rbegin();
    while (c != disk_.calls.rend()
           && (c->hook != op.load || add_recent(state, *c)))
      ++c;
    if (c == disk_.calls.rend() && record->hook.delivery.rate_limit)
      state.recent_complete = true;
  }
  op.done = std::move(state);
}

// -- checkpoint ---------------------------------------------------------------

void memory_writer::execute(storage::save_checkpoint& op) {
  if (op.runs)
    disk_.runs = *op.runs;
  if (op.routed_upto < disk_.routed_upto)
    return;
  for (auto& [id, at] : to_.since)
    disk_.saved[id] = std::move(at);
  to_.since.clear();
  std::map<webhook_id, position> named;
  for (const auto& [hook, cursor] : op.behind) {
    // Who was not behind had come as far as was routed. No cursor moves back.
    const auto i = disk_.behind.find(hook);
    named[hook] = std::max(cursor, i == disk_.behind.end() ? disk_.routed_upto
                                                           : i->second);
  }
  disk_.behind = std::move(named);
  disk_.routed_upto = std::min(op.routed_upto, disk_.tail());
  disk_.reflected_call = disk_.last_call;
}

// -- answers and retention ----------------------------------------------------

std::optional<stored_answer>
memory_writer::find_answer(const idempotency_key& key, timestamp now) {
  const auto i = disk_.answers.find(key);
  if (i == disk_.answers.end())
    return std::nullopt;
  if (i->second.is_live(now))
    return i->second.answer;
  disk_.answers.erase(i);
  return std::nullopt;
}

void memory_writer::execute(storage::remember_answer& op) {
  if (auto earlier = find_answer(op.key, op.now)) {
    op.done = std::move(*earlier);
    return;
  }
  disk_.answers[op.key] = {.created = op.now, .answer = op.answer};
  op.done = stored_answer{op.answer};
}

void memory_writer::execute(storage::expire& op) {
  for (const auto at : op.notifications)
    std::erase_if(disk_.journal, [at](const auto& n) { return n->id == at; });
  const auto upto = std::min(op.calls_upto, disk_.reflected_call);
  std::size_t removed = 0;
  while (removed < op.max_calls && removed < disk_.calls.size()
         && disk_.calls[removed].id <= upto)
    ++removed;
  disk_.calls.erase(disk_.calls.begin(),
                    disk_.calls.begin() + static_cast<std::ptrdiff_t>(removed));
  // The oldest first.
  std::vector<std::pair<timestamp, idempotency_key>> old;
  for (const auto& [key, kept] : disk_.answers)
    if (kept.created < op.answers_before)
      old.emplace_back(kept.created, key);
  std::ranges::sort(old);
  old.resize(std::min(old.size(), op.max_answers));
  for (const auto& [created, key] : old)
    disk_.answers.erase(key);
}

} // namespace fanfare::test
