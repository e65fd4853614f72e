// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/disk_watch.hpp"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

namespace fanfare {

namespace {

std::string in_mebibytes(std::size_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

/// So much is enough on any disk.
constexpr std::size_t plenty = std::size_t{4} << 30;

/// The gap between the two keeps what hovers about the limit from being told
/// again and again.
bool is_nearly_full(std::size_t free, std::size_t size, bool was) {
  const auto limit = std::min(size / disk_watch::part, plenty);
  return free < (was ? limit + limit / 5 : limit);
}

} // namespace

disk_watch::disk_watch(const storage::store& store, std::filesystem::path data,
                       event_log& events)
  : store_(store),
    data_(std::move(data)),
    events_(events) {}

void disk_watch::note_refusal() {
  const auto now = std::chrono::steady_clock::now();
  if (refusal_told_ && now - *refusal_told_ < std::chrono::minutes{10})
    return;
  refusal_told_ = now;
  events_.say(event_kind::disk, log_level::warning,
              "the store is full: publishes are refused, delivery goes on. "
              "Raise its maximum size or shorten the retention");
}

std::optional<disk_watch::room> disk_watch::free_room() const {
  std::error_code failed;
  const auto space = std::filesystem::space(data_, failed);
  if (failed || space.capacity == 0)
    return std::nullopt;
  return room{.free = space.available, .size = space.capacity};
}

void disk_watch::note(fill& was, fill now, const std::string& full) {
  if (std::exchange(was, now) == now)
    return;
  if (now == fill::nearly_full)
    events_.say(event_kind::disk, log_level::warning, full);
  else
    events_.say(event_kind::disk, log_level::info,
                "there is room for the store again");
}

void disk_watch::look() {
  const std::unique_lock guard{mutex_, std::try_to_lock};
  if (!guard)
    return;
  const auto stored = store_.statistics();
  const auto left = stored.bytes_max
                  - std::min(stored.bytes_max, stored.bytes_used);
  const auto as_fill = [](bool full) {
    return full ? fill::nearly_full : fill::fine;
  };
  note(store_was_,
       as_fill(is_nearly_full(left, stored.bytes_max,
                              store_was_ == fill::nearly_full)),
       "the store is nearly full: " + in_mebibytes(stored.bytes_used) + " of "
         + in_mebibytes(stored.bytes_max)
         + " are used, and publishes are refused shortly before the end. Raise "
           "its maximum size or shorten the retention");
  if (const auto found = free_room())
    note(disk_was_,
         as_fill(is_nearly_full(found->free, found->size,
                                disk_was_ == fill::nearly_full)),
         "the disk is nearly full: " + in_mebibytes(found->free) + " of "
           + in_mebibytes(found->size) + " are free at " + data_.string()
           + ". Free some, or publishes will be refused");
}

} // namespace fanfare
