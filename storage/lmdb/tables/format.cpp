// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/tables/format.hpp"

#include "storage/lmdb/tables/records.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace fanfare::storage::lmdb {

namespace {

/// In front of the format's version.
constexpr bytes stamp = "fanfare:";

/// Reads the stamp of a file that holds something.
void check_version(write_transaction& txn) {
  const auto version = txn.has(table::meta) ? read_format(txn) : std::nullopt;
  if (!version)
    txn.fail(error{ec::store_foreign,
                   "The data directory holds the database of another program. "
                   "Use an empty or new directory."});
  else if (auto fine = check_format(*version); !fine)
    txn.fail(fine.error());
}

/// Statistics begin with the next call: a start must not wait until all that
/// are there are counted.
void begin_statistics(write_transaction& txn) {
  checkpoint start;
  counters last;
  find_record(txn, table::meta, meta_key::checkpoint, start, "the checkpoint");
  find_record(txn, table::meta, meta_key::counters, last, "the counters");
  const auto newest = std::max(
    {start.last_call, last.last_call, last_id<call_id>(txn, table::calls)});
  record_writer{txn}.put(table::meta, meta_key::counted,
                         counted_upto{.last_call = newest});
}

} // namespace

std::optional<std::uint32_t> read_format(transaction& txn) {
  auto found = txn.get(table::meta, meta_key::format);
  return found && found->starts_with(stamp)
         ? to_number<std::uint32_t>(found->substr(stamp.size()))
         : std::nullopt;
}

result<void> check_format(std::uint32_t version) {
  if (version <= format_version)
    return {};
  return error{ec::store_newer,
               "The data directory was written by a newer version of Fanfare "
               "(format "
                 + std::to_string(version) + ", this one knows "
                 + std::to_string(format_version)
                 + "). Use that version or another directory."};
}

void open_tables(write_transaction& txn) {
  constexpr std::uint32_t with_statistics = 6;
  if (!txn.is_empty())
    check_version(txn);
  for (std::size_t i = 0; i < table_count; ++i)
    txn.open(static_cast<table>(i));
  if (!txn.ok())
    return;
  const auto before = read_format(txn);
  if (before && *before < with_statistics)
    begin_statistics(txn);
  // Also that of an earlier version, which reads as it is.
  if (before != format_version)
    txn.put(table::meta, meta_key::format,
            std::string{stamp} + std::string{as_key(format_version)});
}

} // namespace fanfare::storage::lmdb
