// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/store.hpp"

#include "model/without_signals.hpp"
#include "storage/backup_seal.hpp"
#include "storage/lmdb/backup/copy.hpp"
#include "storage/lmdb/file/errors.hpp"
#include "storage/lmdb/read/retention.hpp"
#include "storage/lmdb/replay/effects.hpp"
#include "storage/lmdb/tables/format.hpp"
#include "storage/lmdb/write/answers.hpp"
#include "storage/log/folder.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

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

// -- opening ------------------------------------------------------------------

namespace {

constexpr std::size_t page = 4096;

/// What of the maximum size the log takes: one segment in use, one that is
/// ready, one to be used again, and one that the tables do not have yet.
constexpr std::size_t segments_at_once = 4;

std::size_t largest_segment(std::size_t max_size) {
  constexpr std::size_t most = std::size_t{64} << 20;
  return std::min(max_size / 16 / page * page, most);
}

std::size_t log_share(std::size_t max_size) {
  return segments_at_once * largest_segment(max_size);
}

/// Address space for the tables beyond their share: what was accepted must
/// never be refused by the map.
std::size_t map_of(std::size_t max_size) {
  constexpr std::size_t least = std::size_t{64} << 20;
  return max_size + std::max(max_size / 4, least);
}

log::file_log::options log_options(const std::filesystem::path& folder,
                                   const log_mark& mark, std::size_t max_size) {
  constexpr std::size_t first = std::size_t{1} << 20;
  const auto largest = largest_segment(max_size);
  return {.folder = folder,
          .store = mark.store,
          .first_segment = std::min(first, largest),
          .largest_segment = largest};
}

/// What the tables have of the log. A store without one, which is new or was
/// written before there were logs, gets an id.
result<log_mark> find_mark(environment& env) {
  log_mark mark;
  {
    read_transaction txn{env};
    if (find_record(txn, table::meta, meta_key::log, mark, "the log's mark"))
      return mark;
    if (!txn.ok())
      return txn.failure();
  }
  if (::getentropy(mark.store.data(), mark.store.size()) != 0)
    return to_error(errno, "make an id for the store");
  write_transaction txn{env};
  record_writer{txn}.put(table::meta, meta_key::log, mark);
  if (auto made = txn.commit(); !made)
    return made.error();
  if (auto synced = env.sync(); !synced)
    return synced.error();
  return mark;
}

/// Takes over what the log has and the tables do not.
result<void> catch_up(environment& env, log::file_log& log, log_mark& mark) {
  if (log.last() > mark.sequence)
    if (auto done = log.harden(mark.sequence); !done)
      return done;
  write_transaction txn{env};
  if (auto done = apply_log(txn, log, mark); !done)
    return done;
  // Also if that is nothing: the log gives back what the tables have, and what
  // an earlier process has written of them may be in the system's memory only.
  if (auto done = txn.commit(); !done)
    return done;
  return env.sync();
}

} // namespace

embedded_store::embedded_store(data_directory directory,
                               std::unique_ptr<environment> env,
                               std::unique_ptr<log::file_log> log,
                               std::size_t max_size, const log_mark& mark,
                               recovered_state&& from)
  : directory_(std::move(directory)),
    env_(std::move(env)),
    log_(std::move(log)),
    max_size_(max_size),
    recovered_(std::move(from.found)),
    live_(*env_, std::move(from.since)),
    tables_(std::make_unique<applier>(live_, *log_, mark, from.start,
                                      largest_segment(max_size))),
    writer_(live_, *log_, *tables_,
            space_budget{max_size - log_share(max_size), max_size,
                         env_->bytes_allocated()},
            from.last) {}

embedded_store::~embedded_store() {
  if (directory_.is_of_this_process())
    return;
  // A fork copies no threads: nobody could end them.
  (void)tables_.release();
  (void)log_.release();
}

result<std::unique_ptr<embedded_store>>
embedded_store::open(const std::filesystem::path& directory,
                     const store_options& options) {
  try {
    const without_signals in_our_threads;
    return open_or_throw(directory, options);
  } catch (const std::system_error& e) {
    return error{ec::io_error,
                 "Cannot start the store's threads: " + e.code().message()
                   + ". Raise the limits of this process (ulimit -u and -v, "
                     "systemd's TasksMax)."};
  }
}

result<std::unique_ptr<embedded_store>>
embedded_store::open_or_throw(const std::filesystem::path& directory,
                              const store_options& options) {
  constexpr std::size_t smallest = 256 * page;
  const auto max_size = std::max(options.max_size / page * page, smallest);
  auto locked = data_directory::open(directory);
  if (!locked)
    return locked.error();
  auto opened = environment::open(
    {.file = locked->store_file(), .map_size = map_of(max_size)});
  if (!opened)
    return opened.error();
  auto& env = **opened;
  // A store that has grown beyond a maximum that was lowered since must still
  // be able to make room.
  const auto make_room = [&](std::size_t size) -> result<void> {
    const auto needed = map_of(size);
    return needed > env.map_size() ? env.resize(needed) : result<void>{};
  };
  if (auto done = make_room(env.bytes_allocated()); !done)
    return done.error();
  {
    write_transaction txn{env};
    open_tables(txn);
    if (auto made = txn.commit(); !made)
      return made.error();
  }
  locked->sync();
  auto mark = find_mark(env);
  if (!mark)
    return mark.error();
  auto log = log::file_log::open(
    log_options(locked->log_folder(), *mark, max_size));
  if (!log)
    return log.error();
  if ((*log)->last() != mark->sequence)
    if (auto done = make_room(env.bytes_allocated() + 2 * (*log)->size());
        !done)
      return done.error();
  if (auto done = catch_up(env, **log, *mark); !done)
    return done.error();
  if (auto begun = (*log)->begin(); !begun)
    return begun.error();
  (*log)->truncate(mark->sequence);
  recovered_state found;
  {
    read_transaction txn{env};
    found = recover(txn);
    if (!txn.ok())
      return txn.failure();
  }
  return std::unique_ptr<embedded_store>{
    new embedded_store{std::move(*locked), std::move(*opened), std::move(*log),
                       max_size, *mark, std::move(found)}};
}

// -- reading ------------------------------------------------------------------

result<stored_answer_ptr>
embedded_store::find_answer(const idempotency_key& key, timestamp now) const {
  read_transaction txn{*env_};
  auto found = read_answer(txn, key);
  if (!txn.ok())
    return txn.failure();
  if (!found || !found->is_live(now))
    return stored_answer_ptr{};
  return stored_answer_ptr{
    std::make_shared<stored_answer>(std::move(found->answer))};
}

result<expiry_plan>
embedded_store::plan_expiry(timestamp cutoff, std::size_t limit,
                            timestamp answers_cutoff) const {
  // What such a reader saw is room that removing would not make.
  env_->forget_dead_readers();
  read_transaction txn{*env_};
  auto plan = lmdb::plan_expiry(txn, cutoff, limit, answers_cutoff);
  if (!txn.ok())
    return txn.failure();
  return plan;
}

store_statistics embedded_store::statistics() const {
  store_statistics s{.bytes_max = max_size_,
                     .tail = live_.tail(),
                     .last_call = live_.last_call(),
                     .bytes_written = writer_.bytes_written()};
  read_transaction txn{*env_};
  s.bytes_used = env_->bytes_in_use()
               + log::folder_size(directory_.log_folder());
  s.retries = txn.count(table::retries);
  s.first = first_id<position>(txn, table::journal);
  return s;
}

result<void> embedded_store::back_up(backup_sink& to,
                                     const backup_options& options) const {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(
    std::chrono::system_clock::now());
  // From here on the tables have all that was answered before.
  if (auto passed = env_->gate().pass(); !passed)
    return passed;
  constexpr std::size_t least = std::size_t{16} << 20;
  const auto used = env_->bytes_allocated();
  const auto left = max_size_ > used ? max_size_ - used : 0;
  sealing_sink sealed{to, now};
  if (auto copied = copy_tables(*env_, sealed, options,
                                std::max(left / 2, least));
      !copied)
    return copied;
  return sealed.end();
}

// -- for tests ----------------------------------------------------------------

void embedded_store::settle() const {
  (void)env_->gate().pass();
}

std::size_t embedded_store::changed_webhooks() const {
  std::size_t count = 0;
  std::optional<read_transaction> txn;
  live_.begin(txn, [&](const changes& in) { count = in.size(); });
  return count;
}

} // namespace fanfare::storage::lmdb
