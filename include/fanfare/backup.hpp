// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Backups of a data directory: made while an engine runs
/// (`engine::back_up`) or while none does, checked, and restored. A backup is
/// one file, which ends with a checksum of all of it. It holds whatever a data
/// directory does but the key that encrypts secrets and the admin token.

#include "fanfare/error.hpp"
#include "fanfare/export.hpp"
#include "fanfare/types.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// How a backup is made.
struct backup_options {
  /// Bytes per second at most, so that deliveries have the disk; 0: no limit.
  std::size_t bytes_per_second = std::size_t{32} << 20;
  /// It is given up after so long: the store grows meanwhile, since what the
  /// backup reads is not used again.
  std::chrono::milliseconds longest = std::chrono::hours{1};
  /// Called now and then on the calling thread; false gives it up.
  std::function<bool(std::uint64_t done, std::uint64_t total)> progress = {};
};

/// Gets the bytes of a backup, in order, on the thread that makes it. An error
/// gives the backup up and is its result.
class FANFARE_API backup_sink {
public:
  virtual ~backup_sink() = default;
  /// Before all else: how many bytes will come.
  virtual result<void> begin(std::uint64_t size) = 0;
  /// May block, but no longer than `backup_options::longest`.
  virtual result<void> write(std::string_view bytes) = 0;
};

/// A file that becomes a backup. It has its name only once it is whole, on disk
/// and its checksum was verified; until then, whatever happens, there is no
/// such file. Only its owner may read it. One thread.
class FANFARE_API backup_file final : public backup_sink {
public:
  /// already_exists (the target is never replaced), io_error, store_full.
  static result<std::unique_ptr<backup_file>>
  create(const std::filesystem::path& target);
  ~backup_file() override;
  backup_file(const backup_file&) = delete;
  backup_file& operator=(const backup_file&) = delete;

  result<void> begin(std::uint64_t size) override;
  result<void> write(std::string_view bytes) override;
  /// Once, after the last byte: store_damaged (it is not what the checksum
  /// says, or not all of it), already_exists, io_error, store_full.
  result<void> finish();

private:
  struct impl;
  explicit backup_file(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

/// What a backup or a data directory holds.
struct data_summary {
  std::uint64_t size = 0; ///< bytes of the backup, or of the tables
  std::optional<timestamp> taken = {}; ///< of a backup: when it was begun
  std::uint32_t format = 0;            ///< version of the store's format
  std::uint64_t organizers = 0;
  std::uint64_t webhooks = 0;
  std::uint64_t notifications = 0;
  std::uint64_t calls = 0;
  position last_notification = 0; ///< the newest id given out
  /// The newest notification that is kept, if there is any.
  std::optional<timestamp> last_published = {};
  std::uint64_t sealed_secrets = 0; ///< encrypted with a key that is elsewhere
  std::uint64_t plain_secrets = 0;  ///< readable by whoever reads the file
};

/// A backup of a data directory that no engine uses, with what its log has and
/// its tables do not. Changes nothing in the directory. Blocks. store_locked
/// (an engine uses it: use `engine::back_up`), already_exists, store_foreign,
/// store_newer, store_damaged, store_full, io_error; stopping if `progress`
/// gave it up.
FANFARE_API result<data_summary>
back_up_directory(const std::filesystem::path& data,
                  const std::filesystem::path& target,
                  const backup_options& options = {});

/// Something that is wrong with a data directory or a backup.
struct data_fault {
  std::string place;  ///< a table or a file
  std::string key;    ///< of the record, readable; may be empty
  std::string what;   ///< a sentence
  std::string remedy; ///< the sentence that says what to do
};

struct data_report {
  data_summary found = {};
  std::vector<data_fault> faults = {};
  bool more_faults = false;       ///< not all are listed
  std::uint64_t records = 0;      ///< that were looked at
  std::uint64_t groups = 0;       ///< of the log, that were looked at
  std::uint64_t groups_ahead = 0; ///< of these, that the tables do not have
};

/// Looks whether every record can be read, the indexes agree with what they
/// index, and the log is whole. Changes nothing. Of a backup the checksum finds
/// any change of a bit; the tables of a data directory have none, so that a
/// change within a text may stay unseen. Blocks. Errors: it could not look.
/// store_locked (an engine uses it), not_found, store_foreign, store_newer,
/// io_error.
FANFARE_API result<data_report>
check_data(const std::filesystem::path& directory_or_backup);

struct restore_options {
  /// So many notification ids are left out, so that none is given out again
  /// that was given out after the backup was made: receivers may know it.
  std::uint64_t skipped_ids = 1'000'000;
};

/// Makes a data directory of a backup, after verifying its checksum. The
/// directory has to be new or empty. Without success nothing is left of it.
/// Blocks. already_exists (there is something in it), not_found, store_foreign
/// (no backup), store_newer, store_damaged, store_full, io_error.
FANFARE_API result<data_summary>
restore_backup(const std::filesystem::path& backup,
               const std::filesystem::path& directory,
               const restore_options& options = {});

} // namespace fanfare
