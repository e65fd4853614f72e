// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Backups of a directory that nobody uses, and directories made of backups.

#include "storage/backup.hpp"
#include "storage/backup_seal.hpp"
#include "storage/lmdb/backup/copy.hpp"
#include "storage/lmdb/backup/summary.hpp"
#include "storage/lmdb/file/directory.hpp"
#include "storage/lmdb/file/transaction.hpp"
#include "storage/lmdb/replay/effects.hpp"
#include "storage/lmdb/state/progress_tables.hpp"
#include "storage/lmdb/state/recovery.hpp"
#include "storage/lmdb/tables/format.hpp"
#include "storage/lmdb/tables/records.hpp"
#include "storage/log/file_log.hpp"
#include "storage/log/folder.hpp"
#include "storage/output_file.hpp"
#include "storage/sync_directory.hpp"
#include "storage/system_error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace fanfare::storage::lmdb {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t block = std::size_t{1} << 20;
/// Room of a map beyond what is in the file.
constexpr std::size_t map_slack = std::size_t{256} << 20;

/// The bytes as they are.
class raw_sink final : public backup_sink {
public:
  explicit raw_sink(output_file& to) : to_(to) {}
  result<void> begin(std::uint64_t /*size*/) override {
    return {};
  }
  result<void> write(std::string_view bytes) override {
    return to_.append(bytes);
  }

private:
  output_file& to_;
};

/// `more`: bytes that the tables are to take over; pages that these rewrite
/// need room, too.
result<std::unique_ptr<environment>> open_tables_in(const fs::path& file,
                                                    environment::access by,
                                                    std::size_t more = 0) {
  std::error_code code;
  const auto size = fs::file_size(file, code);
  const auto room = code ? 0 : more == 0 ? size : 2 * (size + more);
  return environment::open(
    {.file = file, .map_size = room + map_slack, .by = by});
}

/// Has the copy take over what the log has and it does not.
result<void> take_log(environment& copy, const data_directory& from) {
  log_mark mark;
  {
    read_transaction txn{copy, result<void>{}};
    if (!find_record(txn, table::meta, meta_key::log, mark, "the log's mark"))
      return txn.ok() ? result<void>{} : txn.failure(); // there was none yet
  }
  const auto opened = log::file_log::open(
    {.folder = from.log_folder(), .store = mark.store, .read_only = true});
  if (!opened)
    return opened.error();
  const auto& log = **opened;
  if (log.last() == mark.sequence)
    return {};
  write_transaction txn{copy};
  open_tables(txn); // those that an earlier version lacks
  auto done = apply_log(txn, log, mark);
  return done ? txn.commit() : done;
}

/// Puts a seal behind what was written to the file.
result<void> seal(output_file& file, timestamp taken) {
  backup_hash hash;
  std::string buffer(block, '\0');
  for (;;) {
    const auto bytes = file.read(hash.size(), buffer.data(), buffer.size());
    if (!bytes)
      return bytes.error();
    if (bytes->empty())
      break;
    hash.add(*bytes);
  }
  return file.append(hash.seal(taken));
}

} // namespace

// -- restoring ----------------------------------------------------------------

namespace {

/// A directory that is to become one with a store. Removes what it has made
/// unless it is kept.
class new_directory {
public:
  static result<new_directory> make(const fs::path& given) {
    std::error_code code;
    const bool was_there = fs::exists(given, code);
    if (was_there) {
      if (!fs::is_directory(given, code))
        return error{ec::already_exists,
                     given.string()
                       + " is no directory. Give a new or an empty one."};
      for (const auto& entry : fs::directory_iterator{given, code})
        if (const auto name = entry.path().filename().string();
            !name.starts_with('.') && name != "lost+found" && name != "LOCK")
          return error{ec::already_exists,
                       "The directory " + given.string()
                         + " is not empty: it has \"" + name
                         + "\". Give a new or an empty one."};
      if (code)
        return system_error(code.value(),
                            "read the directory " + given.string());
    }
    auto opened = data_directory::open(given);
    if (!opened) {
      return opened.error();
    }
    return new_directory{std::move(*opened), was_there};
  }

  new_directory(new_directory&& other) noexcept
    : directory_(std::move(other.directory_)),
      was_there_(other.was_there_),
      undo_(std::exchange(other.undo_, false)) {}
  new_directory& operator=(new_directory&&) = delete;
  ~new_directory() {
    if (!undo_)
      return;
    std::error_code ignored;
    fs::remove(directory_.path() / "LOCK", ignored);
    if (!was_there_)
      fs::remove(directory_.path(), ignored);
  }

  [[nodiscard]] const data_directory& directory() const {
    return directory_;
  }
  void keep() {
    undo_ = false;
    directory_.sync();
  }

private:
  new_directory(data_directory directory, bool was_there)
    : directory_(std::move(directory)),
      was_there_(was_there) {}

  data_directory directory_;
  bool was_there_;
  bool undo_ = true;
};

/// Copies what the seal covers, and verifies it.
result<backup_seal> copy_sealed(const fs::path& backup, output_file& to) {
  const auto seal = find_seal(backup);
  if (!seal)
    return seal;
  std::ifstream in{backup, std::ios::binary};
  seal_checker checker;
  std::string buffer(block, '\0');
  std::uint64_t left = seal->size;
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()))
         || in.gcount() > 0) {
    const auto bytes = std::string_view{buffer}.substr(
      0, static_cast<std::size_t>(in.gcount()));
    checker.add(bytes);
    const auto tables = bytes.substr(
      0, std::min<std::uint64_t>(left, bytes.size()));
    left -= tables.size();
    if (auto written = to.append(tables); !written)
      return written.error();
  }
  if (in.bad())
    return error{ec::io_error, "Cannot read " + backup.string()
                                 + ". Check the disk that it is on."};
  return checker.end(backup.string());
}

/// Makes the tables those of a store of its own: its log begins anew, and ids
/// that may have been given out since are not given out again.
result<void> make_own(environment& tables, const restore_options& options) {
  write_transaction txn{tables};
  open_tables(txn);
  auto last = read_counters(txn, read_checkpoint(txn));
  last.tail += options.skipped_ids;
  record_writer{txn}.put(table::meta, meta_key::counters, last);
  txn.erase(table::meta, meta_key::log);
  if (auto done = txn.commit(); !done)
    return done;
  return tables.sync();
}

} // namespace

} // namespace fanfare::storage::lmdb

namespace fanfare::storage {

// -- the whole of it ----------------------------------------------------------

result<data_summary> back_up_embedded(const std::filesystem::path& directory,
                                      const std::filesystem::path& target,
                                      const backup_options& options,
                                      is_sealed sealed) {
  using namespace lmdb;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(
    std::chrono::system_clock::now());
  const auto from = data_directory::open_existing(directory);
  if (!from)
    return from.error();
  auto to = output_file::create(target);
  if (!to)
    return to.error();
  std::uint32_t format = 0;
  {
    auto tables = open_tables_in(from->store_file(),
                                 environment::access::read_only);
    if (!tables)
      return tables.error();
    if (auto known = open_known(**tables, format); !known)
      return known.error();
    raw_sink raw{*to};
    // Nobody writes.
    if (auto copied = copy_tables(**tables, raw, options,
                                  std::numeric_limits<std::uint32_t>::max());
        !copied)
      return copied.error();
  }
  data_summary found;
  {
    auto copy = open_tables_in(to->path(), environment::access::alone,
                               log::folder_size(from->log_folder()));
    if (!copy)
      return copy.error();
    const auto there = open_known(**copy, format);
    if (!there)
      return there.error();
    if (auto taken = take_log(**copy, *from); !taken)
      return taken.error();
    auto summary = summarize(**copy, *there, sealed);
    if (!summary)
      return summary;
    found = *summary;
  }
  if (auto done = seal(*to, now); !done)
    return done.error();
  if (auto done = to->publish(); !done)
    return done.error();
  found.taken = now;
  return found;
}

result<data_summary> restore_embedded(const std::filesystem::path& backup,
                                      const std::filesystem::path& directory,
                                      const restore_options& options,
                                      is_sealed sealed) {
  using namespace lmdb;
  if (auto seal = find_seal(backup); !seal)
    return seal.error();
  auto made = new_directory::make(directory);
  if (!made)
    return made.error();
  auto to = output_file::create(made->directory().store_file());
  if (!to)
    return to.error();
  const auto seal = copy_sealed(backup, *to);
  if (!seal)
    return seal.error();
  data_summary found;
  {
    auto tables = open_tables_in(to->path(), environment::access::alone);
    if (!tables)
      return tables.error();
    std::uint32_t format = 0;
    const auto there = open_known(**tables, format);
    if (!there)
      return there.error();
    auto summary = summarize(**tables, *there, sealed);
    if (!summary)
      return summary;
    found = *summary;
    if (auto own = make_own(**tables, options); !own)
      return own.error();
  }
  if (auto done = to->publish(); !done)
    return done.error();
  made->keep();
  found.size = seal->size + backup_seal::bytes;
  found.taken = seal->taken;
  return found;
}

} // namespace fanfare::storage
