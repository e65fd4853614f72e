// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/state/statistics.hpp"

#include "model/call_tally.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::storage::lmdb {

namespace {

constexpr auto fine_step = static_cast<std::uint32_t>(
  tally_times::fine.count());
constexpr auto coarse_step = static_cast<std::uint32_t>(
  tally_times::coarse.count());
static_assert(fine_row == tallies_in_row * fine_step);
static_assert(coarse_row == tallies_in_row * coarse_step);
static_assert(fine_row == coarse_step, "a row becomes a tally");

/// Rows of what is old that are moved on or removed with each count, at least:
/// otherwise as many as it has written.
constexpr std::size_t least_moved = 256;
/// Kept a little longer than promised: whoever asks for all of it begins at the
/// step before, and not at once.
constexpr std::uint64_t fine_kept = std::uint64_t{3600} * (48 + 2);
constexpr std::uint64_t coarse_kept = std::uint64_t{3600} * 24 * (30 + 2);

// -- counting -----------------------------------------------------------------

/// A call, reduced to what is counted.
struct counted {
  std::uint64_t subject;
  std::uint32_t row;
  std::uint8_t place;
  std::uint8_t kind;
  std::uint8_t bin;
  bool is_retry : 1;
  bool gives_up : 1;

  /// By their places in the tables.
  [[nodiscard]] bool operator<(const counted& other) const {
    if (row != other.row)
      return row < other.row;
    if (subject != other.subject)
      return subject < other.subject;
    return place < other.place;
  }
};
static_assert(sizeof(counted) == 16);

counted reduce(const logged_call& c, std::uint64_t bucket) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  const auto what = classify(c);
  return {
    .subject = c.hook,
    .row = static_cast<std::uint32_t>(std::min(bucket / tallies_in_row, most)),
    .place = static_cast<std::uint8_t>(bucket % tallies_in_row),
    .kind = what.kind,
    .bin = what.bin,
    .is_retry = what.is_retry,
    .gives_up = what.gives_up};
}

void add(call_tally& to, const counted& one) {
  to.add(call_class{.kind = one.kind,
                    .bin = one.bin,
                    .is_retry = one.is_retry,
                    .gives_up = one.gives_up});
}

/// Writes rows of one table.
class row_writer {
public:
  row_writer(write_transaction& txn, table in) : txn_(txn), in_(in) {}

  /// Adds to the row what `next` yields: tallies by ascending place, until
  /// there is none.
  template <class Next>
  void add(const tally_key& key, Next&& next) {
    row_.clear();
    tally_writer to{row_};
    std::optional<tally_walk> old;
    if (const auto found = txn_.get(in_, key.view()))
      old.emplace(*found);
    bool more = old && old->next();
    unsigned place = 0;
    call_tally sum;
    while (next(place, sum)) {
      for (; more && old->place() < place; more = old->next())
        to.add(*old);
      if (more && old->place() == place) {
        sum.add(old->value());
        more = old->next();
      }
      to.add(place, sum);
    }
    // Of a damaged row that is what can be read: a chart must not stop an
    // engine. `fanfare check` tells of it.
    for (; more; more = old->next())
      to.add(*old);
    to.end();
    txn_.put(in_, key.view(), row_);
    ++written_;
  }

  [[nodiscard]] std::size_t written() const noexcept {
    return written_;
  }

private:
  write_transaction& txn_;
  table in_;
  std::string row_;
  std::size_t written_ = 0;
};

/// Sorts the calls and adds them to their rows.
void write_rows(std::vector<counted>& calls, row_writer& to) {
  // Those of one organizer, all in the same 5 minutes, are.
  if (!std::ranges::is_sorted(calls, std::less<>{}))
    std::ranges::sort(calls, std::less<>{});
  for (auto at = calls.begin(); at != calls.end();) {
    const auto row = at->row;
    const auto subject = at->subject;
    const auto in_row = [&] {
      return at != calls.end() && at->row == row && at->subject == subject;
    };
    to.add(tally_key{row, subject}, [&](unsigned& place, call_tally& sum) {
      if (!in_row())
        return false;
      place = at->place;
      sum = {};
      for (; in_row() && at->place == place; ++at)
        add(sum, *at);
      return true;
    });
  }
}

/// Makes them calls of the organizers of the webhooks. Those of a webhook are
/// together.
void give_to_organizers(transaction& txn, std::vector<counted>& calls) {
  webhook_id hook = 0;
  std::uint64_t owner = 0;
  for (auto& one : calls) {
    if (one.subject != hook) {
      hook = one.subject;
      const auto record = txn.get(table::webhooks, as_key(hook));
      owner = record ? decode_owner(*record) : 0;
    }
    one.subject = owner | of_organizer;
  }
  std::erase_if(calls, [](const counted& one) {
    return one.subject == of_organizer; // of no webhook that there is
  });
}

/// The next calls that are not counted yet, so many at most.
std::vector<counted> read_calls(transaction& txn, call_id upto,
                                std::size_t most, counted_upto& mark) {
  std::vector<counted> out;
  cursor at{txn, table::calls};
  const auto first = mark.last_call + 1;
  logged_call c;
  std::uint64_t newest = 0;
  for (auto more = at.seek(as_key(first)); more && out.size() < most;
       more = at.next()) {
    c.id = to_number<call_id>(at.key()).value_or(0);
    if (c.id > upto)
      break;
    if (!decode_outcome(at.value(), c)) {
      mark.last_call = c.id; // damaged, as `fanfare check` tells
      continue;
    }
    const auto bucket = seconds_of(c.time) / fine_step;
    mark.last_call = c.id;
    newest = std::max(newest, bucket);
    out.push_back(reduce(c, bucket));
    if (out.size() % read_at_once == 0)
      txn.note_read();
  }
  if (!out.empty())
    mark.bucket = newest;
  return out;
}

// -- what is old --------------------------------------------------------------

/// An hour's tally of a row, or of what can be read of it.
call_tally sum_up(bytes row) {
  call_tally sum;
  tally_walk walk{row};
  while (walk.next())
    sum.add(walk.value());
  return sum;
}

/// Makes hours of as many rows at most, and removes as many at most that are
/// too old: each row that is written is moved once and removed once.
void move_on(write_transaction& txn, std::uint64_t now, std::size_t limit) {
  row_writer older{txn, table::older_statistics};
  {
    write_cursor at{txn, table::statistics};
    auto left = limit;
    for (auto more = at.first(); more && txn.ok() && left > 0;
         more = at.next(), --left) {
      std::uint32_t row = 0;
      std::uint64_t subject = 0;
      if (!tally_key::read(at.key(), row, subject)) {
        at.erase();
        continue;
      }
      if ((std::uint64_t{row} + 1) * fine_row + fine_kept > now)
        break;
      const auto hour = sum_up(at.value());
      bool is_first = true;
      older.add(tally_key{row / tallies_in_row, subject},
                [&](unsigned& place, call_tally& sum) {
                  place = row % tallies_in_row;
                  sum = hour;
                  return std::exchange(is_first, false);
                });
      at.erase();
    }
  }
  write_cursor at{txn, table::older_statistics};
  for (auto more = at.first(); more && txn.ok() && limit > 0;
       more = at.next(), --limit) {
    std::uint32_t row = 0;
    std::uint64_t subject = 0;
    if (!tally_key::read(at.key(), row, subject)) {
      at.erase();
      continue;
    }
    if ((std::uint64_t{row} + 1) * coarse_row + coarse_kept > now)
      break;
    at.erase();
  }
}

} // namespace

std::uint64_t seconds_of(timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time)
                         .time_since_epoch()
                         .count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0));
}

counted_upto read_counted(transaction& txn) {
  counted_upto mark;
  find_record(txn, table::meta, meta_key::counted, mark,
              "how far calls are counted");
  return mark;
}

void count_calls(record_writer& to, call_id upto, std::size_t at_once) {
  auto& txn = to.txn();
  auto mark = read_counted(txn);
  while (txn.ok() && mark.last_call < upto) {
    auto calls = read_calls(txn, upto, at_once, mark);
    if (calls.empty())
      mark.last_call = upto; // a restored store skips numbers
    row_writer rows{txn, table::statistics};
    write_rows(calls, rows);
    give_to_organizers(txn, calls);
    write_rows(calls, rows);
    move_on(txn, mark.bucket * fine_step, rows.written() + least_moved);
    to.put(table::meta, meta_key::counted, mark);
  }
}

void count_if_due(record_writer& to, call_id upto, std::size_t limit) {
  auto& txn = to.txn();
  const auto mark = read_counted(txn);
  if (upto <= mark.last_call)
    return;
  bool due = upto - mark.last_call >= limit;
  if (!due) {
    logged_call newest;
    newest.id = upto;
    const auto record = txn.get(table::calls, as_key(upto));
    due = record && decode_facts(*record, newest)
       && seconds_of(newest.time) / fine_step > mark.bucket;
  }
  if (due)
    count_calls(to, std::min<call_id>(upto, mark.last_call + most_counted));
}

} // namespace fanfare::storage::lmdb
