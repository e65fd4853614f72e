// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/backup/copy.hpp"

#include "model/without_signals.hpp"
#include "storage/lmdb/file/errors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace fanfare::storage::lmdb {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::size_t chunk_size = std::size_t{64} << 10;
/// How long nobody is asked whether to go on.
constexpr auto longest_nap = 100ms;

/// Both ends are closed at the end.
class pipe_ends {
public:
  pipe_ends() {
    if (::pipe2(ends_, O_CLOEXEC) != 0)
      ends_[0] = ends_[1] = -1;
  }
  ~pipe_ends() {
    close_reader();
    close_writer();
  }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;

  [[nodiscard]] bool ok() const {
    return ends_[0] >= 0;
  }
  [[nodiscard]] int writer() const {
    return ends_[1];
  }
  void close_reader() {
    if (ends_[0] >= 0)
      ::close(std::exchange(ends_[0], -1));
  }
  void close_writer() {
    if (ends_[1] >= 0)
      ::close(std::exchange(ends_[1], -1));
  }
  /// As much as fits into `to`, less only at the end.
  [[nodiscard]] result<std::string_view> read(std::string& to) const {
    std::size_t got = 0;
    while (got < to.size()) {
      const auto done = ::read(ends_[0], to.data() + got, to.size() - got);
      if (done < 0 && errno == EINTR)
        continue;
      if (done < 0)
        return to_error(errno, "copy the store");
      if (done == 0)
        break;
      got += static_cast<std::size_t>(done);
    }
    return std::string_view{to}.substr(0, got);
  }

private:
  int ends_[2] = {-1, -1};
};

/// Takes the copy out of the pipe, at its pace and within its limits.
class courier {
public:
  courier(environment& env, backup_sink& to, const backup_options& options,
          std::size_t growth)
    : env_(env),
      to_(to),
      options_(options),
      largest_(env.bytes_allocated() + growth) {}

  result<void> carry(const pipe_ends& from) {
    // What comes slowly comes in small pieces: nobody waits long for one.
    const auto rate = options_.bytes_per_second;
    const auto wanted = rate == 0 ? chunk_size : std::min(chunk_size, rate);
    std::string buffer(std::max(wanted, 2 * env_.page_size()), '\0');
    for (;;) {
      const auto chunk = from.read(buffer);
      if (!chunk)
        return chunk.error();
      if (chunk->empty())
        break;
      if (done_ == 0)
        if (auto begun = begin(*chunk); !begun)
          return begun;
      done_ += chunk->size();
      if (auto taken = to_.write(*chunk); !taken)
        return taken;
      // What was read is in the process's memory as long as nobody gives it
      // back.
      env_.note_read(chunk->size() / env_.page_size());
      if (auto waited = keep_pace(); !waited)
        return waited;
    }
    if (done_ == 0 || done_ != total_)
      return error{ec::internal, "The copy of the store ended early."};
    return {};
  }

private:
  result<void> begin(std::string_view first) {
    total_ = env_.copy_size(first);
    if (total_ == 0)
      return error{ec::internal, "The copy of the store ended early."};
    return to_.begin(total_);
  }

  /// Waits until more may be sent.
  result<void> keep_pace() {
    const auto rate = options_.bytes_per_second;
    auto due = clock::now();
    if (rate != 0)
      due = begun_
          + std::chrono::duration_cast<clock::duration>(
              std::chrono::duration<double>{static_cast<double>(done_)
                                            / static_cast<double>(rate)});
    for (;;) {
      if (auto fine = check(); !fine)
        return fine;
      const auto now = clock::now();
      if (now >= due)
        return {};
      std::this_thread::sleep_for(
        std::min<clock::duration>(due - now, longest_nap));
    }
  }

  [[nodiscard]] result<void> check() const {
    if (clock::now() - begun_ > options_.longest)
      return error{ec::io_error,
                   "The backup was given up: it took longer than it may. Give "
                   "it more bytes per second or a faster connection."};
    if (env_.bytes_allocated() > largest_)
      return error{ec::store_full,
                   "The backup was given up: the store has grown too much "
                   "meanwhile. Give it more bytes per second, or the store a "
                   "larger maximum size."};
    if (options_.progress && !options_.progress(done_, total_))
      return error{ec::stopping, "The backup was cancelled."};
    return {};
  }

  environment& env_;
  backup_sink& to_;
  const backup_options& options_;
  std::size_t largest_;
  clock::time_point begun_ = clock::now();
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

} // namespace

result<void> copy_tables(environment& env, backup_sink& to,
                         const backup_options& options, std::size_t growth) {
  pipe_ends ends;
  if (!ends.ok())
    return to_error(errno, "copy the store");
  courier by{env, to, options, growth};
  result<void> copied;
  std::thread copier;
  try {
    const without_signals in_our_threads;
    copier = std::thread{[&] {
      copied = env.copy(ends.writer());
      ends.close_writer();
    }};
  } catch (const std::system_error& e) {
    return error{ec::io_error,
                 "Cannot copy the store: " + e.code().message()
                   + ". Raise the limits of this process (ulimit -u)."};
  }
  result<void> carried;
  try {
    carried = by.carry(ends);
  } catch (...) {
    ends.close_reader();
    copier.join();
    throw;
  }
  ends.close_reader(); // a copy that nobody takes ends
  copier.join();
  // Why it ended early is known to the copier alone.
  if (!carried && carried.error().code == ec::internal && !copied)
    return copied;
  return carried;
}

} // namespace fanfare::storage::lmdb
