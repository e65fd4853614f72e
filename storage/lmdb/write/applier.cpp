// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/applier.hpp"

#include "storage/lmdb/replay/effects.hpp"
#include "storage/lmdb/state/progress_tables.hpp"
#include "storage/lmdb/state/recovery.hpp"
#include "storage/lmdb/tables/records.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

namespace fanfare::storage::lmdb {

namespace {

/// Before a transaction that could not be committed is tried again.
constexpr std::chrono::milliseconds retry_pause{250};

error not_enough_memory() {
  return {ec::internal, "There was not enough memory to take over what was "
                        "written. Start anew."};
}

error for_good(const error& why) {
  return {ec::io_error,
          why.detail + " Nothing more is written: restart Fanfare afterwards."};
}

} // namespace

applier::applier(live_state& live, commit_log& log, const log_mark& mark,
                 const checkpoint& start, std::size_t backlog_limit)
  : live_(live),
    env_(live.env()),
    log_(log),
    mark_(mark),
    start_(start),
    backlog_{.limit = std::min(backlog_limit, longest_backlog),
             .groups = mark.sequence},
    thread_([this] { run(); }) {}

applier::~applier() {
  {
    const std::lock_guard guard{mutex_};
    is_.stopping = true;
  }
  wanted_.notify_all();
  thread_.join();
}

void applier::abandon() {
  const std::lock_guard guard{mutex_};
  is_.abandoned = true;
}

// -- whoever carries out a commit ---------------------------------------------

result<applier::work> applier::enter() {
  std::unique_lock guard{mutex_};
  if (stalled_) {
    // There may be room by now.
    stalled_.reset();
    is_.spoiled = true;
    wanted_.notify_one();
  }
  free_.wait(guard, [this] {
    return stalled_ || (!is_.busy && !is_.waits && !is_.spoiled);
  });
  if (stalled_)
    return *stalled_;
  groups_.reserve(groups_.size() + 1);
  is_.busy = true;
  return work{&*txn_, &*layer_};
}

void applier::add(std::string&& group, std::size_t weight) noexcept {
  if (group.empty())
    return;
  groups_.push_back(std::move(group)); // enter() has made room
  outstanding_ += weight;
  env_.gate().answered(mark_.sequence + groups_.size());
}

void applier::leave() noexcept {
  bool waits = false;
  bool is_first = false;
  {
    const std::lock_guard guard{mutex_};
    is_.busy = false;
    waits = is_.waits;
    const auto last = mark_.sequence + groups_.size();
    if (last != backlog_.groups) {
      backlog_.groups = last;
      backlog_.bytes = outstanding_;
      is_first = !is_.pending;
      is_.pending = true;
      if (is_first)
        backlog_.first_at = std::chrono::steady_clock::now();
    }
  }
  if (waits || is_first)
    wanted_.notify_one();
}

void applier::undo() {
  std::unique_lock guard{mutex_};
  is_.busy = false;
  is_.spoiled = true;
  wanted_.notify_one();
  free_.wait(guard, [this] { return stalled_ || !is_.spoiled; });
}

// -- the thread ---------------------------------------------------------------

void applier::run() {
  std::unique_lock guard{mutex_};
  for (;;) {
    const auto has_work = [this] {
      return is_.stopping || (!stalled_ && (is_.spoiled || is_.pending));
    };
    if (stalled_)
      wanted_.wait_for(guard, retry_pause, has_work);
    else
      wanted_.wait(guard, has_work);
    if (!is_.spoiled && !is_.stopping)
      linger(guard);
    is_.waits = true;
    wanted_.wait(guard, [this] { return !is_.busy; });
    if (is_.stopping && is_.abandoned)
      break;
    const bool ends = is_.stopping;
    const bool anew = is_.spoiled;
    guard.unlock();
    const auto began = std::chrono::steady_clock::now();
    auto done = follow(anew);
    guard.lock();
    is_.waits = false;
    is_.pending = !groups_.empty();
    backlog_.bytes = outstanding_;
    if (done && !anew)
      commit_took_ = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - began);
    is_.spoiled = !done;
    if (done)
      stalled_.reset();
    else
      stalled_ = std::move(done.error());
    free_.notify_all();
    if (ends)
      break;
  }
  // On the thread that has begun it.
  layer_.reset();
  txn_.reset();
}

std::chrono::microseconds applier::delay() const {
  if (env_.gate().has_waiting())
    return read_delay;
  return std::clamp(commit_took_ * commit_share, quiet_delay, longest_delay);
}

void applier::linger(std::unique_lock<std::mutex>& guard) {
  for (;;) {
    const auto seen = backlog_.groups;
    const auto now = std::chrono::steady_clock::now();
    if (now - backlog_.first_at >= delay() || backlog_.bytes >= backlog_.limit)
      return;
    wanted_.wait_until(guard, now + idle_delay,
                       [this] { return is_.stopping || is_.spoiled; });
    if (is_.stopping || is_.spoiled || backlog_.groups == seen)
      return;
  }
}

// -- following the log --------------------------------------------------------

result<void> applier::follow(bool anew) {
  result<void> done;
  try {
    if (broken_)
      done = *broken_;
    else if (anew)
      done = begin();
    if (done && !groups_.empty()) {
      done = commit_with_room();
      if (done)
        done = note_committed();
      if (done)
        done = begin();
    }
  } catch (const std::exception&) {
    done = not_enough_memory();
  }
  if (!done)
    env_.gate().stall(done.error());
  else if (anew)
    env_.gate().reached(mark_.sequence); // nothing is in the way any more
  return done;
}

result<void> applier::begin() {
  layer_.reset();
  txn_.reset();
  auto& txn = txn_.emplace(env_);
  for (const auto& group : groups_)
    apply_group(txn, group);
  if (groups_.empty()) {
    layer_.emplace(txn, live_.changes(), start_);
  } else {
    layer_.emplace(txn, live_.changes(), read_checkpoint(txn));
    layer_->forget_base();
    replay_calls(txn, layer_->last_checkpoint().last_call, *layer_);
  }
  if (!txn.ok())
    return txn.failure();
  return {};
}

result<void> applier::commit() {
  auto next = mark_;
  next.sequence += groups_.size();
  record_writer{*txn_}.put(table::meta, meta_key::log, next);
  auto done = txn_->commit();
  code_ = txn_->code();
  if (!done && env_.has_failed_flush())
    broken_ = for_good(done.error());
  return done;
}

result<void> applier::commit_with_room() {
  // When the disk takes only a part of what is written, LMDB calls that EIO. To
  // ask for the room by name tells why, or makes it.
  constexpr std::size_t first = std::size_t{1} << 20;
  constexpr std::size_t last = std::size_t{64} << 20;
  auto done = commit();
  for (auto more = first; !done && !broken_ && code_ == EIO && more <= last;
       more *= 64) {
    if (auto there = env_.reserve(env_.bytes_allocated() + outstanding_ + more);
        !there)
      return there.error().code == ec::store_full ? there : done;
    if (auto begun = begin(); !begun)
      return begun;
    done = commit();
  }
  if (!done && !broken_ && code_ == EIO)
    broken_ = for_good(done.error()); // there is room: it is the disk
  return broken_ ? *broken_ : done;
}

result<void> applier::note_committed() {
  start_ = layer_->last_checkpoint();
  live_.take_over([&](changes& to) { std::move(*layer_).merge_into(to); });
  live_.note_reached();
  mark_.sequence += groups_.size();
  groups_.clear();
  outstanding_ = 0;
  env_.grow_ahead(); // for the next one
  env_.gate().reached(mark_.sequence);
  if (!log_.can_truncate())
    return {};
  // What the tables have for good the log need not keep. What a flush that has
  // failed has left on disk nobody knows, and the next one would not say.
  if (auto synced = env_.sync(); !synced) {
    broken_ = for_good(synced.error());
    return *broken_;
  }
  log_.truncate(mark_.sequence);
  return {};
}

} // namespace fanfare::storage::lmdb
