// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/read/statistics.hpp"

#include "storage/lmdb/read/ownership.hpp"
#include "storage/lmdb/state/statistics.hpp"

#include <algorithm>
#include <cstdint>

namespace fanfare::storage::lmdb {

namespace {

class reader {
public:
  reader(transaction& txn, const tally_query& which)
    : txn_(txn),
      which_(which),
      subject_(which.hook != 0 ? which.hook : which.owner | of_organizer),
      found_(which.steps) {}

  std::vector<call_tally> read() {
    add_rows(table::older_statistics, coarse_row);
    add_rows(table::statistics, fine_row);
    add_uncounted();
    return std::move(found_);
  }

private:
  void add_rows(table in, std::uint32_t row_seconds) {
    cursor at{txn_, in};
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint64_t subject = 0;
    if (!at.first() || !tally_key::read(at.key(), first, subject) || !at.last()
        || !tally_key::read(at.key(), last, subject))
      return;
    const auto until = which_.since
                     + which_.step * static_cast<std::int64_t>(which_.steps);
    const auto begin = std::max<std::uint64_t>(first, seconds_of(which_.since)
                                                        / row_seconds);
    const auto end = std::min<std::uint64_t>(last,
                                             seconds_of(until) / row_seconds);
    for (auto row = begin; row <= end && txn_.ok(); ++row)
      add_row(in, static_cast<std::uint32_t>(row), row_seconds);
  }

  void add_row(table in, std::uint32_t row, std::uint32_t row_seconds) {
    const auto found = txn_.get(in, tally_key{row, subject_}.view());
    if (!found)
      return;
    tally_walk walk{*found};
    while (walk.next()) {
      const std::chrono::seconds from{std::uint64_t{row} * row_seconds
                                      + walk.place() * row_seconds
                                          / tallies_in_row};
      add(timestamp{from}, [&](call_tally& to) { to.add(walk.value()); });
    }
    if (!walk.ok())
      txn_.damaged("a row of statistics");
  }

  void add_uncounted() {
    ownership owned{txn_, which_.owner};
    cursor at{txn_, table::calls};
    const auto first = read_counted(txn_).last_call + 1;
    std::size_t looked_at = 0;
    logged_call c;
    for (auto more = at.seek(as_key(first)); more && txn_.ok();
         more = at.next()) {
      if (++looked_at % read_at_once == 0)
        txn_.note_read();
      const auto hook = decode_hook(at.value());
      if (which_.hook != 0 ? hook != which_.hook : !owned.includes(hook))
        continue;
      c.id = to_number<call_id>(at.key()).value_or(0);
      if (!decode_outcome(at.value(), c))
        return txn_.damaged("call", c.id);
      add(c.time, [&](call_tally& to) { to.add(classify(c)); });
    }
  }

  template <class Add>
  void add(timestamp time, Add&& to) {
    // As its row has it, which begins at the epoch.
    time = std::max(time, timestamp{});
    if (const auto place = which_.place_of(time); place < found_.size())
      to(found_[place]);
  }

  transaction& txn_;
  const tally_query& which_;
  std::uint64_t subject_;
  std::vector<call_tally> found_;
};

} // namespace

std::vector<call_tally> read_tallies(transaction& txn,
                                     const tally_query& which) {
  return reader{txn, which}.read();
}

} // namespace fanfare::storage::lmdb
