// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/delivery_writer.hpp"

#include "storage/lmdb/state/progress_tables.hpp"
#include "storage/lmdb/tables/refusals.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::storage::lmdb {

// -- call log -----------------------------------------------------------------

void delivery_writer::execute(append_call& op) {
  auto& c = op.entry;
  c.id = ++last_call_;
  layer_.append(c);
  if (!end_)
    end_.emplace(txn_, table::calls);
  end_->append(as_key(c.id), to_.encoded(c));
}

void delivery_writer::expire_calls(call_id upto, std::size_t limit) {
  close(); // the last entry may go, on which it stands
  upto = std::min(upto, layer_.last_checkpoint().last_call);
  write_cursor at{txn_, table::calls};
  std::size_t removed = 0;
  for (auto more = at.first(); more && removed < limit; more = at.next()) {
    if (to_number<call_id>(at.key()).value_or(0) > upto)
      break;
    at.erase();
    ++removed;
  }
}

void delivery_writer::close() {
  end_.reset();
}

// -- retries and replays ------------------------------------------------------

std::optional<webhook_record> delivery_writer::find_webhook(webhook_id id) {
  webhook_record found;
  found.id = id;
  if (!find_record(txn_, table::webhooks, as_key(id), found, "webhook", id))
    return std::nullopt;
  return found;
}

void delivery_writer::execute(drop_retries& op) {
  layer_.settle(to_, op.hook, std::nullopt);
}

void delivery_writer::execute(amend_progress& op) {
  if (find_webhook(op.hook))
    layer_.amend(to_, op);
}

void delivery_writer::execute(enqueue& op) {
  const auto hook = find_webhook(op.hook);
  if (!hook || !hook->current().enabled)
    return;
  if (op.progress) {
    // It may have been ended by a disabling, and another begun since.
    const auto running = find_running_replay(txn_, op.hook);
    if (!running || running->started != op.progress->started)
      return;
  }
  if (!op.entries.empty())
    layer_.enqueue(to_, op.hook, op.entries);
  if (op.progress)
    to_.put(table::replays, as_key(op.hook), *op.progress);
}

void delivery_writer::execute(start_replay& op) {
  const auto hook = find_webhook(op.hook);
  if (!hook || hook->owner != op.owner) {
    op.done = no_such_webhook();
    return;
  }
  if (!hook->current().enabled) {
    op.done = error{ec::conflict,
                    "The webhook is disabled. Enable it before a replay."};
    return;
  }
  if (find_running_replay(txn_, op.hook)) {
    op.done = error{ec::conflict, "A replay of this webhook is running. Wait "
                                  "for its end or cancel it."};
    return;
  }
  to_.put(table::replays, as_key(op.hook), *op.value);
  op.done = *op.value;
}

void delivery_writer::execute(barrier& op) {
  if (op.load == 0)
    return;
  auto found = find_webhook(op.load);
  if (!found) {
    op.done = no_such_webhook();
    return;
  }
  webhook_state state{.hook = std::move(*found),
                      .upto = layer_.current(op.load),
                      .retries = {},
                      .running = {}};
  state.upto.advance(before_first(state.hook));
  if (state.hook.current().enabled) {
    state.retries = layer_.retries(op.load);
    state.running = find_running_replay(txn_, op.load);
    read_recent(state);
  }
  op.done = std::move(state);
}

void delivery_writer::read_recent(webhook_state& state) {
  if (!state.hook.delivery.rate_limit)
    return;
  logged_call c;
  for (auto next = state.upto.last_call; next != 0; next = c.previous) {
    const auto record = txn_.get(table::calls, as_key(next));
    if (!record)
      break; // it has expired, and so is all before it
    c.id = next;
    if (!decode_facts(*record, c)) {
      txn_.damaged("call", next);
      return;
    }
    if (!add_recent(state, c))
      return;
  }
  state.recent_complete = true;
}

} // namespace fanfare::storage::lmdb
