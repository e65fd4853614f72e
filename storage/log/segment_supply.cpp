// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/log/segment_supply.hpp"

#include "storage/log/folder.hpp"
#include "storage/sync_directory.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace fanfare::storage::log {

namespace {

/// As many are kept to be used again. The oldest are used and removed first:
/// those on disk are always the newest ones, without gaps.
constexpr std::size_t most_used = 1;

} // namespace

segment_supply::segment_supply(options opts, std::uint64_t next)
  : options_(std::move(opts)),
    next_(next),
    next_size_(options_.first),
    thread_([this] { work(); }) {}

segment_supply::~segment_supply() {
  {
    const std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

result<segment> segment_supply::take() {
  std::unique_lock guard{mutex_};
  if (failure_) {
    failure_.reset(); // there may be room by now
    changed_.notify_all();
  }
  changed_.wait(guard, [this] { return ready_ || failure_; });
  if (!ready_)
    return *failure_;
  auto taken = std::move(*ready_);
  ready_.reset();
  guard.unlock();
  changed_.notify_all();
  return taken;
}

void segment_supply::give_back(segment&& one) {
  std::optional<segment> surplus;
  {
    const std::lock_guard guard{mutex_};
    // The log is to have few segments: to begin one costs two flushes. And the
    // maximum may have been lowered since.
    if (one.size() >= next_size_ && one.size() <= options_.largest)
      used_.push_back(std::move(one));
    else
      surplus = std::move(one);
    if (used_.size() > most_used) {
      surplus = std::move(used_.front());
      used_.pop_front();
    }
    failure_.reset();
  }
  changed_.notify_all();
  if (surplus)
    surplus->remove();
}

void segment_supply::work() {
  std::unique_lock guard{mutex_};
  for (;;) {
    changed_.wait(guard,
                  [this] { return stopping_ || (!ready_ && !failure_); });
    if (stopping_)
      return;
    std::optional<segment> used;
    if (!used_.empty()) {
      used = std::move(used_.front());
      used_.pop_front();
    }
    const bool makes = !used;
    guard.unlock();
    auto made = prepare(std::move(used), next_, next_size_);
    guard.lock();
    if (made) {
      ready_ = std::move(*made);
      ++next_;
      if (makes && ++made_ > 1)
        next_size_ = std::min(2 * next_size_, options_.largest);
    } else {
      failure_ = made.error();
    }
    changed_.notify_all();
  }
}

result<segment> segment_supply::prepare(std::optional<segment> used,
                                        std::uint64_t number,
                                        std::size_t size) const try {
  const auto file = segment_file(options_.folder, number);
  auto made = used ? result<segment>{std::move(*used)}
                   : segment::make(file, size);
  // A small one serves as well where there is no room for a large one.
  for (; !made && made.error().code == ec::store_full && size > options_.first;
       made = segment::make(file, size))
    size = std::max(size / 2, options_.first);
  if (!made)
    return made;
  if (auto named = made->rename(file); !named)
    return named.error();
  if (auto synced = sync_directory(options_.folder); !synced)
    return synced.error();
  return made;
} catch (const std::exception&) {
  return error{ec::io_error,
               "Cannot make a file of the store's log: there is not enough "
               "memory."};
}

} // namespace fanfare::storage::log
