// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/batch.hpp"

#include "model/subscription.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

namespace fanfare::storage::lmdb {

namespace {

constexpr std::string_view body_begin = R"({"notification_id": )";

/// Puts the id in front, for which whoever rendered it may have left room.
std::string make_body(position id, std::string&& rest) {
  std::array<char, body_begin.size() + 20> front;
  std::ranges::copy(body_begin, front.begin());
  const auto*
    end = std::to_chars(front.begin() + body_begin.size(), front.end(), id).ptr;
  const auto size = static_cast<std::size_t>(end - front.begin());
  // It is kept as long as somebody has to send it: with little to spare.
  constexpr std::size_t most_spare = 256;
  const auto spare = rest.capacity() - rest.size();
  if (spare >= size && spare <= most_spare) {
    rest.insert(0, front.data(), size);
    return std::move(rest);
  }
  std::string body;
  body.reserve(size + rest.size());
  body.append(front.data(), size).append(rest);
  return body;
}

/// What make_body was given.
std::string rest_of(const notification& n) {
  return n.body.substr(body_begin.size() + std::to_string(n.id).size());
}

error refusal(ec code, std::string_view what, std::string_view field) {
  return {code, std::string{what}, std::string{field}};
}

/// Versions of a webhook that are kept only to tell why it got something.
constexpr std::size_t kept_versions = 64;

error no_room() {
  return {ec::store_full,
          "The store is full: it keeps its last room for what it has "
          "accepted. Free space, raise its maximum size or shorten the "
          "retention."};
}

/// Whether a name can be a key; the empty one cannot.
result<void> check_name(std::string_view name, std::string_view field,
                        std::size_t prefix = 0) {
  if (name.empty())
    return refusal(ec::invalid_argument, "This must not be empty.", field);
  if (name.size() + prefix > max_key_size)
    return refusal(ec::too_large,
                   "This may have at most "
                     + std::to_string(max_key_size - prefix) + " bytes.",
                   field);
  return {};
}

} // namespace

namespace {

/// Index entry, keys, node headers and the other fields of a record.
constexpr std::size_t overhead = 160;

std::size_t estimate_record(std::size_t texts) {
  // A record that does not fit twice into a page gets pages of its own.
  constexpr std::size_t page = 4096;
  auto size = overhead + texts;
  return size > page / 2 ? (size / page + 1) * page : size;
}

} // namespace

std::size_t estimate(const append_notifications& op) {
  // Keys are random, so that the pages of the receipts are half full.
  std::size_t sum = op.once ? 2 * overhead : 0;
  for (const auto& d : op.drafts)
    sum += estimate_record(d.action.size() + d.rest.size() + d.trace.size());
  return sum;
}

std::size_t estimate(const remember_answer& op) {
  auto texts = op.answer.body.size();
  for (const auto& [name, text] : op.answer.headers)
    texts += name.size() + text.size() + 2;
  return overhead + estimate_record(texts);
}

batch::batch(write_transaction& txn, const tables& in, const changes& base,
             const options& opts)
  : txn_(txn),
    tables_(in),
    room_(opts.room),
    last_(opts.last),
    layer_(txn, in, base, opts.recovery_start) {}

void batch::execute(std::span<operation> operations) {
  for (auto& op : operations) {
    if (!txn_.ok())
      break;
    if (!std::holds_alternative<append_notifications>(op))
      write_index();
    std::visit([this](auto& o) { execute(o); }, op);
  }
  write_index();
  // A cursor must not outlive its transaction.
  journal_end_.reset();
  calls_end_.reset();
}

void batch::take_back(std::span<operation> operations) {
  for (auto& op : operations)
    if (auto* append = std::get_if<append_notifications>(&op))
      take_back(*append);
}

template <class Id, class T>
void batch::append_record(table to, Id id, const T& value) {
  buffer_.clear();
  encode(buffer_, value);
  txn_.put(to, as_key(id), buffer_, MDB_APPEND);
}

// -- journal ------------------------------------------------------------------

void batch::execute(append_notifications& op) {
  op.new_events.clear();
  op.earlier.reset();
  // Before anything that could refuse it: what was done is not undone by a
  // store that has become full.
  if (op.once) {
    if (auto earlier = find_answer(op.once->key, op.published)) {
      op.earlier = std::move(earlier);
      op.done = std::vector<notification_ptr>{};
      return;
    }
  }
  auto wanted = estimate(op);
  if (wanted > room_) {
    op.done = no_room();
    return;
  }
  for (const auto& d : op.drafts) {
    if (d.event != 0 || d.new_event.empty())
      continue;
    if (auto fine = check_name(d.new_event, "event", sizeof d.owner); !fine) {
      op.done = fine.error();
      return;
    }
  }
  room_ -= wanted;
  if (!journal_end_)
    journal_end_.emplace(txn_, tables_.journal);
  std::vector<notification_ptr> added;
  added.reserve(op.drafts.size());
  for (auto& d : op.drafts) {
    auto event_of = d.event;
    if (event_of == 0 && !d.new_event.empty()) {
      bool is_new = false;
      auto found = find_or_add_event(d.owner, d.new_event, d.new_event, is_new);
      event_of = found.id;
      if (is_new)
        op.new_events.push_back(std::move(found));
    }
    auto n = std::make_shared<notification>(
      notification{.id = ++last_.tail,
                   .published = op.published,
                   .owner = d.owner,
                   .event = event_of,
                   .type = d.type,
                   .action = std::move(d.action),
                   .body = make_body(last_.tail, std::move(d.rest)),
                   .trace = std::move(d.trace)});
    buffer_.clear();
    encode_without_body(buffer_, *n);
    if (auto* to = journal_end_->reserve(
          as_key(n->id), buffer_.size() + n->body.size(), MDB_APPEND)) {
      std::memcpy(to, buffer_.data(), buffer_.size());
      std::memcpy(to + buffer_.size(), n->body.data(), n->body.size());
    }
    index(*n);
    added.push_back(std::move(n));
  }
  if (op.once)
    put_answer(op.once->key,
               {.created = op.published,
                .answer = publish_receipt{
                  .first = added.empty() ? 0 : added.front()->id,
                  .count = static_cast<std::uint32_t>(added.size()),
                  .list = op.once->list,
                  .indent = op.once->indent}});
  op.done = std::move(added);
}

void batch::take_back(append_notifications& op) {
  if (!op.done)
    return;
  auto draft = op.drafts.begin();
  for (const auto& n : *op.done) {
    draft->action = n->action;
    draft->rest = rest_of(*n);
    draft->trace = n->trace;
    ++draft;
  }
  op.done = error{};
}

void batch::index(const notification& n) {
  if (n.owner != index_owner_)
    write_index();
  index_owner_ = n.owner;
  index_ += index_entry{n.id, n.type, n.event}.view();
}

void batch::write_index() {
  if (index_.empty())
    return;
  cursor{txn_, tables_.journal_index}.append_values(as_key(index_owner_),
                                                    index_, index_entry::size);
  index_.clear();
}

event batch::find_or_add_event(organizer_id owner, const std::string& slug,
                               const std::string& name, bool& is_new) {
  auto key = event_key(owner, slug);
  event found{.owner = owner, .slug = slug, .name = name};
  if (auto id = txn_.get(tables_.event_slugs, key)) {
    is_new = false;
    if (auto number = to_number<event_id>(*id))
      found.id = *number;
    else
      txn_.damaged("event " + slug);
    return found;
  }
  is_new = true;
  found.id = last_key<event_id>(txn_, tables_.events) + 1;
  append_record(tables_.events, found.id, found);
  txn_.put(tables_.event_slugs, key, as_key(found.id));
  return found;
}

// -- call log -----------------------------------------------------------------

void batch::execute(append_call& op) {
  auto& c = op.entry;
  c.id = ++last_.last_call;
  layer_.append(c);
  buffer_.clear();
  encode(buffer_, c);
  if (!calls_end_)
    calls_end_.emplace(txn_, tables_.calls);
  calls_end_->put(as_key(c.id), buffer_, MDB_APPEND);
}

// -- registry -----------------------------------------------------------------

void batch::execute(add_organizer& op) {
  if (auto fine = check_name(op.slug, "slug"); !fine) {
    op.done = fine.error();
    return;
  }
  if (txn_.get(tables_.organizer_slugs, op.slug)) {
    op.done = refusal(ec::already_exists,
                      "There is an organizer with this slug.", "slug");
    return;
  }
  organizer added{.id = last_key<organizer_id>(txn_, tables_.organizers) + 1,
                  .slug = op.slug,
                  .name = op.name};
  append_record(tables_.organizers, added.id, added);
  txn_.put(tables_.organizer_slugs, op.slug, as_key(added.id));
  op.done = std::move(added);
}

void batch::execute(change_organizer& op) {
  organizer found;
  found.id = op.id;
  auto record = txn_.get(tables_.organizers, as_key(op.id));
  if (record && !decode(*record, found)) {
    txn_.damaged("organizer " + std::to_string(op.id));
    return;
  }
  if (!record) {
    op.done = refusal(ec::not_found, "There is no such organizer.", "id");
    return;
  }
  auto changed = found;
  if (auto edited = op.edit(changed); !edited) {
    op.done = edited.error();
    return;
  }
  changed.id = found.id;
  changed.slug = found.slug;
  if (changed != found) {
    buffer_.clear();
    encode(buffer_, changed);
    txn_.put(tables_.organizers, as_key(changed.id), buffer_);
  }
  op.done = std::move(changed);
}

void batch::execute(add_event& op) {
  if (auto fine = check_name(op.slug, "slug", sizeof op.owner); !fine) {
    op.done = fine.error();
    return;
  }
  bool is_new = false;
  auto added = find_or_add_event(op.owner, op.slug, op.name, is_new);
  if (is_new)
    op.done = std::move(added);
  else
    op.done = refusal(ec::already_exists, "There is an event with this slug.",
                      "slug");
}

void batch::execute(add_action_type& op) {
  if (auto fine = check_name(op.name, "name"); !fine) {
    op.done = fine.error();
    return;
  }
  if (txn_.get(tables_.action_type_names, op.name)) {
    op.done = refusal(ec::already_exists,
                      "There is an action type with this name.", "name");
    return;
  }
  action_type added{.id = last_key<action_type_id>(txn_, tables_.action_types)
                        + 1,
                    .name = op.name};
  append_record(tables_.action_types, added.id, added);
  txn_.put(tables_.action_type_names, op.name, as_key(added.id));
  op.done = std::move(added);
}

void batch::execute(add_token& op) {
  auto added = op.value;
  added.id = last_key<token_id>(txn_, tables_.tokens) + 1;
  append_record(tables_.tokens, added.id, added);
  op.done = std::move(added);
}

void batch::execute(revoke_token& op) {
  token found;
  found.id = op.id;
  auto record = txn_.get(tables_.tokens, as_key(op.id));
  if (record && !decode(*record, found)) {
    txn_.damaged("token " + std::to_string(op.id));
    return;
  }
  if (!record || found.owner != op.owner) {
    op.done = refusal(ec::not_found, "There is no such token.", "id");
    return;
  }
  if (!found.revoked) {
    found.revoked = true;
    buffer_.clear();
    encode(buffer_, found);
    txn_.put(tables_.tokens, as_key(found.id), buffer_);
  }
  op.done = std::move(found);
}

void batch::execute(touch_tokens& op) {
  for (const auto& [id, time] : op.uses) {
    token found;
    found.id = id;
    auto record = txn_.get(tables_.tokens, as_key(id));
    if (!record)
      continue;
    if (!decode(*record, found)) {
      txn_.damaged("token " + std::to_string(id));
      return;
    }
    if (found.last_used && *found.last_used >= time)
      continue;
    found.last_used = time;
    buffer_.clear();
    encode(buffer_, found);
    txn_.put(tables_.tokens, as_key(id), buffer_);
  }
}

// -- answers of idempotency keys ----------------------------------------------

std::shared_ptr<stored_answer> batch::find_answer(const idempotency_key& key,
                                                  timestamp now) {
  auto record = txn_.get(tables_.idempotency, as_bytes(key));
  if (!record)
    return nullptr;
  remembered found;
  if (!decode(*record, found)) {
    txn_.damaged("an answer of an idempotency key");
    return nullptr;
  }
  if (found.is_live(now))
    return std::make_shared<stored_answer>(std::move(found.answer));
  // Its key is about to be used again; only one row may lead to it.
  txn_.erase(tables_.idempotency_times, answer_time_key(found.created, key));
  txn_.erase(tables_.idempotency, as_bytes(key));
  return nullptr;
}

void batch::put_answer(const idempotency_key& key, const remembered& value) {
  buffer_.clear();
  encode(buffer_, value);
  txn_.put(tables_.idempotency, as_bytes(key), buffer_);
  txn_.put(tables_.idempotency_times, answer_time_key(value.created, key), {});
}

void batch::execute(remember_answer& op) {
  if (auto earlier = find_answer(op.key, op.now)) {
    op.done = std::move(*earlier);
    return;
  }
  auto wanted = estimate(op);
  if (wanted > room_) {
    op.done = no_room();
    return;
  }
  room_ -= wanted;
  // Copied: the operation may have to be carried out once more.
  put_answer(op.key, {.created = op.now, .answer = op.answer});
  op.done = stored_answer{op.answer};
}

void batch::drop_answers(timestamp before, std::size_t limit) {
  auto end = answer_time_key(before, {});
  cursor at{txn_, tables_.idempotency_times};
  std::size_t removed = 0;
  for (auto more = at.move(MDB_FIRST);
       more && removed < limit && at.key() < end; more = at.move(MDB_NEXT)) {
    txn_.erase(tables_.idempotency, at.key().substr(sizeof(std::uint64_t)));
    at.erase();
    ++removed;
  }
}

// -- webhooks -----------------------------------------------------------------

std::optional<webhook_record> batch::find_webhook(webhook_id id) {
  auto record = txn_.get(tables_.webhooks, as_key(id));
  if (!record)
    return std::nullopt;
  webhook_record found;
  found.id = id;
  if (!decode(*record, found)) {
    txn_.damaged("webhook " + std::to_string(id));
    return std::nullopt;
  }
  return found;
}

void batch::put_webhook(const webhook_record& value, unsigned flags) {
  buffer_.clear();
  encode(buffer_, value);
  txn_.put(tables_.webhooks, as_key(value.id), buffer_, flags);
}

void batch::execute(add_webhook& op) {
  if (op.value->versions.size() != 1) {
    op.done = error{ec::internal, "A new webhook has exactly one version."};
    return;
  }
  auto added = *op.value;
  added.id = last_key<webhook_id>(txn_, tables_.webhooks) + 1;
  added.versions.front().from = last_.tail + 1;
  put_webhook(added, MDB_APPEND);
  txn_.put(tables_.organizer_webhooks, as_key(added.owner),
           webhook_entry{added.id, added.current().enabled ? 1U : 0U}.view(),
           MDB_APPENDDUP);
  op.done = std::move(added);
}

void batch::execute(change_webhook& op) {
  auto stored = find_webhook(op.id);
  if (!stored || (op.owner != 0 && stored->owner != op.owner)) {
    op.done = refusal(ec::not_found, "There is no such webhook.", "id");
    return;
  }
  auto changed = *stored;
  if (auto edited = op.edit(changed); !edited) {
    op.done = edited.error();
    return;
  }
  if (changed.versions.empty()) {
    op.done = error{ec::internal,
                    "An edit has removed the webhook's versions."};
    return;
  }
  auto wanted = std::move(changed.current());
  changed.id = stored->id;
  changed.owner = stored->owner;
  changed.versions = stored->versions;
  auto next = last_.tail + 1;
  auto was_enabled = stored->current().enabled;
  if (wanted != stored->current()) {
    if (changed.versions.back().from != next)
      changed.versions.push_back({.from = next, .since = {}, .value = {}});
    changed.versions.back().since = op.now;
    changed.current() = std::move(wanted);
  }
  auto is_enabled = changed.current().enabled;
  if (is_enabled != was_enabled) {
    layer_.settle(txn_, changed.id, last_.tail, buffer_);
    txn_.erase(tables_.organizer_webhooks, as_key(changed.owner),
               webhook_entry{changed.id, was_enabled ? 1U : 0U}.view());
    txn_.put(tables_.organizer_webhooks, as_key(changed.owner),
             webhook_entry{changed.id, is_enabled ? 1U : 0U}.view());
    if (auto sent = find_replay(changed.id);
        sent && sent->state == replay_state::running) {
      sent->state = replay_state::cancelled;
      sent->ended = op.now;
      put_replay(changed.id, *sent);
    }
  }
  if (changed.target_url != stored->target_url)
    layer_.forget_failures(txn_, changed.id, buffer_);
  drop_old_versions(changed);
  if (changed != *stored)
    put_webhook(changed, 0);
  op.done = std::move(changed);
}

void batch::drop_old_versions(webhook_record& hook) {
  // After a crash everything behind this position may be matched again.
  auto settled = read_progress(txn_, tables_, hook.id,
                               layer_.last_checkpoint().routed_upto)
                   .cursor;
  // Those that still explain a notification of the journal are kept, as long as
  // they are not many.
  auto oldest = first_key<position>(txn_, tables_.journal);
  if (oldest == 0)
    oldest = last_.tail + 1;
  auto& versions = hook.versions;
  auto first = versions.begin();
  while (
    first + 1 != versions.end() && (first + 1)->from <= settled + 1
    && ((first + 1)->from <= oldest
        || static_cast<std::size_t>(versions.end() - first) > kept_versions))
    ++first;
  versions.erase(versions.begin(), first);
}

void batch::execute(drop_retries& op) {
  layer_.settle(txn_, op.hook, std::nullopt, buffer_);
}

std::optional<replay> batch::find_replay(webhook_id hook) {
  auto record = txn_.get(tables_.replays, as_key(hook));
  if (!record)
    return std::nullopt;
  replay found;
  if (!decode(*record, found)) {
    txn_.damaged("the replay of webhook " + std::to_string(hook));
    return std::nullopt;
  }
  return found;
}

void batch::put_replay(webhook_id hook, const replay& value) {
  buffer_.clear();
  encode(buffer_, value);
  txn_.put(tables_.replays, as_key(hook), buffer_);
}

void batch::execute(enqueue& op) {
  auto hook = find_webhook(op.hook);
  if (!hook || !hook->current().enabled)
    return;
  if (op.progress) {
    // It may have been ended by a disabling, and another begun since.
    auto last = find_replay(op.hook);
    if (!last || last->state != replay_state::running
        || last->started != op.progress->started)
      return;
  }
  if (!op.entries.empty())
    layer_.enqueue(txn_, op.hook, op.entries, buffer_);
  if (op.progress)
    put_replay(op.hook, *op.progress);
}

void batch::execute(start_replay& op) {
  auto hook = find_webhook(op.hook);
  if (!hook || hook->owner != op.owner) {
    op.done = refusal(ec::not_found, "There is no such webhook.", "id");
    return;
  }
  if (!hook->current().enabled) {
    op.done = error{ec::conflict,
                    "The webhook is disabled. Enable it before a replay."};
    return;
  }
  if (auto last = find_replay(op.hook);
      last && last->state == replay_state::running) {
    op.done = error{ec::conflict, "A replay of this webhook is running. Wait "
                                  "for its end or cancel it."};
    return;
  }
  put_replay(op.hook, *op.value);
  op.done = *op.value;
}

void batch::execute(barrier& op) {
  if (op.load == 0)
    return;
  auto found = find_webhook(op.load);
  if (!found) {
    op.done = refusal(ec::not_found, "There is no such webhook.", "id");
    return;
  }
  webhook_state state{.hook = std::move(*found),
                      .upto = layer_.current(op.load),
                      .retries = {},
                      .running = {}};
  state.upto.advance(before_first(state.hook));
  if (state.hook.current().enabled) {
    state.retries = layer_.retries(op.load);
    if (auto last = find_replay(op.load);
        last && last->state == replay_state::running)
      state.running = std::move(last);
  }
  op.done = std::move(state);
}

// -- checkpoint and retention -------------------------------------------------

void batch::execute(save_checkpoint& op) {
  auto before = layer_.last_checkpoint();
  // One that lies before the last one says nothing new, and what the last one
  // says still holds.
  if (op.routed_upto < before.routed_upto)
    return;
  checkpoint next{.routed_upto = std::min(op.routed_upto, last_.tail),
                  .last_call = last_.last_call};
  layer_.save(txn_, next, buffer_);
  store_behind(op, before);
  if (next == before)
    return; // an idle engine's checkpoints cost no disk write
  buffer_.clear();
  encode(buffer_, next);
  txn_.put(tables_.meta, meta_key::checkpoint, buffer_);
}

void batch::store_behind(const save_checkpoint& op, const checkpoint& before) {
  auto named = op.behind;
  std::ranges::sort(named, {}, &save_checkpoint::unsettled::hook);
  auto repeats = std::ranges::unique(named, {},
                                     &save_checkpoint::unsettled::hook);
  named.erase(repeats.begin(), repeats.end());
  std::vector<save_checkpoint::unsettled> changed;
  drop_unnamed(named, before, changed);
  for (const auto& [hook, cursor_of] : changed)
    txn_.put(tables_.behind, as_key(hook), as_key(cursor_of));
}

void batch::drop_unnamed(std::span<const save_checkpoint::unsettled> named,
                         const checkpoint& before,
                         std::vector<save_checkpoint::unsettled>& changed) {
  cursor at{txn_, tables_.behind};
  auto more = at.move(MDB_FIRST);
  auto id_at = [&] { return to_number<webhook_id>(at.key()).value_or(0); };
  // Both sides ascend.
  for (const auto& [hook, cursor_of] : named) {
    for (; more && id_at() < hook; more = at.move(MDB_NEXT))
      at.erase();
    if (!more || id_at() != hook) {
      // It was not behind, so it had come at least this far.
      changed.push_back(
        {.hook = hook, .cursor = std::max(cursor_of, before.routed_upto)});
      continue;
    }
    if (cursor_of > to_number<position>(at.value()).value_or(0))
      changed.push_back({.hook = hook, .cursor = cursor_of});
    more = at.move(MDB_NEXT);
  }
  for (; more; more = at.move(MDB_NEXT))
    at.erase();
}

void batch::execute(expire& op) {
  // The last entries may go, on which these stand.
  journal_end_.reset();
  calls_end_.reset();
  for (auto place : op.notifications) {
    auto record = txn_.get(tables_.journal, as_key(place));
    if (!record)
      continue;
    notification_head head;
    if (!decode(*record, head)) {
      txn_.damaged("notification " + std::to_string(place));
      return;
    }
    txn_.erase(tables_.journal_index, as_key(head.owner),
               index_entry{place, head.type, head.event}.view());
    txn_.erase(tables_.journal, as_key(place));
  }
  // Recovery needs the calls after the checkpoint.
  auto upto = std::min(op.calls_upto, layer_.last_checkpoint().last_call);
  cursor at{txn_, tables_.calls};
  std::size_t removed = 0;
  for (auto more = at.move(MDB_FIRST); more && removed < op.max_calls;
       more = at.move(MDB_NEXT)) {
    if (to_number<call_id>(at.key()).value_or(0) > upto)
      break;
    at.erase();
    ++removed;
  }
  drop_answers(op.answers_before, op.max_answers);
  // The last numbers given out may go with their records.
  buffer_.clear();
  encode(buffer_, last_);
  txn_.put(tables_.meta, meta_key::counters, buffer_);
}

} // namespace fanfare::storage::lmdb
