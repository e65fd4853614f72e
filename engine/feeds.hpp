// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The feeds of organizers. What is followed is kept in memory for a moment, so
/// that those who are up to date read nothing from disk; whoever is further
/// behind reads the store. Both give the same, because ids grow in the order of
/// the commits: a place is all there is to know of a follower.
///
/// While nobody follows, a commit costs a look at one number per operation.

#include "actors/watch.hpp"
#include "fanfare/clock.hpp"
#include "fanfare/error.hpp"
#include "model/feed.hpp"
#include "storage/operations.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace fanfare {

class feeds {
public:
  /// What is kept of an organizer, of calls and of notifications each, and of
  /// all organizers together.
  static constexpr std::size_t most_entries = 4'096;
  static constexpr std::size_t most_bytes = std::size_t{4} << 20;
  static constexpr std::size_t most_bytes_of_all = std::size_t{64} << 20;

  /// All must outlive it.
  feeds(const storage::store& store, operator_watch& watch,
        const wall_clock& clock);

  /// A committed operation. The thread with the turn to write.
  void observe(const storage::operation& op) {
    if (followed_.load(std::memory_order_relaxed) != 0)
      keep(op);
  }

  // -- any thread -------------------------------------------------------------

  /// Where that begins what happens from now on. Does not block.
  [[nodiscard]] feed_place end() const;
  /// Where that begins what happened since then, which may be a little more.
  /// May block on the disk.
  [[nodiscard]] result<feed_place> place_at(timestamp since) const;
  /// What happened after the place. May block on the disk.
  [[nodiscard]] result<feed_page>
  read(organizer_id owner, const feed_place& after, const feed_limits& within);
  /// `news` is called when there is something to read, once until the next
  /// read() of that organizer, on any thread, as long as what is returned
  /// exists. It must not block, nor call back. Read after following: what came
  /// before is not told.
  [[nodiscard]] std::shared_ptr<void> follow(organizer_id owner,
                                             std::function<void()> news);

private:
  static constexpr auto unknown = std::numeric_limits<std::uint64_t>::max();

  /// The newest entries of a kind, without a gap.
  template <class T>
  struct tail {
    std::deque<std::shared_ptr<const T>> entries;
    std::uint64_t after = unknown; ///< all with a higher id are here
    std::size_t bytes = 0;
  };
  struct followed {
    tail<call> calls;
    tail<notification> notifications;
    std::list<std::function<void()>> news;
    bool told = false;
  };

  void keep(const storage::operation& op);
  void keep_call(const logged_call& made);
  // With the lock held.
  template <class T>
  void push(tail<T>& to, std::shared_ptr<const T> entry);
  template <class T>
  void forget(tail<T>& of, std::uint64_t upto);
  template <class T>
  void forget_oldest(tail<T>& of);
  /// What comes next has this id, and all after it are observed.
  template <class T>
  void begin(tail<T> followed::*of, std::uint64_t& observed, std::uint64_t id);
  static void tell(followed& of);

  void tell_change(organizer_id owner);
  void unfollow(organizer_id owner, std::list<std::function<void()>>::iterator);
  result<void> read_calls(organizer_id owner, feed_page& into,
                          const feed_limits& within);
  result<void> read_notifications(organizer_id owner, feed_page& into,
                                  const feed_limits& within);
  void read_changes(organizer_id owner, feed_page& into) const;

  const storage::store& store_;
  operator_watch& watch_;
  const wall_clock& clock_;
  const std::uint64_t run_;              ///< of the numbers of changes
  std::atomic<std::size_t> followed_{0}; ///< organizers
  std::mutex mutex_;
  // Under the mutex.
  std::unordered_map<organizer_id, followed> by_owner_;
  std::uint64_t call_ = unknown;         ///< the last one observed
  std::uint64_t notification_ = unknown; ///< the same
  std::size_t bytes_ = 0;                ///< of all that is kept
};

} // namespace fanfare
