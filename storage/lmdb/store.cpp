// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/store.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

// Opening, recovery and writing; reading is in reading.cpp.

namespace fanfare::storage {

result<std::unique_ptr<store>>
open_embedded(const std::filesystem::path& directory,
              const store_options& options) {
  auto opened = lmdb::embedded_store::open(directory, options);
  if (!opened)
    return opened.error();
  return std::unique_ptr<store>{std::move(*opened)};
}

} // namespace fanfare::storage

namespace fanfare::storage::lmdb {

namespace {

/// What publishing leaves to calls, checkpoints and making room.
std::size_t reserve_of(std::size_t max_size) {
  constexpr std::size_t least = std::size_t{4} << 20;
  return std::min(std::max(max_size / 20, least), max_size / 2);
}

/// What everything leaves to making room.
std::size_t last_reserve_of(std::size_t reserve) {
  return reserve / 4;
}

/// Whether it is refused for want of room, alone, before others are.
bool publishes(const operation& op) {
  return std::holds_alternative<append_notifications>(op)
      || std::holds_alternative<remember_answer>(op);
}

bool makes_room(const operation& op) {
  return std::holds_alternative<expire>(op);
}

/// Whether it needs more room than it gives, apart from publishing.
bool grows(const operation& op) {
  return !publishes(op) && !makes_room(op)
      && !std::holds_alternative<barrier>(op)
      && !std::holds_alternative<save_checkpoint>(op)
      && !std::holds_alternative<drop_retries>(op);
}

} // namespace

// -- opening ------------------------------------------------------------------

embedded_store::embedded_store(data_directory directory,
                               std::unique_ptr<environment> env,
                               std::size_t max_size)
  : directory_(std::move(directory)),
    env_(std::move(env)),
    max_size_(max_size),
    reserve_(reserve_of(max_size)) {}

result<std::unique_ptr<embedded_store>>
embedded_store::open(const std::filesystem::path& directory,
                     const store_options& options) {
  constexpr std::size_t page = 4096;
  constexpr std::size_t smallest = 256 * page;
  auto max_size = std::max(options.max_size / page * page, smallest);
  auto locked = data_directory::open(directory);
  if (!locked)
    return locked.error();
  auto env = environment::open({.file = locked->store_file(),
                                .map_size = max_size,
                                .max_tables = tables::count});
  if (!env)
    return env.error();
  // A store that has grown beyond a maximum that was lowered since must still
  // be able to make room.
  auto needed = (*env)->pages_allocated() * (*env)->page_size()
              + last_reserve_of(reserve_of(max_size));
  if (needed > (*env)->map_size())
    if (auto resized = (*env)->resize(needed); !resized)
      return resized.error();
  std::unique_ptr<embedded_store> opened{
    new embedded_store{std::move(*locked), std::move(*env), max_size}};
  {
    write_transaction txn{*opened->env_};
    opened->tables_.open(txn);
    if (auto made = txn.commit(); !made)
      return made.error();
  }
  opened->directory_.sync();
  if (auto recovered = opened->recover(); !recovered)
    return recovered.error();
  return opened;
}

// -- recovery -----------------------------------------------------------------

result<void> embedded_store::recover() {
  {
    read_transaction txn{*env_};
    if (auto record = txn.get(tables_.meta, meta_key::checkpoint))
      if (!decode(*record, checkpoint_))
        txn.damaged("the checkpoint");
    if (auto record = txn.get(tables_.meta, meta_key::counters))
      if (!decode(*record, last_))
        txn.damaged("the counters");
    last_.tail = std::max({last_.tail, checkpoint_.routed_upto,
                           last_key<position>(txn, tables_.journal)});
    last_.last_call = std::max({last_.last_call, checkpoint_.last_call,
                                last_key<call_id>(txn, tables_.calls)});
    change_layer layer{txn, tables_, changes_, checkpoint_};
    cursor at{txn, tables_.calls};
    auto first = checkpoint_.last_call + 1;
    for (auto more = at.seek(as_key(first)); more; more = at.move(MDB_NEXT)) {
      call c;
      c.id = to_number<call_id>(at.key()).value_or(0);
      if (!decode_facts(at.value(), c)) {
        txn.damaged("call " + std::to_string(c.id));
        break;
      }
      layer.replay(c);
      ++recovered_.calls_replayed;
    }
    recovered_.routed_upto = checkpoint_.routed_upto;
    find_unsettled(txn, layer);
    if (!txn.ok())
      return txn.failure();
    std::move(layer).merge_into(changes_);
  }
  merged_ = env_->last_commit();
  tail_ = last_.tail;
  last_call_ = last_.last_call;
  return {};
}

void embedded_store::find_unsettled(transaction& txn, change_layer& layer) {
  std::vector<webhook_id> hooks = layer.touched();
  std::vector<webhook_id> behind;
  {
    cursor at{txn, tables_.behind};
    for (auto more = at.move(MDB_FIRST); more; more = at.move(MDB_NEXT))
      behind.push_back(to_number<webhook_id>(at.key()).value_or(0));
  }
  {
    cursor at{txn, tables_.retries};
    auto more = at.move(MDB_FIRST);
    while (more) {
      webhook_id hook = 0;
      position subject = 0;
      if (!retry_key::read(at.key(), hook, subject)) {
        txn.damaged("a retry");
        return;
      }
      hooks.push_back(hook);
      more = seek_next_webhook(at, hook);
    }
  }
  std::vector<webhook_id> replaying;
  {
    cursor at{txn, tables_.replays};
    for (auto more = at.move(MDB_FIRST); more; more = at.move(MDB_NEXT)) {
      auto id = to_number<webhook_id>(at.key()).value_or(0);
      replay last;
      if (!decode(at.value(), last)) {
        txn.damaged("the replay of webhook " + std::to_string(id));
        return;
      }
      if (last.state == replay_state::running)
        replaying.push_back(id);
    }
  }
  hooks.insert(hooks.end(), replaying.begin(), replaying.end());
  hooks.insert(hooks.end(), behind.begin(), behind.end());
  std::ranges::sort(hooks);
  auto repeats = std::ranges::unique(hooks);
  hooks.erase(repeats.begin(), repeats.end());
  for (auto id : hooks) {
    webhook_record hook;
    hook.id = id;
    auto record = txn.get(tables_.webhooks, as_key(id));
    if (!record)
      continue;
    if (!decode(*record, hook)) {
      txn.damaged("webhook " + std::to_string(id));
      return;
    }
    if (!hook.current().enabled)
      continue;
    auto upto = layer.current(id);
    upto.advance(before_first(hook));
    recovery::unsettled found{.hook = id, .cursor = upto.cursor};
    found.behind = upto.cursor < checkpoint_.routed_upto
                && std::ranges::binary_search(behind, id);
    found.has_retries = layer.has_retries(id)
                     || std::ranges::binary_search(replaying, id);
    if (found.behind || found.has_retries)
      recovered_.webhooks.push_back(found);
  }
}

// -- writing ------------------------------------------------------------------

result<void> embedded_store::commit(std::span<operation> operations) {
  auto left = measure(operations);
  if (!left.growing && std::ranges::any_of(operations, grows)
      && std::ranges::none_of(operations, makes_room))
    return to_error(MDB_MAP_FULL, "write to the store");
  auto done = try_commit(operations, left.publishing);
  // What was accepted before has precedence over what could be refused.
  if (!done && done.error().code == ec::store_full && left.publishing != 0
      && std::ranges::any_of(operations, publishes))
    done = try_commit(operations, 0);
  return done;
}

embedded_store::room
embedded_store::measure(std::span<const operation> operations) const {
  std::size_t wanted = 0;
  for (const auto& op : operations)
    if (const auto* publish = std::get_if<append_notifications>(&op))
      wanted += estimate(*publish);
    else if (const auto* remember = std::get_if<remember_answer>(&op))
      wanted += estimate(*remember);
  auto limit = max_size_ - reserve_;
  auto used = env_->pages_allocated() * env_->page_size();
  // The exact figure costs a walk: only when it matters.
  if (used + wanted > limit)
    used = env_->pages_in_use() * env_->page_size();
  return {.publishing = limit > used ? limit - used : 0,
          .growing = used + last_reserve_of(reserve_) < env_->map_size()};
}

result<void> embedded_store::try_commit(std::span<operation> operations,
                                        std::size_t publishing_room) {
  // When the disk takes only a part of what is written, LMDB calls that EIO. To
  // ask for the room by name tells why, or makes it.
  constexpr std::size_t first = std::size_t{1} << 20;
  constexpr std::size_t last = std::size_t{256} << 20;
  int code = 0;
  auto done = commit_once(operations, publishing_room, code);
  for (auto more = first; !done && code == EIO && more <= last; more *= 4) {
    if (auto longer = env_->lengthen(more); !longer)
      return longer.error().code == ec::store_full ? longer : done;
    done = commit_once(operations, publishing_room, code);
  }
  return done;
}

result<void> embedded_store::commit_once(std::span<operation> operations,
                                         std::size_t publishing_room,
                                         int& code) {
  write_transaction txn{*env_};
  batch work{
    txn,
    tables_,
    changes_,
    {.room = publishing_room, .last = last_, .recovery_start = checkpoint_}};
  work.execute(operations);
  auto done = txn.commit();
  code = txn.code();
  if (!done) {
    batch::take_back(operations);
    return done;
  }
  last_ = work.last();
  checkpoint_ = work.last_checkpoint();
  {
    std::lock_guard lock{mutex_};
    // Without it what is in memory does not belong to what is on disk, for
    // ever: readers are told so.
    incomplete_ = true;
    has_merged_.notify_all();
    std::move(work).merge_into(changes_);
    incomplete_ = false;
    merged_ = env_->last_commit();
    tail_.store(last_.tail, std::memory_order_release);
    last_call_.store(last_.last_call, std::memory_order_release);
  }
  has_merged_.notify_all();
  env_->grow_ahead(); // for the next one
  return {};
}

} // namespace fanfare::storage::lmdb
