// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/tables/format.hpp"

#include "storage/lmdb/tables/keys.hpp"

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
  if (!txn.is_empty())
    check_version(txn);
  for (std::size_t i = 0; i < table_count; ++i)
    txn.open(static_cast<table>(i));
  // Also that of an earlier version, which reads as it is.
  if (txn.ok() && read_format(txn) != format_version)
    txn.put(table::meta, meta_key::format,
            std::string{stamp} + std::string{as_key(format_version)});
}

} // namespace fanfare::storage::lmdb
