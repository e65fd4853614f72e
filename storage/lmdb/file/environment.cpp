// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/file/environment.hpp"

#include "storage/lmdb/file/errors.hpp"
#include "storage/lmdb/file/file_length.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fanfare::storage::lmdb {

namespace {

constexpr unsigned max_readers = 1024;
constexpr std::size_t max_spare = 32;

} // namespace

// -- opening ------------------------------------------------------------------

result<std::unique_ptr<environment>> environment::open(const options& opts) {
  const auto doing = "open " + opts.file.string();
  if (auto whole = check_length(opts.file); !whole)
    return whole.error();
  std::unique_ptr<environment> env{new environment};
  if (auto code = mdb_env_create(&env->env_); code != MDB_SUCCESS) {
    env->env_ = nullptr;
    return to_error(code, doing);
  }
  mdb_env_set_maxdbs(env->env_, table_count);
  mdb_env_set_maxreaders(env->env_, max_readers);
  if (auto code = mdb_env_set_mapsize(env->env_, opts.map_size);
      code != MDB_SUCCESS)
    return to_error(code, doing);
  // Without NOTLS a reading transaction would belong to a thread.
  unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
  switch (opts.by) {
    case access::shared: flags |= MDB_NOMETASYNC; break;
    case access::alone: flags |= MDB_NOLOCK; break;
    case access::read_only: flags |= MDB_NOLOCK | MDB_RDONLY; break;
  }
  if (auto code = mdb_env_open(env->env_, opts.file.c_str(), flags, 0600);
      code != MDB_SUCCESS)
    return to_error(code, doing);
  // Programs that this one starts must not inherit the store; LMDB leaves one
  // of its files open to them.
  fcntl(env->file(), F_SETFD, FD_CLOEXEC);
  env->witness_ = ::open(opts.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (env->witness_ < 0)
    return to_error(errno, doing);
  MDB_stat stat{};
  mdb_env_stat(env->env_, &stat);
  env->page_size_ = stat.ms_psize;
  env->growth_ = file_growth{env->page_size_};
  // LMDB does not say where its map begins.
  env->residency_.find(opts.file.c_str());
  env->forget_dead_readers();
  return env;
}

environment::~environment() {
  for (auto* txn : spare_)
    mdb_txn_abort(txn);
  if (env_)
    mdb_env_close(env_);
  if (witness_ >= 0)
    ::close(witness_);
}

int environment::file() const {
  int file = -1;
  mdb_env_get_fd(env_, &file);
  return file;
}

// -- size ---------------------------------------------------------------------

std::size_t environment::map_size() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_mapsize;
}

result<void> environment::resize(std::size_t map_size) {
  if (auto code = mdb_env_set_mapsize(env_, map_size); code != MDB_SUCCESS)
    return to_error(code, "map the store into memory");
  const char* path = nullptr;
  mdb_env_get_path(env_, &path);
  residency_.find(path);
  return {};
}

std::size_t environment::length() const {
  struct stat found {};
  return ::fstat(file(), &found) == 0 ? static_cast<std::size_t>(found.st_size)
                                      : 0;
}

result<void> environment::sync() {
  if (const auto code = mdb_env_sync(env_, 1); code != MDB_SUCCESS)
    return to_error(code, "write to the store");
  return {};
}

bool environment::has_failed_flush() const {
  // Linux tells each opened file once that something was not written.
  return ::fdatasync(witness_) != 0 && errno != EINTR;
}

result<void> environment::lengthen(std::size_t by) {
  return lmdb::lengthen(file(), by);
}

result<void> environment::reserve(std::size_t size) {
  return lmdb::reserve(file(), 0, size);
}

void environment::grow_ahead() {
  growth_.grow_ahead(file(), bytes_allocated(), map_size());
}

std::size_t environment::bytes_allocated() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return (info.me_last_pgno + 1) * page_size_;
}

std::size_t environment::bytes_in_use() {
  // LMDB keeps the free pages in table 0: transaction → count, page numbers.
  constexpr MDB_dbi free_list = 0;
  std::size_t free = 0;
  MDB_txn* txn = nullptr;
  MDB_cursor* at = nullptr;
  std::uint64_t visited = 0;
  if (acquire(txn) == MDB_SUCCESS
      && mdb_cursor_open(txn, free_list, &at) == MDB_SUCCESS) {
    MDB_val key{};
    MDB_val value{};
    while (mdb_cursor_get(at, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
      std::size_t count = 0;
      if (value.mv_size >= sizeof count)
        std::memcpy(&count, value.mv_data, sizeof count);
      free += count;
      ++visited;
    }
    mdb_cursor_close(at);
  }
  note_end(visited);
  if (txn)
    release(txn);
  const auto allocated = bytes_allocated();
  return allocated > free * page_size_ ? allocated - free * page_size_ : 0;
}

void environment::forget_dead_readers() const {
  // What cannot be looked at now is looked at again later.
  (void)mdb_reader_check(env_, nullptr);
}

// -- copies -------------------------------------------------------------------

result<void> environment::copy(int to) const {
  switch (const auto code = mdb_env_copyfd2(env_, to, MDB_CP_COMPACT)) {
    case MDB_SUCCESS: return {};
    case MDB_INCOMPATIBLE:
      // LMDB has counted other pages than those that it wrote.
      return error{
        ec::store_damaged,
        "Cannot copy the store: it has pages that belong to no "
        "table. Stop Fanfare, look at it with \"fanfare check\", and "
        "copy the data directory as it is."};
    default: return to_error(code, "copy the store");
  }
}

std::uint64_t environment::copy_size(std::string_view begin) const {
  // In page 1, behind what a page begins with and the roots of two tables.
  constexpr std::size_t last_page_at = 16 + 120;
  if (begin.size() < 2 * page_size_)
    return 0;
  std::uint64_t last = 0;
  std::memcpy(&last, begin.data() + page_size_ + last_page_at, sizeof last);
  return (last + 1) * page_size_;
}

std::size_t environment::last_commit() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_last_txnid;
}

// -- transactions -------------------------------------------------------------

int environment::acquire(MDB_txn*& txn) {
  {
    std::lock_guard lock{mutex_};
    if (!spare_.empty()) {
      txn = spare_.back();
      spare_.pop_back();
    }
  }
  if (!txn)
    return mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  auto code = mdb_txn_renew(txn);
  if (code != MDB_SUCCESS) {
    mdb_txn_abort(txn);
    txn = nullptr;
  }
  return code;
}

void environment::release(MDB_txn* txn) {
  mdb_txn_reset(txn);
  std::lock_guard lock{mutex_};
  if (spare_.size() < max_spare)
    spare_.push_back(txn);
  else
    mdb_txn_abort(txn);
}

void environment::note_end(std::uint64_t visited) {
  if (residency_.note(visited))
    residency_.drop(bytes_allocated());
}

} // namespace fanfare::storage::lmdb
