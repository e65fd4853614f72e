// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/file/transaction.hpp"

#include "storage/lmdb/file/errors.hpp"

#include <cstring>
#include <string>
#include <utility>

namespace fanfare::storage::lmdb {

namespace {

MDB_val to_val(bytes b) {
  // LMDB's interface is not const-correct; it does not write through keys and
  // values that are given to it.
  return {b.size(), const_cast<char*>(b.data())};
}

} // namespace

// -- transaction --------------------------------------------------------------

void transaction::fail(int code, std::string_view doing) {
  if (failure_)
    return;
  failure_ = to_error(code, doing);
  code_ = code;
}

void transaction::fail(error e) {
  if (!failure_)
    failure_ = std::move(e);
}

void transaction::damaged(std::string_view what) {
  fail(error{ec::store_damaged,
             "The store is damaged: the record of " + std::string{what}
               + " cannot be read. Restore the data directory from a backup."});
}

void transaction::damaged(std::string_view what, std::uint64_t number) {
  damaged(std::string{what} + " " + std::to_string(number));
}

std::optional<bytes> transaction::get(table in, bytes key) {
  if (!ok())
    return std::nullopt;
  ++visited_;
  auto k = to_val(key);
  MDB_val v{};
  const auto code = mdb_get(txn_, handle(in), &k, &v);
  if (code == MDB_SUCCESS)
    return bytes{static_cast<const char*>(v.mv_data), v.mv_size};
  if (code != MDB_NOTFOUND)
    fail(code, "read from the store");
  return std::nullopt;
}

std::size_t transaction::count(table in) {
  MDB_stat stat{};
  if (!ok())
    return 0;
  if (auto code = mdb_stat(txn_, handle(in), &stat); code != MDB_SUCCESS)
    fail(code, "read from the store");
  return stat.ms_entries;
}

// -- read transaction ---------------------------------------------------------

read_transaction::read_transaction(environment& env)
  : read_transaction(env, env.gate().pass()) {}

read_transaction::read_transaction(environment& env, const result<void>& passed)
  : transaction(env) {
  if (!passed)
    fail(passed.error());
  else if (auto code = env.acquire(txn_); code != MDB_SUCCESS)
    fail(code, "read from the store");
}

void transaction::note_read() {
  env_->note_read(std::exchange(visited_, 0));
}

read_transaction::~read_transaction() {
  env_->note_end(visited_);
  if (txn_)
    env_->release(txn_);
}

result<table_set> environment::open_existing() {
  MDB_txn* txn = nullptr;
  if (auto code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
      code != MDB_SUCCESS)
    return to_error(code, "read from the store");
  table_set found;
  for (std::size_t i = 0; i < table_count; ++i) {
    const auto* name = table_definitions[i].name;
    const auto code = mdb_dbi_open(txn, name, 0, &handles_[i]);
    if (code != MDB_SUCCESS && code != MDB_NOTFOUND) {
      mdb_txn_abort(txn);
      return to_error(code, std::string{"open the table "} + name);
    }
    found.set(i, code == MDB_SUCCESS);
  }
  // What was opened stays open.
  if (auto code = mdb_txn_commit(txn); code != MDB_SUCCESS)
    return to_error(code, "read from the store");
  return found;
}

// -- write transaction --------------------------------------------------------

write_transaction::write_transaction(environment& env) : transaction(env) {
  if (auto code = mdb_txn_begin(env.env_, nullptr, 0, &txn_);
      code != MDB_SUCCESS) {
    txn_ = nullptr;
    fail(code, "write to the store");
  }
}

write_transaction::~write_transaction() {
  env_->note_end(visited_);
  if (txn_)
    mdb_txn_abort(txn_);
}

void write_transaction::open(table which) {
  if (!ok())
    return;
  const auto& definition = definition_of(which);
  unsigned flags = MDB_CREATE;
  if (definition.by_number)
    flags |= MDB_INTEGERKEY;
  if (definition.value_size != 0)
    flags |= MDB_DUPSORT | MDB_DUPFIXED;
  if (auto code = mdb_dbi_open(txn_, definition.name, flags,
                               &env_->handle(which));
      code != MDB_SUCCESS)
    fail(code, std::string{"open the table "} + definition.name);
}

bool write_transaction::is_empty() {
  MDB_dbi main = 0;
  MDB_stat stat{};
  if (!ok())
    return false;
  auto code = mdb_dbi_open(txn_, nullptr, 0, &main);
  if (code == MDB_SUCCESS)
    code = mdb_stat(txn_, main, &stat);
  if (code != MDB_SUCCESS)
    fail(code, "open the store");
  return stat.ms_entries == 0;
}

bool write_transaction::has(table which) {
  return ok()
      && mdb_dbi_open(txn_, definition_of(which).name, 0, &env_->handle(which))
           == MDB_SUCCESS;
}

void write_transaction::apply(const effect& change, MDB_cursor* at) {
  if (!ok())
    return;
  ++changes_;
  if (sink_)
    sink_->note(change);
  const auto code = change.what == effect::kind::erase ? erase(change, at)
                                                       : put(change, at);
  if (code != MDB_SUCCESS)
    fail(code, "write to the store");
}

int write_transaction::put(const effect& change, MDB_cursor* at) {
  auto key = to_val(change.key);
  const auto put_one = [&](MDB_val& value, unsigned flags) {
    return at ? mdb_cursor_put(at, &key, &value, flags)
              : mdb_put(txn_, handle(change.in), &key, &value, flags);
  };
  const auto size = definition_of(change.in).value_size;
  const bool at_end = change.what == effect::kind::append;
  if (size != 0) {
    const unsigned flags = at_end ? MDB_APPENDDUP : 0;
    if (at) {
      // The size of each, then how many.
      MDB_val values[] = {{size, const_cast<char*>(change.value.data())},
                          {change.value.size() / size, nullptr}};
      return mdb_cursor_put(at, &key, values, flags | MDB_MULTIPLE);
    }
    auto value = to_val(change.value);
    return put_one(value, flags);
  }
  const unsigned flags = at_end ? MDB_APPEND : 0;
  if (change.rest.empty()) {
    auto value = to_val(change.value);
    return put_one(value, flags);
  }
  MDB_val value{change.value.size() + change.rest.size(), nullptr};
  const auto code = put_one(value, flags | MDB_RESERVE);
  if (code == MDB_SUCCESS) {
    auto* to = static_cast<char*>(value.mv_data);
    std::memcpy(to, change.value.data(), change.value.size());
    std::memcpy(to + change.value.size(), change.rest.data(),
                change.rest.size());
  }
  return code;
}

int write_transaction::erase(const effect& change, MDB_cursor* at) {
  if (at)
    return mdb_cursor_del(at, 0);
  auto key = to_val(change.key);
  auto value = to_val(change.value);
  const bool of_many = definition_of(change.in).value_size != 0;
  const auto code = mdb_del(txn_, handle(change.in), &key,
                            of_many ? &value : nullptr);
  return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

result<void> write_transaction::commit() {
  env_->note_end(std::exchange(visited_, 0));
  if (ok()) {
    const auto code = mdb_txn_commit(txn_);
    txn_ = nullptr;
    if (code == MDB_SUCCESS)
      return {};
    fail(code, "write to the store");
  }
  if (txn_) {
    mdb_txn_abort(txn_);
    txn_ = nullptr;
  }
  return failure();
}

// -- cursor -------------------------------------------------------------------

cursor::cursor(transaction& txn, table in) : in_(in), txn_(txn) {
  if (!txn.ok())
    return;
  if (auto code = mdb_cursor_open(txn.txn_, txn.handle(in), &cursor_);
      code != MDB_SUCCESS) {
    cursor_ = nullptr;
    txn_.fail(code, "read from the store");
  }
}

cursor::~cursor() {
  if (cursor_)
    mdb_cursor_close(cursor_);
}

bool cursor::get(MDB_cursor_op op) {
  if (!cursor_ || !txn_.ok())
    return false;
  ++txn_.visited_;
  const auto code = mdb_cursor_get(cursor_, &key_, &value_, op);
  if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
    txn_.fail(code, "read from the store");
  return code == MDB_SUCCESS;
}

bool cursor::seek(bytes key) {
  key_ = to_val(key);
  return get(MDB_SET_RANGE);
}

bool cursor::seek(bytes key, bytes value) {
  key_ = to_val(key);
  value_ = to_val(value);
  return get(MDB_GET_BOTH_RANGE);
}

std::size_t cursor::count() {
  std::size_t n = 0;
  if (cursor_ && txn_.ok())
    if (auto code = mdb_cursor_count(cursor_, &n); code != MDB_SUCCESS)
      txn_.fail(code, "read from the store");
  return n;
}

} // namespace fanfare::storage::lmdb
