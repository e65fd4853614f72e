// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Looks at a data directory or a backup from the bytes upwards: checksum,
// pages, records, indexes, log. What would not be safe to read is not read.

#include "storage/backup.hpp"
#include "storage/backup_seal.hpp"
#include "storage/lmdb/backup/fault_list.hpp"
#include "storage/lmdb/backup/index_check.hpp"
#include "storage/lmdb/backup/page_check.hpp"
#include "storage/lmdb/backup/record_check.hpp"
#include "storage/lmdb/backup/summary.hpp"
#include "storage/lmdb/file/directory.hpp"
#include "storage/lmdb/file/file_length.hpp"
#include "storage/lmdb/file/transaction.hpp"
#include "storage/lmdb/tables/records.hpp"
#include "storage/log/file_log.hpp"
#include "storage/log/walk.hpp"

#include <fstream>
#include <optional>
#include <string>
#include <system_error>

namespace fanfare::storage::lmdb {

namespace fs = std::filesystem;

namespace {

constexpr auto about_directory = "Restore the data directory from a backup; "
                                 "keep what is there until then.";
constexpr auto about_backup = "Use another backup, and check the disk that "
                              "this one was on.";

/// What prevents to look, rather than what is wrong.
bool prevents(ec code) {
  return code != ec::store_damaged;
}

/// The tables in the file. `mark`: what they have of the log, if they could be
/// read.
result<void> check_tables(const fs::path& file, fault_list& faults,
                          data_report& report, is_sealed sealed,
                          std::optional<log_mark>& mark) {
  const auto name = file.filename().string();
  if (auto whole = check_length(file); !whole) {
    if (prevents(whole.error().code))
      return whole;
    faults.add(name, {}, whole.error().detail);
    return {};
  }
  if (auto looked = check_pages(file, faults); !looked)
    return looked;
  if (!faults.empty())
    return {};
  std::error_code code;
  auto tables = environment::open({.file = file,
                                   .map_size = fs::file_size(file, code),
                                   .by = environment::access::read_only});
  if (!tables)
    return tables.error();
  const auto there = open_known(**tables, report.found.format);
  if (!there) {
    if (prevents(there.error().code))
      return there.error();
    faults.add(name, {}, there.error().detail);
    return {};
  }
  {
    read_transaction txn{**tables, result<void>{}};
    check_records(txn, *there, faults);
    if (faults.empty())
      check_indexes(txn, *there, faults);
    if (!txn.ok())
      faults.add(name, {}, txn.failure().detail);
  }
  if (!faults.empty())
    return {};
  auto found = summarize(**tables, *there, sealed);
  if (!found)
    return found.error();
  report.found = *found;
  read_transaction txn{**tables, result<void>{}};
  log_mark has;
  if (find_record(txn, table::meta, meta_key::log, has, "the log's mark"))
    mark = has;
  return {};
}

/// The log of a directory whose tables could be read.
result<void> check_log(const data_directory& directory, const log_mark& mark,
                       fault_list& faults, data_report& report) {
  const auto fault = [&](const error& why) -> result<void> {
    if (prevents(why.code))
      return why;
    faults.add("log", {}, why.detail);
    return {};
  };
  const auto opened = log::file_log::open(
    {.folder = directory.log_folder(), .store = mark.store, .read_only = true});
  if (!opened)
    return fault(opened.error());
  const auto& log = **opened;
  // What the tables do not have must be there, from where they end.
  const auto ahead = log.read(mark.sequence,
                              [&](log_sequence, std::string_view) {
                                ++report.groups_ahead;
                                return result<void>{};
                              });
  if (!ahead)
    return fault(ahead.error());
  const auto all = log::walk(
    log.segments(), mark.store, 0,
    [&](log_sequence which, std::string_view group) -> result<void> {
      ++report.groups;
      if (!is_readable_group(group))
        faults.add("log", "commit " + std::to_string(which),
                   "the commit cannot be read");
      return {};
    });
  return all ? result<void>{} : fault(all.error());
}

result<void> check_directory(const fs::path& path, data_report& report,
                             is_sealed sealed) {
  const auto directory = data_directory::open_existing(path);
  if (!directory)
    return directory.error();
  fault_list faults{report, about_directory};
  std::optional<log_mark> mark;
  if (auto looked = check_tables(directory->store_file(), faults, report,
                                 sealed, mark);
      !looked)
    return looked;
  // Of an earlier format, or never opened since it was restored.
  return mark ? check_log(*directory, *mark, faults, report) : result<void>{};
}

/// Whether the checksum is that of the bytes.
result<backup_seal> verify(const fs::path& backup) {
  constexpr std::size_t block = std::size_t{1} << 20;
  std::ifstream in{backup, std::ios::binary};
  seal_checker checker;
  std::string buffer(block, '\0');
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()))
         || in.gcount() > 0)
    checker.add(std::string_view{buffer}.substr(
      0, static_cast<std::size_t>(in.gcount())));
  if (in.bad() || !in.is_open())
    return error{ec::io_error, "Cannot read " + backup.string()
                                 + ". Check the disk that it is on."};
  return checker.end(backup.string());
}

result<void> check_backup(const fs::path& path, data_report& report,
                          is_sealed sealed) {
  if (auto seal = find_seal(path); !seal)
    return seal.error();
  fault_list faults{report, about_backup};
  const auto seal = verify(path);
  if (!seal) {
    if (prevents(seal.error().code))
      return seal.error();
    faults.add(path.filename().string(), {},
               "the checksum is not that of the file: it was changed since it "
               "was made");
    return {};
  }
  std::optional<log_mark> mark;
  if (auto looked = check_tables(path, faults, report, sealed, mark); !looked)
    return looked;
  report.found.size = seal->size + backup_seal::bytes;
  report.found.taken = seal->taken;
  return {};
}

} // namespace

} // namespace fanfare::storage::lmdb

namespace fanfare::storage {

result<data_report>
check_embedded(const std::filesystem::path& directory_or_backup,
               is_sealed sealed) {
  data_report report;
  std::error_code code;
  const auto looked = std::filesystem::is_directory(directory_or_backup, code)
                      ? lmdb::check_directory(directory_or_backup, report,
                                              sealed)
                      : lmdb::check_backup(directory_or_backup, report, sealed);
  if (!looked)
    return looked.error();
  return report;
}

} // namespace fanfare::storage
