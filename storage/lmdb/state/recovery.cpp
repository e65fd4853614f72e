// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/state/recovery.hpp"

#include "storage/lmdb/state/progress_tables.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace fanfare::storage::lmdb {

namespace {

using webhook_ids = std::vector<webhook_id>;

// -- who has something to do --------------------------------------------------

/// By ascending id.
webhook_ids find_behind(transaction& txn) {
  webhook_ids found;
  cursor at{txn, table::behind};
  for (auto more = at.first(); more; more = at.next())
    found.push_back(to_number<webhook_id>(at.key()).value_or(0));
  return found;
}

/// With retries at the checkpoint.
webhook_ids find_retrying(transaction& txn) {
  webhook_ids found;
  cursor at{txn, table::retries};
  auto more = at.first();
  while (more) {
    webhook_id hook = 0;
    position subject = 0;
    if (!retry_key::read(at.key(), hook, subject)) {
      txn.damaged("a retry");
      break;
    }
    found.push_back(hook);
    more = seek_next_webhook(at, hook);
  }
  return found;
}

/// By ascending id.
webhook_ids find_replaying(transaction& txn) {
  webhook_ids found;
  cursor at{txn, table::replays};
  for (auto more = at.first(); more; more = at.next()) {
    const auto id = to_number<webhook_id>(at.key()).value_or(0);
    replay last;
    if (!decode_or_fail(txn, at.value(), last, "the replay of webhook", id))
      break;
    if (last.state == replay_state::running)
      found.push_back(id);
  }
  return found;
}

/// That had failures at the checkpoint, and are enabled or were.
webhook_ids find_failing(transaction& txn) {
  webhook_ids found;
  cursor at{txn, table::progress};
  for (auto more = at.first(); more; more = at.next())
    if (says_failures(at.value()))
      found.push_back(to_number<webhook_id>(at.key()).value_or(0));
  return found;
}

void find_failures(transaction& txn, change_layer& layer, recovery& to) {
  auto hooks = layer.touched();
  const auto saved = find_failing(txn);
  hooks.insert(hooks.end(), saved.begin(), saved.end());
  std::ranges::sort(hooks);
  auto repeats = std::ranges::unique(hooks);
  hooks.erase(repeats.begin(), repeats.end());
  for (const auto id : hooks) {
    const auto upto = layer.current(id);
    webhook_record hook;
    hook.id = id;
    if (upto.failures != 0
        && find_record(txn, table::webhooks, as_key(id), hook, "webhook", id)
        && hook.current().enabled)
      to.failing.push_back({.hook = id,
                            .owner = hook.owner,
                            .failures = upto.failures,
                            .since = upto.failing_since,
                            .last = upto.last_failure});
  }
}

void find_unsettled(transaction& txn, change_layer& layer, position routed_upto,
                    recovery& to) {
  const auto behind = find_behind(txn);
  const auto replaying = find_replaying(txn);
  auto hooks = layer.touched();
  for (const auto& more : {find_retrying(txn), replaying, behind})
    hooks.insert(hooks.end(), more.begin(), more.end());
  std::ranges::sort(hooks);
  auto repeats = std::ranges::unique(hooks);
  hooks.erase(repeats.begin(), repeats.end());
  for (auto id : hooks) {
    webhook_record hook;
    hook.id = id;
    if (!find_record(txn, table::webhooks, as_key(id), hook, "webhook", id)
        || !hook.current().enabled)
      continue;
    auto upto = layer.current(id);
    upto.advance(before_first(hook));
    recovery::unsettled found{.hook = id, .cursor = upto.cursor};
    found.behind = upto.cursor < routed_upto
                && std::ranges::binary_search(behind, id);
    found.has_retries = layer.has_retries(id)
                     || std::ranges::binary_search(replaying, id);
    if (found.behind || found.has_retries)
      to.webhooks.push_back(found);
  }
}

} // namespace

counters read_counters(transaction& txn, const checkpoint& start) {
  counters last;
  find_record(txn, table::meta, meta_key::counters, last, "the counters");
  last.tail = std::max(
    {last.tail, start.routed_upto, last_id<position>(txn, table::journal)});
  last.last_call = std::max(
    {last.last_call, start.last_call, last_id<call_id>(txn, table::calls)});
  return last;
}

std::size_t replay_calls(transaction& txn, call_id after, change_layer& layer) {
  std::size_t count = 0;
  cursor at{txn, table::calls};
  const auto first = after + 1;
  for (auto more = at.seek(as_key(first)); more; more = at.next()) {
    logged_call c;
    c.id = to_number<call_id>(at.key()).value_or(0);
    if (!decode_facts(at.value(), c)) {
      txn.damaged("call", c.id);
      break;
    }
    layer.replay(c);
    ++count;
  }
  return count;
}

recovered_state recover(transaction& txn) {
  recovered_state state;
  state.start = read_checkpoint(txn);
  state.last = read_counters(txn, state.start);
  change_layer layer{txn, state.since, state.start};
  find_record(txn, table::meta, meta_key::runs, state.found.runs,
              "the times of running");
  state.found.routed_upto = state.start.routed_upto;
  state.found.calls_replayed = replay_calls(txn, state.start.last_call, layer);
  find_unsettled(txn, layer, state.start.routed_upto, state.found);
  find_failures(txn, layer, state.found);
  std::move(layer).merge_into(state.since);
  return state;
}

} // namespace fanfare::storage::lmdb
