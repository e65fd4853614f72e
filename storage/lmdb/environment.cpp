// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/environment.hpp"

#include "storage/lmdb/file_length.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>

namespace fanfare::storage::lmdb {

namespace {

constexpr unsigned max_readers = 1024;
constexpr std::size_t max_spare = 32;
/// By how many zeros a file grows.
constexpr std::size_t shortest_step = std::size_t{64} << 10;
constexpr std::size_t longest_step = std::size_t{512} << 10;
/// What the process may have of its files in memory, its program included.
constexpr std::size_t max_resident = std::size_t{32} << 20;
/// That is looked at after so many records, and after that time.
constexpr std::uint64_t look_records = 2'048;
constexpr std::chrono::milliseconds look_interval{50};

MDB_val to_val(bytes b) {
  // LMDB's interface is not const-correct; it does not write through keys and
  // values that are given to it.
  return {b.size(), const_cast<char*>(b.data())};
}

/// Bytes of files that this process has in memory.
std::size_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::size_t size = 0;
  std::size_t resident = 0;
  std::size_t of_files = 0;
  statm >> size >> resident >> of_files;
  return of_files * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

error to_error(int code, std::string_view doing) {
  auto text = "Cannot " + std::string{doing} + ": ";
  switch (code) {
    case MDB_MAP_FULL:
      return {
        ec::store_full,
        text
          + "the store has reached its maximum size. Raise the maximum size "
            "or shorten the retention."};
    case ENOSPC:
      return {ec::store_full,
              text + "the disk is full. Free some space on it."};
    case EDQUOT:
      return {
        ec::store_full,
        text
          + "the disk quota of this user is used up. Raise it or free some "
            "space."};
    case EFBIG:
      return {
        ec::store_full,
        text
          + "the file has reached the largest size allowed for this process. "
            "Raise that limit (ulimit -f)."};
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
      return {ec::store_damaged,
              text + "the store is damaged (" + mdb_strerror(code)
                + "). Restore the data directory from a backup."};
    case MDB_PANIC:
      return {
        ec::io_error,
        text
          + "an earlier write to the disk failed half-way. Check the disk and "
            "restart Fanfare."};
    case MDB_VERSION_MISMATCH:
    case MDB_INVALID:
      return {ec::store_foreign, text + "the file is not a Fanfare store ("
                                   + mdb_strerror(code)
                                   + "). Use another directory."};
    case EACCES:
    case EPERM:
    case EROFS:
      return {
        ec::io_error,
        text + std::generic_category().message(code)
          + ". The user that runs Fanfare must own the data directory and be "
            "able to write to it."};
    case ENOMEM:
      return {ec::io_error,
              text + std::generic_category().message(code)
                + ". Give the process more memory and address space (ulimit "
                  "-v), or the store a smaller maximum size."};
    case EMFILE:
    case ENFILE:
      return {ec::io_error, text + std::generic_category().message(code)
                              + ". Raise the limit of open files (ulimit -n)."};
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
      return {ec::io_error, text + std::generic_category().message(code)
                              + ". Use another directory."};
    default: break;
  }
  return {ec::io_error, text
                          + (code > 0 ? std::generic_category().message(code)
                                      : std::string{mdb_strerror(code)})
                          + ". Check the disk."};
}

// -- transactions -------------------------------------------------------------

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

std::optional<bytes> transaction::get(table in, bytes key) {
  if (!ok())
    return std::nullopt;
  ++visited_;
  auto k = to_val(key);
  MDB_val v{};
  auto code = mdb_get(txn_, in.handle, &k, &v);
  if (code == MDB_SUCCESS)
    return bytes{static_cast<const char*>(v.mv_data), v.mv_size};
  if (code != MDB_NOTFOUND)
    fail(code, "read from the store");
  return std::nullopt;
}

read_transaction::read_transaction(environment& env)
  : transaction(env, nullptr) {
  if (auto code = env.acquire(txn_); code != MDB_SUCCESS)
    fail(code, "read from the store");
}

read_transaction::~read_transaction() {
  env_->note_end(visited_);
  if (txn_)
    env_->release(txn_);
}

write_transaction::write_transaction(environment& env)
  : transaction(env, nullptr) {
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

void write_transaction::put(table in, bytes key, bytes value, unsigned flags) {
  if (!ok())
    return;
  auto k = to_val(key);
  auto v = to_val(value);
  if (auto code = mdb_put(txn_, in.handle, &k, &v, flags); code != MDB_SUCCESS)
    fail(code, "write to the store");
}

char* write_transaction::reserve(table in, bytes key, std::size_t size,
                                 unsigned flags) {
  if (!ok())
    return nullptr;
  auto k = to_val(key);
  MDB_val v{size, nullptr};
  if (auto code = mdb_put(txn_, in.handle, &k, &v, flags | MDB_RESERVE);
      code != MDB_SUCCESS) {
    fail(code, "write to the store");
    return nullptr;
  }
  return static_cast<char*>(v.mv_data);
}

bool write_transaction::erase(table in, bytes key) {
  if (!ok())
    return false;
  auto k = to_val(key);
  auto code = mdb_del(txn_, in.handle, &k, nullptr);
  if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
    fail(code, "write to the store");
  return code == MDB_SUCCESS;
}

bool write_transaction::erase(table in, bytes key, bytes value) {
  if (!ok())
    return false;
  auto k = to_val(key);
  auto v = to_val(value);
  auto code = mdb_del(txn_, in.handle, &k, &v);
  if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
    fail(code, "write to the store");
  return code == MDB_SUCCESS;
}

result<void> write_transaction::commit() {
  if (ok()) {
    auto code = mdb_txn_commit(txn_);
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

cursor::cursor(transaction& txn, table in) : txn_(txn) {
  if (!txn.ok())
    return;
  if (auto code = mdb_cursor_open(txn.handle(), in.handle, &cursor_);
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
  auto code = mdb_cursor_get(cursor_, &key_, &value_, op);
  if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
    txn_.fail(code, "read from the store");
  return code == MDB_SUCCESS;
}

bool cursor::move(MDB_cursor_op op) {
  return get(op);
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

void cursor::erase() {
  if (!cursor_ || !txn_.ok())
    return;
  if (auto code = mdb_cursor_del(cursor_, 0); code != MDB_SUCCESS)
    txn_.fail(code, "write to the store");
}

void cursor::put(bytes key, bytes value, unsigned flags) {
  if (!cursor_ || !txn_.ok())
    return;
  auto k = to_val(key);
  auto v = to_val(value);
  if (auto code = mdb_cursor_put(cursor_, &k, &v, flags); code != MDB_SUCCESS)
    txn_.fail(code, "write to the store");
}

char* cursor::reserve(bytes key, std::size_t size, unsigned flags) {
  if (!cursor_ || !txn_.ok())
    return nullptr;
  auto k = to_val(key);
  MDB_val v{size, nullptr};
  if (auto code = mdb_cursor_put(cursor_, &k, &v, flags | MDB_RESERVE);
      code != MDB_SUCCESS) {
    txn_.fail(code, "write to the store");
    return nullptr;
  }
  return static_cast<char*>(v.mv_data);
}

void cursor::append_values(bytes key, bytes values, std::size_t size) {
  if (!cursor_ || !txn_.ok())
    return;
  auto k = to_val(key);
  // The size of each, then how many.
  MDB_val v[] = {{size, const_cast<char*>(values.data())},
                 {values.size() / size, nullptr}};
  if (auto code = mdb_cursor_put(cursor_, &k, v, MDB_MULTIPLE | MDB_APPENDDUP);
      code != MDB_SUCCESS)
    txn_.fail(code, "write to the store");
}

// -- environment --------------------------------------------------------------

result<std::unique_ptr<environment>> environment::open(const options& opts) {
  auto doing = "open " + opts.file.string();
  if (auto whole = check_length(opts.file); !whole)
    return whole.error();
  std::unique_ptr<environment> env{new environment};
  if (auto code = mdb_env_create(&env->env_); code != MDB_SUCCESS) {
    env->env_ = nullptr;
    return to_error(code, doing);
  }
  mdb_env_set_maxdbs(env->env_, opts.max_tables);
  mdb_env_set_maxreaders(env->env_, max_readers);
  if (auto code = mdb_env_set_mapsize(env->env_, opts.map_size);
      code != MDB_SUCCESS)
    return to_error(code, doing);
  // Without NOTLS a reading transaction would belong to a thread.
  if (auto code = mdb_env_open(env->env_, opts.file.c_str(),
                               MDB_NOSUBDIR | MDB_NOTLS, 0600);
      code != MDB_SUCCESS)
    return to_error(code, doing);
  // Programs that this one starts must not inherit the store; LMDB leaves one
  // of its files open to them.
  if (int file = -1; mdb_env_get_fd(env->env_, &file) == MDB_SUCCESS)
    fcntl(file, F_SETFD, FD_CLOEXEC);
  MDB_stat stat{};
  mdb_env_stat(env->env_, &stat);
  env->page_size_ = stat.ms_psize;
  env->find_map();
  return env;
}

environment::~environment() {
  for (auto* txn : spare_)
    mdb_txn_abort(txn);
  if (env_)
    mdb_env_close(env_);
}

std::size_t environment::map_size() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_mapsize;
}

result<void> environment::resize(std::size_t map_size) {
  if (auto code = mdb_env_set_mapsize(env_, map_size); code != MDB_SUCCESS)
    return to_error(code, "map the store into memory");
  find_map();
  return {};
}

void environment::find_map() {
  // LMDB does not tell where its map begins.
  map_ = nullptr;
  const char* file = nullptr;
  mdb_env_get_path(env_, &file);
  std::error_code failed;
  const auto path = std::filesystem::canonical(file, failed).string();
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; !failed && std::getline(maps, line);)
    if (line.ends_with(" " + path)) {
      // "7f0c5a000000-7f1c5a000000 r--s …"
      void* begin = nullptr;
      if (std::sscanf(line.c_str(), "%p", &begin) == 1)
        map_ = static_cast<char*>(begin);
      return;
    }
}

void environment::note_end(std::uint64_t visited) {
  constexpr auto relaxed = std::memory_order_relaxed;
  const auto seen = visited_.fetch_add(visited, relaxed) + visited;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  if (!map_
      || (seen < look_again_after_.load(relaxed)
          && now.count() < look_again_at_.load(relaxed)))
    return;
  look_again_after_.store(seen + look_records, relaxed);
  look_again_at_.store((now + look_interval).count(), relaxed);
  // Whatever is read of the file, and what lies around it, counts as the
  // process's memory until the system is short of it: a backlog of a million
  // would be all there. It stays in the system's cache; who needs it again pays
  // a page fault. Nothing of the map is ever written to.
  if (resident_bytes() > max_resident)
    ::madvise(map_, pages_allocated() * page_size_, MADV_DONTNEED);
}

result<void> environment::lengthen(std::size_t by) {
  int file = -1;
  mdb_env_get_fd(env_, &file);
  struct stat found {};
  if (::fstat(file, &found) != 0)
    return to_error(errno, "write to the store");
  if (::fallocate(file, 0, found.st_size, static_cast<off_t>(by)) != 0)
    return to_error(errno, "write to the store");
  return {};
}

void environment::grow_ahead() {
  // A small store grows in small steps.
  const auto used = pages_allocated() * page_size_;
  const auto step = std::clamp(used / 8 / page_size_ * page_size_,
                               shortest_step, longest_step);
  if (used + step / 2 <= grown_upto_)
    return; // also if nothing was written: an idle store is not touched
  int file = -1;
  mdb_env_get_fd(env_, &file);
  struct stat found {};
  if (::fstat(file, &found) != 0)
    return;
  // Only behind all that LMDB has ever written.
  auto at = std::max(used, static_cast<std::size_t>(found.st_size));
  const auto upto = std::min(at + step, map_size());
  // A page at a time, as LMDB writes them: what is written at once, Linux may
  // keep, and count as written, as a whole later on.
  static constexpr std::array<char, 4096> zeros{};
  while (at < upto) {
    const auto written = ::pwrite(file, zeros.data(),
                                  std::min(zeros.size(), upto - at),
                                  static_cast<off_t>(at));
    if (written <= 0)
      break; // whether there is room is for the commit to find out
    at += static_cast<std::size_t>(written);
  }
  grown_upto_ = std::max(upto, used + step); // tried once, not at each commit
}

std::size_t environment::pages_allocated() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_last_pgno + 1;
}

std::size_t environment::pages_in_use() {
  // LMDB keeps the free pages in table 0: transaction → count, page numbers.
  constexpr table free_list{0};
  read_transaction txn{*this};
  std::size_t free = 0;
  cursor at{txn, free_list};
  for (auto more = at.move(MDB_FIRST); more; more = at.move(MDB_NEXT)) {
    std::size_t count = 0;
    if (at.value().size() >= sizeof count)
      std::memcpy(&count, at.value().data(), sizeof count);
    free += count;
  }
  auto allocated = pages_allocated();
  return allocated > free ? allocated - free : 0;
}

std::size_t environment::last_commit() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_last_txnid;
}

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

} // namespace fanfare::storage::lmdb
