// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/store.hpp"

#include "storage/lmdb/read/retention.hpp"
#include "storage/lmdb/tables/format.hpp"
#include "storage/lmdb/write/answers.hpp"

#include <algorithm>
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

embedded_store::embedded_store(data_directory directory,
                               std::unique_ptr<environment> env,
                               std::size_t max_size, recovered_state&& from)
  : directory_(std::move(directory)),
    env_(std::move(env)),
    recovered_(std::move(from.found)),
    writer_(live_, max_size, std::move(from)) {}

result<std::unique_ptr<embedded_store>>
embedded_store::open(const std::filesystem::path& directory,
                     const store_options& options) {
  constexpr std::size_t page = 4096;
  constexpr std::size_t smallest = 256 * page;
  const auto max_size = std::max(options.max_size / page * page, smallest);
  auto locked = data_directory::open(directory);
  if (!locked)
    return locked.error();
  auto opened = environment::open(
    {.file = locked->store_file(), .map_size = max_size});
  if (!opened)
    return opened.error();
  auto& env = **opened;
  // A store that has grown beyond a maximum that was lowered since must still
  // be able to make room.
  if (const auto needed = space_budget{max_size}.least_map(
        env.bytes_allocated());
      needed > env.map_size())
    if (auto resized = env.resize(needed); !resized)
      return resized.error();
  {
    write_transaction txn{env};
    open_tables(txn);
    if (auto made = txn.commit(); !made)
      return made.error();
  }
  locked->sync();
  recovered_state found;
  {
    read_transaction txn{env};
    found = recover(txn);
    if (!txn.ok())
      return txn.failure();
  }
  return std::unique_ptr<embedded_store>{new embedded_store{
    std::move(*locked), std::move(*opened), max_size, std::move(found)}};
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
  store_statistics s{.bytes_used = env_->bytes_in_use(),
                     .bytes_max = writer_.budget().max_size(),
                     .tail = live_.tail(),
                     .last_call = live_.last_call()};
  read_transaction txn{*env_};
  s.first = first_id<position>(txn, table::journal);
  return s;
}

} // namespace fanfare::storage::lmdb
