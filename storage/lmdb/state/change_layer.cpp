// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/state/change_layer.hpp"

#include "storage/lmdb/state/progress_tables.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::storage::lmdb {

// -- looking ------------------------------------------------------------------

const change_layer::entry* change_layer::find(webhook_id hook) const {
  auto i = entries_.find(hook);
  return i == entries_.end() ? nullptr : &i->second;
}

const change* change_layer::below(webhook_id hook, const entry* at) const {
  if (base_void_ || (at && at->replaces))
    return nullptr;
  auto i = base_.find(hook);
  return i == base_.end() ? nullptr : &i->second;
}

progress change_layer::current(webhook_id hook) {
  if (const auto* at = find(hook))
    return at->value.upto;
  if (const auto* old = below(hook, nullptr))
    return old->upto;
  return read_progress(txn_, hook, last_.routed_upto);
}

std::vector<webhook_id> change_layer::touched() const {
  std::vector<webhook_id> hooks;
  hooks.reserve(entries_.size());
  for (const auto& [hook, at] : entries_)
    hooks.push_back(hook);
  return hooks;
}

std::vector<retry> change_layer::retries(webhook_id hook) {
  const auto* at = find(hook);
  auto set = read_retries(txn_, hook);
  if (const auto* old = below(hook, at))
    old->retries.apply_to(set);
  if (at)
    at->value.retries.apply_to(set);
  return set;
}

bool change_layer::has_retries(webhook_id hook) {
  const auto* at = find(hook);
  retry_changes edits;
  if (const auto* old = below(hook, at))
    edits = old->retries;
  if (at)
    edits.merge(at->value.retries);
  bool any = edits.has_any();
  // All of them are looked at, so that damage is found at the start.
  for_each_retry(txn_, hook, [&](const retry& r) {
    any = any || !edits.void_earlier(r.subject);
  });
  return any;
}

// -- calls --------------------------------------------------------------------

change_layer::entry& change_layer::touch(webhook_id hook) {
  auto [i, is_new] = entries_.try_emplace(hook);
  auto& at = i->second;
  if (!is_new)
    return at;
  if (const auto* old = below(hook, nullptr)) {
    at.value.upto = old->upto;
    at.value.has_rows = old->has_rows;
  } else {
    at.value.upto = read_progress(txn_, hook, last_.routed_upto);
    at.value.has_rows = lmdb::has_retries(txn_, hook);
  }
  return at;
}

void change_layer::apply(entry& at, const logged_call& c) {
  // Most calls succeed at their first attempt and have no retry to erase.
  // Remembering that they erased nothing would cost memory and a write each.
  struct sink {
    change_layer& layer;
    entry& at;
    webhook_id hook;

    void put(const retry& r) {
      at.value.retries.put(r);
    }
    void erase(position p) {
      const auto* old = layer.below(hook, &at);
      auto present = at.value.retries.has(p) || (old && old->retries.has(p))
                  || (at.value.has_rows
                      && layer.txn_.get(table::retries,
                                        retry_key{hook, p}.view()));
      if (present)
        at.value.retries.erase(p);
    }
    void clear() {
      at.value.retries.clear();
    }
  };
  sink to{*this, at, c.hook};
  at.value.upto.apply(c, to);
}

void change_layer::append(logged_call& c) {
  auto& at = touch(c.hook);
  c.previous = at.value.upto.last_call;
  apply(at, c);
}

void change_layer::replay(const logged_call& c) {
  auto& at = touch(c.hook);
  if (c.id > at.value.upto.last_call)
    apply(at, c);
}

// -- edits --------------------------------------------------------------------

void change_layer::write_progress(record_writer& to, webhook_id hook,
                                  const progress& upto) {
  to.put(table::progress, as_key(hook), upto);
}

void change_layer::settle(record_writer& to, webhook_id hook,
                          std::optional<position> tail) {
  auto& at = touch(hook);
  if (tail) {
    at.value.upto.disable(*tail, at.value.retries);
    to.txn().erase(table::behind, as_key(hook));
  }
  write_progress(to, hook, at.value.upto);
  erase_retries(to.txn(), hook);
  at.value.retries = {};
  at.value.has_rows = false;
  at.replaces = true;
}

void change_layer::enqueue(record_writer& to, webhook_id hook,
                           std::span<const retry> entries) {
  auto& at = touch(hook);
  if (const auto* old = below(hook, &at))
    old->retries.write(to, hook);
  for (const auto& r : entries)
    at.value.retries.put(r);
  at.value.retries.write(to, hook);
  write_progress(to, hook, at.value.upto);
  at.value.retries = {};
  at.value.has_rows = lmdb::has_retries(to.txn(), hook);
  at.replaces = true;
}

void change_layer::forget_failures(record_writer& to, webhook_id hook) {
  if (touch(hook).value.upto.forget_failures())
    enqueue(to, hook, {});
}

void change_layer::amend(record_writer& to, const amend_progress& how) {
  auto& upto = touch(how.hook).value.upto;
  const bool excused = upto.excuse(how.off_since, how.off_until);
  const bool lifted = how.lift_hold && upto.lift_hold();
  const bool forgotten = how.forget_failures && upto.forget_failures();
  if (excused || lifted || forgotten)
    enqueue(to, how.hook, {});
}

void change_layer::save(record_writer& to, const checkpoint& next) {
  auto hooks = touched();
  if (!base_void_)
    for (const auto& [hook, old] : base_)
      if (!entries_.contains(hook))
        hooks.push_back(hook);
  std::ranges::sort(hooks); // neighbours in the tables one after the other
  for (auto hook : hooks) {
    const auto* at = find(hook);
    const auto* old = below(hook, at);
    write_progress(to, hook, at ? at->value.upto : old->upto);
    if (old)
      old->retries.write(to, hook);
    if (at)
      at->value.retries.write(to, hook);
  }
  entries_.clear();
  base_void_ = true;
  last_ = next;
}

void change_layer::merge_into(changes& base) && {
  if (base_void_)
    base.clear();
  for (auto& [hook, at] : entries_) {
    auto [i, is_new] = base.try_emplace(hook);
    auto& old = i->second;
    if (is_new || at.replaces) {
      old = std::move(at.value);
      continue;
    }
    old.upto = std::move(at.value.upto);
    old.retries.merge(std::move(at.value.retries));
  }
}

} // namespace fanfare::storage::lmdb
