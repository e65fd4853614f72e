// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/log/file_log.hpp"

#include "storage/log/crc32c.hpp"
#include "storage/log/folder.hpp"
#include "storage/log/record.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fanfare::storage::log {

namespace {

/// Less than this of a group is not worth a record.
constexpr std::size_t smallest_part = 64;

} // namespace

// -- opening ------------------------------------------------------------------

file_log::file_log(options opts)
  : options_(std::move(opts)),
    seed_(crc32c({options_.store.data(), options_.store.size()})) {}

result<std::unique_ptr<file_log>> file_log::open(options opts) {
  std::unique_ptr<file_log> log{new file_log{std::move(opts)}};
  const bool read_only = log->options_.read_only;
  if (!read_only)
    if (auto made = make_folder(log->options_.folder); !made)
      return made.error();
  auto found = find_segments(log->options_.folder, log->options_.store,
                             read_only);
  if (!found)
    return found.error();
  auto end = walk(found->log, log->options_.store, 0, {});
  if (!end)
    return end.error();
  log->end_ = *end;
  log->old_ = std::move(found->log);
  log->unused_ = std::move(found->unused);
  return log;
}

result<void> file_log::harden(log_sequence after) {
  // A killed process, or one whose flush has failed, may have left in the
  // system's memory what is not on disk. Written anew, it is on disk after a
  // flush, or that one fails, too.
  for (std::size_t i = 0; i < end_.segments; ++i) {
    if (i + 1 < end_.segments) {
      const auto next = old_[i + 1].header();
      if (!next)
        return next.error();
      if (next->first <= after)
        continue;
    }
    const auto bytes = old_[i].read();
    if (!bytes)
      return bytes.error();
    const auto used = i + 1 < end_.segments ? bytes->size() : end_.offset;
    if (auto done = old_[i].write(0, std::string_view{*bytes}.substr(0, used));
        !done)
      return done;
    if (auto done = old_[i].flush(); !done)
      return done;
  }
  return {};
}

std::size_t file_log::size() const noexcept {
  std::size_t sum = 0;
  for (const auto& one : old_)
    sum += one.size();
  return sum;
}

result<void> file_log::begin() {
  ++end_.epoch;
  // The store is accepted. Of a group that was not finished; their numbers are
  // given out again. The newest go first: none may seem to follow a gap.
  for (; old_.size() > end_.segments; old_.pop_back())
    old_.back().remove();
  for (auto& one : unused_)
    one.remove();
  unused_.clear();
  if (!old_.empty()) {
    const auto header = old_.back().header();
    if (!header)
      return header.error();
    number_ = header->number;
    at_ = end_.offset;
    active_ = std::move(old_.back());
    old_.pop_back();
    retire(old_, end_.last);
  }
  supply_ = std::make_unique<segment_supply>(
    segment_supply::options{.folder = options_.folder,
                            .first = options_.first_segment,
                            .largest = options_.largest_segment},
    number_ + 1);
  if (active_)
    return {};
  if (auto done = advance(end_.last + 1, end_.epoch); !done)
    return done;
  return active_->flush();
}

// -- reading ------------------------------------------------------------------

result<void> file_log::read(log_sequence after, const visitor& visit) const {
  if (after > end_.last)
    return error{ec::store_damaged,
                 "The store's log ends before what the store has taken from "
                 "it: the directory \"log\" is older than the store, or empty. "
                 "Restore the whole data directory from one backup."};
  auto next = after + 1;
  const auto in_order = [&](log_sequence which,
                            std::string_view group) -> result<void> {
    if (which != next)
      return error{ec::store_damaged,
                   "The store's log begins after what the store has taken from "
                   "it: the directory \"log\" is newer than the store. Restore "
                   "the whole data directory from one backup."};
    ++next;
    return visit(which, group);
  };
  const auto end = walk(old_, options_.store, after, in_order);
  if (!end)
    return end.error();
  if (next != end_.last + 1) // its beginning is in a segment that is gone
    return in_order(next + 1, {});
  return {};
}

// -- appending ----------------------------------------------------------------

result<void> file_log::advance(log_sequence first, std::uint32_t epoch) {
  if (ahead_.empty()) {
    auto taken = supply_->take();
    if (!taken)
      return taken.error();
    ahead_.push_back(std::move(*taken));
  }
  // A try that failed leaves it where it is.
  if (auto done = ahead_.front().write_header({.magic = {},
                                               .store = options_.store,
                                               .number = number_ + 1,
                                               .first = first,
                                               .previous = end_.chain,
                                               .epoch = epoch});
      !done)
    return done;
  blocks_.forget();
  active_ = std::move(ahead_.front());
  ahead_.pop_front();
  ++number_;
  at_ = segment::begin;
  return {};
}

result<void> file_log::write(std::string_view group,
                             std::vector<segment>& filled) {
  record_header header{.sequence = end_.last + 1,
                       .durable = end_.last,
                       .epoch = end_.epoch,
                       .part = record_header::begins};
  for (;;) {
    const auto room = active_->size() - at_;
    const auto wanted = std::min(group.size(), smallest_part);
    if (room < record_size(wanted)) {
      filled.push_back(std::move(*active_));
      active_.reset();
      if (auto done = advance(header.sequence, header.epoch); !done)
        return done;
      continue;
    }
    const auto size = std::min(
      group.size(), room / record_alignment * record_alignment - sizeof header);
    if (size == group.size())
      header.part |= record_header::ends;
    header.previous = end_.chain;
    const auto payload = group.substr(0, size);
    seal(header, payload, seed_);
    // What is between two records is not read.
    if (auto done = active_->append(
          blocks_, at_, {reinterpret_cast<const char*>(&header), sizeof header},
          payload);
        !done)
      return done;
    at_ += record_size(size);
    end_.chain = header.checksum;
    if (size == group.size())
      return {};
    group.remove_prefix(size);
    header.part = 0;
  }
}

result<void> file_log::flush(std::vector<segment>& filled) {
  for (auto& one : filled)
    if (auto done = one.flush(); !done)
      return done;
  return active_->flush();
}

void file_log::take_back(std::vector<segment>& filled, std::size_t at,
                         std::uint32_t chain) {
  at_ = at;
  end_.chain = chain;
  blocks_.forget();
  if (filled.empty())
    return;
  if (active_)
    ahead_.push_front(std::move(*active_));
  number_ -= filled.size() - (active_ ? 0 : 1);
  active_.reset();
  for (; filled.size() > 1; filled.pop_back())
    ahead_.push_front(std::move(filled.back()));
  active_ = std::move(filled.front());
  filled.clear();
}

result<void> file_log::append(std::string_view group) {
  if (broken_)
    return *broken_;
  const auto at = at_;
  const auto chain = end_.chain;
  std::vector<segment> filled;
  auto done = write(group, filled);
  const bool written = done.has_value();
  if (written)
    done = flush(filled);
  if (!done) {
    // What a flush has left on disk after it failed nobody knows: the system
    // may have dropped it, and say nothing the next time.
    if (written || done.error().code != ec::store_full)
      broken_ = error{ec::io_error, done.error().detail
                                      + " Nothing more is written: check the "
                                        "disk and restart Fanfare."};
    take_back(filled, at, chain);
    return broken_ ? *broken_ : done.error();
  }
  ++end_.last;
  retire(filled, end_.last);
  return {};
}

// -- giving back --------------------------------------------------------------

void file_log::retire(std::vector<segment>& files, log_sequence last) {
  if (files.empty())
    return;
  const std::lock_guard guard{mutex_};
  for (auto& one : files)
    retired_.push_back({std::move(one), last});
  files.clear();
  retired_count_ = retired_.size();
}

void file_log::truncate(log_sequence upto) {
  std::vector<segment> free;
  {
    const std::lock_guard guard{mutex_};
    while (!retired_.empty() && retired_.front().last <= upto) {
      free.push_back(std::move(retired_.front().file));
      retired_.pop_front();
    }
    retired_count_ = retired_.size();
  }
  for (auto& one : free)
    supply_->give_back(std::move(one));
}

} // namespace fanfare::storage::log
