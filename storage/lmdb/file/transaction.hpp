// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Transactions and cursors of an environment, as values with owners. Errors
/// stick to their transaction: after the first one every read finds nothing and
/// every write does nothing, and whoever ends the transaction looks at it once.

#include "fanfare/error.hpp"
#include "storage/lmdb/file/environment.hpp"
#include "storage/lmdb/file/table.hpp"

#include <lmdb.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace fanfare::storage::lmdb {

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
  /// A record cannot be decoded. `what` names it, together with `number`:
  /// "webhook 12".
  void damaged(std::string_view what);
  void damaged(std::string_view what, std::uint64_t number);

  /// Nothing if there is no such key or the transaction has failed.
  [[nodiscard]] std::optional<bytes> get(table in, bytes key);

  /// How many values the table has; 0 if the transaction has failed.
  [[nodiscard]] std::size_t count(table in);

  /// For who reads much: what was read so far need not stay in memory, which is
  /// else looked at when the transaction ends.
  void note_read();

  /// Number of the committed state that is read.
  [[nodiscard]] std::size_t number() const {
    return mdb_txn_id(txn_);
  }

protected:
  explicit transaction(environment& env) : env_(&env) {}
  ~transaction() = default;

  [[nodiscard]] MDB_dbi handle(table of) const {
    return env_->handle(of);
  }

  environment* env_;
  MDB_txn* txn_ = nullptr;
  std::uint64_t visited_ = 0; ///< records

private:
  friend class cursor;
  std::optional<error> failure_;
  int code_ = 0;
};

/// Short-lived: the pages it can see are not used again while it lives.
class read_transaction final : public transaction {
public:
  /// Waits at the environment's gate.
  explicit read_transaction(environment& env);
  /// For whoever has passed the gate, and must not wait any more: `passed` says
  /// how that ended.
  read_transaction(environment& env, const result<void>& passed);
  ~read_transaction();
};

/// One change of a table: all there is to know of it.
struct effect {
  enum class kind : std::uint8_t {
    put,    ///< adds the value, or replaces that of the key
    append, ///< the same, known to come after all others
    erase,  ///< removes the key
  };
  kind what;
  table in;
  bytes key;
  /// If a key of the table may have many values, those to add, one after the
  /// other, or the one to erase.
  bytes value = {};
  /// Follows `value`, which spares copying a large text behind it.
  bytes rest = {};
};

/// Gets every change that a transaction makes.
class effect_sink {
public:
  virtual void note(const effect& change) = 0;

protected:
  ~effect_sink() = default;
};

/// The writer's. Rolled back unless committed. LMDB wants it to be begun and
/// ended by one thread; in between any may use it, one at a time.
class write_transaction final : public transaction {
public:
  explicit write_transaction(environment& env);
  ~write_transaction();

  /// Makes the table usable in the environment, and the table itself if there
  /// is none, once this is committed.
  void open(table which);
  /// Whether the file has no table at all.
  [[nodiscard]] bool is_empty();
  /// Whether the file has such a table; makes it usable if so.
  [[nodiscard]] bool has(table which);

  void put(table in, bytes key, bytes value) {
    apply({effect::kind::put, in, key, value});
  }
  /// Adds what comes after all keys of the table, or after all values of the
  /// key if it may have many.
  void append(table in, bytes key, bytes value) {
    apply({effect::kind::append, in, key, value});
  }
  /// Nothing if there is no such key.
  void erase(table in, bytes key) {
    apply({effect::kind::erase, in, key});
  }
  /// Of a key with many values removes this one.
  void erase(table in, bytes key, bytes value) {
    apply({effect::kind::erase, in, key, value});
  }

  /// From here on `to` gets the changes, before they are made; null: nobody.
  /// Returns who got them before.
  effect_sink* tell(effect_sink* to) noexcept {
    return std::exchange(sink_, to);
  }
  /// Changes made so far.
  [[nodiscard]] std::size_t changes() const noexcept {
    return changes_;
  }

  /// Once it returns without error a crash of the process cannot undo it (see
  /// `environment::sync`). Ends the transaction in any case.
  result<void> commit();

private:
  friend class write_cursor;

  /// Every change of a table passes here. `at` is the cursor to make it with:
  /// null, or for an erase the one that stands on the entry.
  void apply(const effect& change, MDB_cursor* at = nullptr);
  int put(const effect& change, MDB_cursor* at);
  int erase(const effect& change, MDB_cursor* at);

  effect_sink* sink_ = nullptr;
  std::size_t changes_ = 0;
};

/// Walks a table. Must end before its transaction.
class cursor {
public:
  cursor(transaction& txn, table in);
  ~cursor();
  cursor(const cursor&) = delete;
  cursor& operator=(const cursor&) = delete;

  // Each says whether it now stands on an entry.

  bool first() {
    return get(MDB_FIRST);
  }
  bool last() {
    return get(MDB_LAST);
  }
  bool next() {
    return get(MDB_NEXT);
  }
  bool previous() {
    return get(MDB_PREV);
  }
  /// To the first key that is not less.
  bool seek(bytes key);

  // In a table whose keys have many values.

  /// To this key's first value that is not less.
  bool seek(bytes key, bytes value);
  bool next_value() {
    return get(MDB_NEXT_DUP);
  }
  bool previous_value() {
    return get(MDB_PREV_DUP);
  }
  bool last_value() {
    return get(MDB_LAST_DUP);
  }
  /// Number of values of the key it stands on.
  [[nodiscard]] std::size_t count();

  [[nodiscard]] bytes key() const noexcept {
    return view(key_);
  }
  [[nodiscard]] bytes value() const noexcept {
    return view(value_);
  }

protected:
  MDB_cursor* cursor_ = nullptr;
  table in_;

private:
  static bytes view(const MDB_val& v) noexcept {
    return {static_cast<const char*>(v.mv_data), v.mv_size};
  }
  bool get(MDB_cursor_op op);

  transaction& txn_;
  MDB_val key_{};
  MDB_val value_{};
};

/// One that changes the table it walks.
class write_cursor final : public cursor {
public:
  write_cursor(write_transaction& txn, table in) : cursor(txn, in), txn_(txn) {}

  /// Removes the entry it stands on; next() goes on behind it.
  void erase() {
    txn_.apply({effect::kind::erase, in_, key(), value()}, cursor_);
  }
  /// As `write_transaction::append`, with `rest` behind `value`. Cheaper the
  /// second time, as it then stands at the end.
  void append(bytes key, bytes value, bytes rest = {}) {
    txn_.apply({effect::kind::append, in_, key, value, rest}, cursor_);
  }

private:
  write_transaction& txn_;
};

} // namespace fanfare::storage::lmdb
