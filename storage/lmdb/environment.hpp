// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// LMDB as values with owners: the environment (one file), transactions and
/// cursors. Errors stick to their transaction: after the first one every read
/// finds nothing and every write does nothing, and whoever ends the transaction
/// looks at it once. Knows nothing of what is stored.

#include "fanfare/error.hpp"

#include <lmdb.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace fanfare::storage::lmdb {

/// Keys and values. What a transaction returns points into the map and is valid
/// until its next write or its end.
using bytes = std::string_view;

struct table {
  MDB_dbi handle = 0;
};

/// What a return code of LMDB or an errno means to the user of the store.
/// `doing` completes "Cannot …".
[[nodiscard]] error to_error(int code, std::string_view doing);

class environment;

/// What reading and writing transactions have in common.
class transaction {
public:
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  [[nodiscard]] bool ok() const noexcept {
    return !failure_;
  }
  /// Only if not ok().
  [[nodiscard]] const error& failure() const {
    return *failure_;
  }
  /// LMDB's or the system's code of the first error; 0 if it had none.
  [[nodiscard]] int code() const noexcept {
    return code_;
  }
  /// Makes the transaction fail unless it already has.
  void fail(int code, std::string_view doing);
  void fail(error e);
  /// A record cannot be decoded; `what` names it: "webhook 12".
  void damaged(std::string_view what);

  /// Nothing if there is no such key or the transaction has failed.
  [[nodiscard]] std::optional<bytes> get(table in, bytes key);

  /// Number of the committed state that is read.
  [[nodiscard]] std::size_t number() const {
    return mdb_txn_id(txn_);
  }
  [[nodiscard]] MDB_txn* handle() const noexcept {
    return txn_;
  }

protected:
  transaction(environment& env, MDB_txn* txn) : env_(&env), txn_(txn) {}
  ~transaction() = default;

  environment* env_;
  MDB_txn* txn_;

private:
  friend class cursor;
  std::optional<error> failure_;
  int code_ = 0;

protected:
  std::uint64_t visited_ = 0;
};

/// Short-lived: the pages it can see are not used again while it lives.
class read_transaction final : public transaction {
public:
  explicit read_transaction(environment& env);
  ~read_transaction();
};

/// The writer's. Rolled back unless committed.
class write_transaction final : public transaction {
public:
  explicit write_transaction(environment& env);
  ~write_transaction();

  /// `flags` are those of mdb_put, e.g. MDB_APPEND.
  void put(table in, bytes key, bytes value, unsigned flags = 0);
  /// Makes room for a value that the caller fills in before anything else; null
  /// if the transaction has failed.
  [[nodiscard]] char* reserve(table in, bytes key, std::size_t size,
                              unsigned flags = 0);
  /// Whether there was such a key.
  bool erase(table in, bytes key);
  /// Of a key with several values removes this one.
  bool erase(table in, bytes key, bytes value);

  /// Durable when it returns without error. Ends the transaction in any case.
  result<void> commit();
};

/// Walks a table. Must end before its transaction.
class cursor {
public:
  cursor(transaction& txn, table in);
  ~cursor();
  cursor(const cursor&) = delete;
  cursor& operator=(const cursor&) = delete;

  /// Whether it now stands on an entry: mdb_cursor_get with an operation that
  /// needs no key.
  bool move(MDB_cursor_op op);
  /// To the first key that is not less.
  bool seek(bytes key);
  /// In a table of several values per key: to this key's first value that is
  /// not less.
  bool seek(bytes key, bytes value);

  [[nodiscard]] bytes key() const noexcept {
    return view(key_);
  }
  [[nodiscard]] bytes value() const noexcept {
    return view(value_);
  }
  /// Number of values of the key it stands on.
  [[nodiscard]] std::size_t count();

  /// Only in a write_transaction. Removes the entry it stands on; MDB_NEXT goes
  /// on behind it.
  void erase();
  /// Only in a write_transaction, as there.
  void put(bytes key, bytes value, unsigned flags);
  [[nodiscard]] char* reserve(bytes key, std::size_t size, unsigned flags);
  /// Adds `values`, each of `size` bytes, behind all that the key has. They are
  /// in ascending order. Only for tables whose keys have many values, all of
  /// that size.
  void append_values(bytes key, bytes values, std::size_t size);

private:
  static bytes view(const MDB_val& v) noexcept {
    return {static_cast<const char*>(v.mv_data), v.mv_size};
  }
  bool get(MDB_cursor_op op);

  transaction& txn_;
  MDB_cursor* cursor_ = nullptr;
  MDB_val key_{};
  MDB_val value_{};
};

/// One LMDB file, opened. Any thread may read; one writes.
class environment {
public:
  struct options {
    std::filesystem::path file;
    std::size_t map_size = 0;
    unsigned max_tables = 0;
  };

  static result<std::unique_ptr<environment>> open(const options& opts);
  ~environment();
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

  [[nodiscard]] std::size_t page_size() const noexcept {
    return page_size_;
  }
  [[nodiscard]] std::size_t map_size() const;
  /// Writer only, with no transaction open.
  result<void> resize(std::size_t map_size);

  /// Makes the file so much longer, with room on the disk. Writer only.
  result<void> lengthen(std::size_t by);
  /// Keeps zeros behind what is used, so that a commit which appends to the
  /// file finds blocks there: to sync it is then a matter of the data alone,
  /// which takes a third less time than if the file system has to note a longer
  /// file. To be called with no transaction open. If it cannot, it leaves that
  /// to the commit.
  void grow_ahead();

  /// Pages of the file that were ever used: an upper bound of those in use.
  [[nodiscard]] std::size_t pages_allocated() const;
  /// Without those that are free to be used again. Walks the list of free
  /// pages.
  [[nodiscard]] std::size_t pages_in_use();
  /// Number of the last committed state.
  [[nodiscard]] std::size_t last_commit() const;
  /// Records looked at by finished transactions: what reading has cost.
  [[nodiscard]] std::uint64_t records_visited() const noexcept {
    return visited_.load();
  }

private:
  friend class read_transaction;
  friend class write_transaction;

  environment() = default;
  int acquire(MDB_txn*& txn);
  void release(MDB_txn* txn);
  /// A transaction is about to end.
  void note_end(std::uint64_t visited);
  /// Finds where the file is mapped.
  void find_map();

  MDB_env* env_ = nullptr;
  std::size_t page_size_ = 4096;
  std::size_t grown_upto_ = 0; ///< bytes of the file that grow_ahead() saw to
  std::atomic<std::uint64_t> visited_{0};
  /// Null if it is not known.
  char* map_ = nullptr;
  /// When to look again how much of the map is in memory: by `visited_`, and by
  /// steady_clock.
  std::atomic<std::uint64_t> look_again_after_{0};
  std::atomic<std::int64_t> look_again_at_{0};
  /// Guards spare_: reset read transactions, to be renewed.
  std::mutex mutex_;
  std::vector<MDB_txn*> spare_;
};

} // namespace fanfare::storage::lmdb
