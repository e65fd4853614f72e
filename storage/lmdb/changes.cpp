// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/changes.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace fanfare::storage::lmdb {

// -- retry_changes ------------------------------------------------------------

void retry_changes::erase(position p) {
  if (cleared_)
    entries_.erase(p);
  else
    entries_.insert_or_assign(p, std::nullopt);
}

void retry_changes::clear() {
  cleared_ = true;
  entries_.clear();
}

bool retry_changes::has(position p) const {
  auto i = entries_.find(p);
  return i != entries_.end() && i->second;
}

void retry_changes::merge(retry_changes later) {
  if (later.cleared_) {
    *this = std::move(later);
    return;
  }
  for (auto& [subject, put] : later.entries_) {
    if (put)
      entries_.insert_or_assign(subject, put);
    else
      erase(subject);
  }
}

void retry_changes::apply_to(std::vector<retry>& set) const {
  if (cleared_)
    set.clear();
  if (entries_.empty())
    return;
  std::vector<retry> merged;
  merged.reserve(set.size() + entries_.size());
  auto old = set.begin();
  for (const auto& [subject, put] : entries_) {
    for (; old != set.end() && old->subject < subject; ++old)
      merged.push_back(*old);
    if (old != set.end() && old->subject == subject)
      ++old;
    if (put)
      merged.push_back(*put);
  }
  merged.insert(merged.end(), old, set.end());
  set = std::move(merged);
}

bool retry_changes::put_any() const {
  return std::ranges::any_of(
    entries_, [](const auto& e) { return e.second.has_value(); });
}

void retry_changes::write(write_transaction& txn, table retries,
                          webhook_id hook) const {
  if (cleared_)
    erase_retries(txn, retries, hook);
  std::string record;
  for (const auto& [subject, put] : entries_) {
    retry_key key{hook, subject};
    if (put) {
      record.clear();
      encode(record, *put);
      txn.put(retries, key.view(), record);
    } else {
      txn.erase(retries, key.view());
    }
  }
}

// -- the tables ---------------------------------------------------------------

progress read_progress(transaction& txn, const tables& in, webhook_id hook,
                       position routed_upto) {
  progress upto;
  if (auto record = txn.get(in.progress, as_key(hook)))
    if (!decode(*record, upto))
      txn.damaged("the progress of webhook " + std::to_string(hook));
  auto settled = routed_upto;
  if (auto cursor = txn.get(in.behind, as_key(hook)))
    settled = to_number<position>(*cursor).value_or(0);
  upto.advance(settled);
  return upto;
}

position before_first(const webhook_record& hook) {
  auto from = hook.versions.front().from;
  return from == 0 ? 0 : from - 1;
}

void write_progress(write_transaction& txn, const tables& in, webhook_id hook,
                    const progress& upto, std::string& buffer) {
  buffer.clear();
  encode(buffer, upto);
  txn.put(in.progress, as_key(hook), buffer);
}

namespace {

/// The retry set in the table, by subject.
template <class Visit>
void for_each_retry(transaction& txn, const tables& in, webhook_id hook,
                    Visit&& visit) {
  cursor at{txn, in.retries};
  for (auto more = at.seek(retry_key{hook, 0}.view()); more;
       more = at.move(MDB_NEXT)) {
    webhook_id owner = 0;
    retry r;
    if (!retry_key::read(at.key(), owner, r.subject)
        || !decode(at.value(), r)) {
      txn.damaged("a retry of webhook " + std::to_string(hook));
      break;
    }
    if (owner != hook)
      break;
    visit(r);
  }
}

} // namespace

std::vector<retry> read_retries(transaction& txn, const tables& in,
                                webhook_id hook) {
  std::vector<retry> set;
  for_each_retry(txn, in, hook, [&set](const retry& r) { set.push_back(r); });
  return set;
}

bool has_retries(transaction& txn, const tables& in, webhook_id hook) {
  cursor at{txn, in.retries};
  webhook_id owner = 0;
  position subject = 0;
  return at.seek(retry_key{hook, 0}.view())
      && retry_key::read(at.key(), owner, subject) && owner == hook;
}

bool seek_next_webhook(cursor& retries, webhook_id after) {
  return after != std::numeric_limits<webhook_id>::max()
      && retries.seek(retry_key{after + 1, 0}.view());
}

void erase_retries(write_transaction& txn, table retries, webhook_id hook) {
  cursor at{txn, retries};
  for (auto more = at.seek(retry_key{hook, 0}.view()); more;
       more = at.move(MDB_NEXT)) {
    webhook_id owner = 0;
    position subject = 0;
    if (!retry_key::read(at.key(), owner, subject) || owner != hook)
      break;
    at.erase();
  }
}

// -- change_layer -------------------------------------------------------------

const change* change_layer::below(webhook_id hook, const entry* at) const {
  if (base_void_ || (at && at->replaces))
    return nullptr;
  auto i = base_.find(hook);
  return i == base_.end() ? nullptr : &i->second;
}

progress change_layer::current(webhook_id hook) {
  if (auto i = entries_.find(hook); i != entries_.end())
    return i->second.value.upto;
  if (const auto* old = below(hook, nullptr))
    return old->upto;
  return read_progress(txn_, tables_, hook, last_.routed_upto);
}

std::vector<webhook_id> change_layer::touched() const {
  std::vector<webhook_id> hooks;
  hooks.reserve(entries_.size());
  for (const auto& [hook, at] : entries_)
    hooks.push_back(hook);
  return hooks;
}

std::vector<retry> change_layer::retries(webhook_id hook) {
  auto i = entries_.find(hook);
  const auto* at = i == entries_.end() ? nullptr : &i->second;
  auto set = read_retries(txn_, tables_, hook);
  if (const auto* old = below(hook, at))
    old->retries.apply_to(set);
  if (at)
    at->value.retries.apply_to(set);
  return set;
}

bool change_layer::has_retries(webhook_id hook) {
  auto i = entries_.find(hook);
  const auto* at = i == entries_.end() ? nullptr : &i->second;
  retry_changes edits;
  if (const auto* old = below(hook, at))
    edits = old->retries;
  if (at)
    edits.merge(at->value.retries);
  bool any = edits.put_any();
  // All of them are looked at, so that damage is found at the start.
  for_each_retry(txn_, tables_, hook, [&](const retry& r) {
    any = any || !edits.void_earlier(r.subject);
  });
  return any;
}

change_layer::entry& change_layer::touch(webhook_id hook) {
  auto [i, is_new] = entries_.try_emplace(hook);
  auto& at = i->second;
  if (!is_new)
    return at;
  if (const auto* old = below(hook, nullptr)) {
    at.value.upto = old->upto;
    at.value.has_rows = old->has_rows;
  } else {
    at.value.upto = read_progress(txn_, tables_, hook, last_.routed_upto);
    at.value.has_rows = lmdb::has_retries(txn_, tables_, hook);
  }
  return at;
}

void change_layer::apply(entry& at, const call& c) {
  // Most calls succeed at their first attempt and have no retry to erase;
  // remembering that they erased nothing would cost memory and a write each.
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
                      && layer.txn_.get(layer.tables_.retries,
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

void change_layer::append(call& c) {
  auto& at = touch(c.hook);
  c.previous = at.value.upto.last_call;
  apply(at, c);
}

void change_layer::replay(const call& c) {
  auto& at = touch(c.hook);
  if (c.id > at.value.upto.last_call)
    apply(at, c);
}

void change_layer::settle(write_transaction& txn, webhook_id hook,
                          std::optional<position> tail, std::string& buffer) {
  auto& at = touch(hook);
  if (tail) {
    at.value.upto.disable(*tail, at.value.retries);
    txn.erase(tables_.behind, as_key(hook));
  }
  write_progress(txn, tables_, hook, at.value.upto, buffer);
  erase_retries(txn, tables_.retries, hook);
  at.value.retries = {};
  at.value.has_rows = false;
  at.replaces = true;
}

void change_layer::enqueue(write_transaction& txn, webhook_id hook,
                           std::span<const retry> entries,
                           std::string& buffer) {
  auto& at = touch(hook);
  if (const auto* old = below(hook, &at))
    old->retries.write(txn, tables_.retries, hook);
  for (const auto& r : entries)
    at.value.retries.put(r);
  at.value.retries.write(txn, tables_.retries, hook);
  write_progress(txn, tables_, hook, at.value.upto, buffer);
  at.value.retries = {};
  at.value.has_rows = lmdb::has_retries(txn, tables_, hook);
  at.replaces = true;
}

void change_layer::forget_failures(write_transaction& txn, webhook_id hook,
                                   std::string& buffer) {
  auto& upto = touch(hook).value.upto;
  if (upto.failures == 0)
    return;
  upto.forget_failures();
  enqueue(txn, hook, {}, buffer);
}

void change_layer::save(write_transaction& txn, const checkpoint& next,
                        std::string& buffer) {
  auto hooks = touched();
  if (!base_void_)
    for (const auto& [hook, old] : base_)
      if (!entries_.contains(hook))
        hooks.push_back(hook);
  std::ranges::sort(hooks); // neighbours in the tables one after the other
  for (auto hook : hooks) {
    auto i = entries_.find(hook);
    const auto* at = i == entries_.end() ? nullptr : &i->second;
    const auto* old = below(hook, at);
    write_progress(txn, tables_, hook, at ? at->value.upto : old->upto, buffer);
    if (old)
      old->retries.write(txn, tables_.retries, hook);
    if (at)
      at->value.retries.write(txn, tables_.retries, hook);
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
