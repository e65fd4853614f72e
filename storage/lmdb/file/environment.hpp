// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One LMDB file, opened. Knows nothing of what is stored; transaction.hpp
/// reads and writes it.

#include "fanfare/error.hpp"
#include "storage/lmdb/file/file_growth.hpp"
#include "storage/lmdb/file/map_residency.hpp"
#include "storage/lmdb/file/read_gate.hpp"
#include "storage/lmdb/file/table.hpp"

#include <lmdb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace fanfare::storage::lmdb {

/// Any thread may read; one writes.
class environment {
public:
  /// Who else may have the file open.
  enum class access : std::uint8_t {
    shared,    ///< other programs, which read
    alone,     ///< nobody: no file of locks is made
    read_only, ///< nobody who writes; nothing is written, not even a lock
  };
  struct options {
    std::filesystem::path file;
    std::size_t map_size = 0;
    access by = access::shared;
  };

  static result<std::unique_ptr<environment>> open(const options& opts);
  ~environment();
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

  /// Every reading transaction passes it.
  [[nodiscard]] read_gate& gate() noexcept {
    return gate_;
  }
  /// Commits leave their last page to the system: after a loss of power the
  /// newest one may be undone, unless another one or this came after it.
  result<void> sync();

  /// Whether a flush of the file has failed since it was opened, or since this
  /// was asked: LMDB does not tell that from other failures of a commit, and a
  /// flush that is tried again says nothing of what the system has dropped.
  [[nodiscard]] bool has_failed_flush() const;

  [[nodiscard]] std::size_t page_size() const noexcept {
    return page_size_;
  }
  [[nodiscard]] std::size_t map_size() const;
  /// Writer only, with no transaction open.
  result<void> resize(std::size_t map_size);

  /// Bytes of the file.
  [[nodiscard]] std::size_t length() const;
  /// Makes the file so much longer, with room on the disk. Writer only.
  result<void> lengthen(std::size_t by);
  /// Has room on the disk for so many bytes of the file, and makes it as long.
  /// Writer only.
  result<void> reserve(std::size_t size);
  /// Keeps zeros after what is used (`file_growth`). Writer only, with no
  /// transaction open.
  void grow_ahead();

  /// Bytes of all pages that were ever used: an upper bound of those in use.
  [[nodiscard]] std::size_t bytes_allocated() const;
  /// Without the pages that are free to be used again. Walks their list.
  [[nodiscard]] std::size_t bytes_in_use();
  /// Ends the transactions of other processes that have died while they read:
  /// the pages they saw would never be used again. Looks at the table of
  /// readers alone. Any thread.
  void forget_dead_readers() const;
  /// Makes the tables that there are usable, and no new ones.
  result<table_set> open_existing();
  /// Writes the last committed state to a file or pipe, without free pages:
  /// LMDB's own copy, whose size is that of `copy_size`. Reads that state until
  /// it ends; it ends early once the pipe has no reader. Any thread.
  result<void> copy(int to) const;
  /// The bytes that such a copy has, from its first two pages; 0: it is none.
  [[nodiscard]] std::uint64_t copy_size(std::string_view begin) const;
  /// So many records were read by other means than a transaction of ours.
  void note_read(std::uint64_t records) {
    note_end(records);
  }

  /// Number of the last committed state.
  [[nodiscard]] std::size_t last_commit() const;
  /// Records looked at by finished transactions: what reading has cost.
  [[nodiscard]] std::uint64_t records_visited() const noexcept {
    return residency_.records();
  }

private:
  friend class transaction;
  friend class read_transaction;
  friend class write_transaction;

  environment() = default;
  [[nodiscard]] int file() const;
  MDB_dbi& handle(table of) {
    return handles_[static_cast<std::size_t>(of)];
  }
  /// A transaction that reads; null and LMDB's code if there is none to have.
  int acquire(MDB_txn*& txn);
  void release(MDB_txn* txn);
  /// A transaction is about to end that has looked at so many records.
  void note_end(std::uint64_t visited);

  MDB_env* env_ = nullptr;
  int witness_ = -1; ///< the file, opened once more: has_failed_flush()
  std::size_t page_size_ = 4096;
  std::array<MDB_dbi, table_count> handles_{};
  file_growth growth_{page_size_};
  map_residency residency_;
  read_gate gate_;
  std::mutex mutex_;
  /// Under mutex_: reset read transactions, to be renewed.
  std::vector<MDB_txn*> spare_;
};

} // namespace fanfare::storage::lmdb
