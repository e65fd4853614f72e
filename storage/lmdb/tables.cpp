// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/tables.hpp"

#include <string>

namespace fanfare::storage::lmdb {

namespace {

/// In front of the format's version.
constexpr bytes stamp = "fanfare:";

bool is_empty(write_transaction& txn) {
  MDB_dbi main = 0;
  MDB_stat stat{};
  if (auto code = mdb_dbi_open(txn.handle(), nullptr, 0, &main);
      code != MDB_SUCCESS)
    txn.fail(code, "open the store");
  else if (code = mdb_stat(txn.handle(), main, &stat); code != MDB_SUCCESS)
    txn.fail(code, "open the store");
  return stat.ms_entries == 0;
}

/// Nothing if it is not stamped by a Fanfare.
std::optional<std::uint32_t> version_of(write_transaction& txn, table meta) {
  auto found = txn.get(meta, meta_key::format);
  return found && found->starts_with(stamp)
         ? to_number<std::uint32_t>(found->substr(stamp.size()))
         : std::nullopt;
}

/// Reads the stamp of a file that holds something.
void check_format(write_transaction& txn) {
  error foreign{ec::store_foreign,
                "The data directory holds the database of another program. Use "
                "an empty or new directory."};
  table meta;
  if (mdb_dbi_open(txn.handle(), "meta", 0, &meta.handle) != MDB_SUCCESS) {
    txn.fail(std::move(foreign));
    return;
  }
  auto version = version_of(txn, meta);
  if (!version)
    txn.fail(std::move(foreign));
  else if (*version > format_version)
    txn.fail(
      error{ec::store_newer,
            "The data directory was written by a newer version of Fanfare "
            "(format "
              + std::to_string(*version) + ", this one knows "
              + std::to_string(format_version)
              + "). Use that version or another directory."});
}

} // namespace

void tables::open(write_transaction& txn) {
  constexpr unsigned by_number = MDB_INTEGERKEY;
  constexpr unsigned many = MDB_INTEGERKEY | MDB_DUPSORT | MDB_DUPFIXED;
  auto open_one = [&](table& to, const char* name, unsigned flags) {
    if (!txn.ok())
      return;
    if (auto code = mdb_dbi_open(txn.handle(), name, flags | MDB_CREATE,
                                 &to.handle);
        code != MDB_SUCCESS)
      txn.fail(code, std::string{"open the table "} + name);
  };
  if (!txn.ok())
    return;
  auto is_new = is_empty(txn);
  if (txn.ok() && !is_new)
    check_format(txn);
  open_one(meta, "meta", 0);
  // Also that of an earlier version: what it lacks is made below, and what it
  // has reads as it is.
  if (is_new || (txn.ok() && version_of(txn, meta) != format_version))
    txn.put(meta, meta_key::format,
            std::string{stamp} + std::string{as_key(format_version)});
  open_one(journal, "journal", by_number);
  open_one(journal_index, "journal_index", many);
  open_one(calls, "calls", by_number);
  open_one(progress, "progress", by_number);
  open_one(behind, "behind", by_number);
  open_one(retries, "retries", 0);
  open_one(organizers, "organizers", by_number);
  open_one(organizer_slugs, "organizer_slugs", 0);
  open_one(events, "events", by_number);
  open_one(event_slugs, "event_slugs", 0);
  open_one(tokens, "tokens", by_number);
  open_one(action_types, "action_types", by_number);
  open_one(action_type_names, "action_type_names", 0);
  open_one(webhooks, "webhooks", by_number);
  open_one(organizer_webhooks, "organizer_webhooks", many);
  open_one(replays, "replays", by_number);
  open_one(idempotency, "idempotency", 0);
  open_one(idempotency_times, "idempotency_times", 0);
}

} // namespace fanfare::storage::lmdb
