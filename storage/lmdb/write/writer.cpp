// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/writer.hpp"

#include "storage/lmdb/file/errors.hpp"

#include <cerrno>
#include <utility>

namespace fanfare::storage::lmdb {

writer::writer(live_state& live, std::size_t max_size, recovered_state&& from)
  : live_(live),
    env_(live.env()),
    budget_(max_size),
    last_(from.last),
    checkpoint_(from.start) {
  live_.take_over(last_, [&](changes& to) { to = std::move(from.since); });
}

result<void> writer::commit(std::span<operation> operations) {
  const auto left = measure(operations);
  if (!left.growing && space_budget::grow(operations))
    return to_error(MDB_MAP_FULL, "write to the store");
  auto done = try_commit(operations, left.publishing);
  // What was accepted before has precedence over what could be refused.
  if (!done && done.error().code == ec::store_full && left.publishing != 0
      && space_budget::publish(operations))
    done = try_commit(operations, 0);
  return done;
}

writer::room writer::measure(std::span<const operation> operations) const {
  auto used = env_.bytes_allocated();
  // The exact figure costs a walk: only when it matters.
  if (budget_.exceeded(used + space_budget::wanted(operations)))
    used = env_.bytes_in_use();
  return {.publishing = budget_.for_publishing(used),
          .growing = budget_.can_grow(used, env_.map_size())};
}

result<void> writer::try_commit(std::span<operation> operations,
                                std::size_t publishing_room) {
  // When the disk takes only a part of what is written, LMDB calls that EIO. To
  // ask for the room by name tells why, or makes it.
  constexpr std::size_t first = std::size_t{1} << 20;
  constexpr std::size_t last = std::size_t{256} << 20;
  int code = 0;
  auto done = commit_once(operations, publishing_room, code);
  for (auto more = first; !done && code == EIO && more <= last; more *= 4) {
    if (auto longer = env_.lengthen(more); !longer)
      return longer.error().code == ec::store_full ? longer : done;
    done = commit_once(operations, publishing_room, code);
  }
  return done;
}

result<void> writer::commit_once(std::span<operation> operations,
                                 std::size_t publishing_room, int& code) {
  write_transaction txn{env_};
  batch work{
    txn,
    live_.changes(),
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
  live_.take_over(last_, [&](changes& to) { std::move(work).merge_into(to); });
  env_.grow_ahead(); // for the next one
  return {};
}

} // namespace fanfare::storage::lmdb
