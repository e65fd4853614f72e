// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/writer.hpp"

#include "storage/lmdb/file/errors.hpp"
#include "storage/lmdb/write/batch.hpp"

#include <lmdb.h>

#include <algorithm>
#include <utility>

namespace fanfare::storage::lmdb {

writer::writer(live_state& live, commit_log& log, applier& tables,
               const space_budget& budget, const counters& last)
  : live_(live),
    env_(live.env()),
    log_(log),
    tables_(tables),
    budget_(budget),
    last_(last) {
  live_.note_last(last_);
  live_.note_reached();
}

result<void> writer::commit(std::span<operation> operations) {
  auto done = try_commit(operations, true);
  // What was accepted before has precedence over what could be refused.
  if (!done && done.error().code == ec::store_full
      && space_budget::publish(operations))
    done = try_commit(operations, false);
  return done;
}

writer::room writer::measure(std::span<const operation> operations) {
  auto used = env_.bytes_allocated();
  const auto more = space_budget::weight(operations, false);
  // The exact figure costs a walk: only when it matters.
  if (budget_.exceeded(used + tables_.outstanding()
                       + space_budget::wanted(operations) + more))
    used = env_.bytes_in_use();
  used += tables_.outstanding();
  return {.publishing = budget_.for_publishing(used),
          .growing = budget_.can_grow(used, more)};
}

result<void> writer::reserve(std::size_t size) {
  if (size == 0)
    return {};
  // Pages that are rewritten, and the lists of those that become free.
  constexpr std::size_t slack = std::size_t{256} << 10;
  const auto more = tables_.outstanding() + size + slack;
  const auto length = env_.length();
  if (env_.bytes_allocated() + more <= length)
    return {};
  const auto wanted = env_.bytes_in_use() + more;
  if (wanted <= length)
    return {};
  // More at once, unless that is what there is no room for.
  const auto step = std::min(length / 8, std::size_t{1} << 20);
  if (wanted - length < step && env_.lengthen(step))
    return {};
  return env_.lengthen(wanted - length);
}

result<void> writer::try_commit(std::span<operation> operations,
                                bool with_publishing) {
  auto in = tables_.enter();
  if (!in)
    return in.error();
  result<void> done;
  try {
    auto left = measure(operations);
    if (tables_.has_outstanding() && !suffices(left, operations)) {
      // What makes room does so once the tables have it.
      tables_.leave();
      (void)env_.gate().pass();
      in = tables_.enter();
      if (!in)
        return in.error();
      left = measure(operations);
    }
    const auto weight = space_budget::weight(operations, with_publishing);
    done = !left.growing && space_budget::grow(operations)
           ? to_error(MDB_MAP_FULL, "write to the store")
           : reserve(weight);
    if (!done)
      tables_.leave();
    else
      done = carry_out(operations, *in, weight,
                       with_publishing ? left.publishing : 0);
  } catch (...) {
    batch::take_back(operations);
    tables_.undo();
    throw;
  }
  return done;
}

bool writer::suffices(const room& left, std::span<const operation> operations) {
  return left.growing && space_budget::wanted(operations) <= left.publishing;
}

result<void> writer::carry_out(std::span<operation> operations,
                               const applier::work& in, std::size_t weight,
                               std::size_t publishing_room) {
  recorder_.clear();
  batch work{
    *in.txn, *in.layer, recorder_, {.room = publishing_room, .last = last_}};
  work.execute(operations);
  auto done = in.txn->ok() ? result<void>{} : in.txn->failure();
  if (done && !recorder_.empty())
    done = log_.append(recorder_.group());
  if (!done) {
    batch::take_back(operations);
    tables_.undo();
    return done;
  }
  written_.add(recorder_.group().size());
  // Who sees the new tail must find that the tables do not have it yet.
  tables_.add(recorder_.take(), weight);
  last_ = work.last();
  live_.note_last(last_);
  if (space_budget::removes(operations))
    live_.note_removal();
  tables_.leave();
  return done;
}

} // namespace fanfare::storage::lmdb
