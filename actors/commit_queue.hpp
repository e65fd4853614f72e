// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The queue of entries to commit: the committer's mailbox, built for many
/// small entries. The first entry wakes the committer; all that arrive before
/// it looks share its commit.
///
/// It also tracks whose turn it is to write. Usually that is the committer's;
/// a thread that would only wait for it takes a free turn itself, because
/// waking another thread and being woken by it takes a quarter as long as the
/// disk.
///
/// It also keeps memory bounded when the disk is slow or full: publishes are
/// refused beyond a limit, and webhooks are told to hold new attempts.

#include "actors/completion.hpp"
#include "actors/interfaces.hpp"
#include "actors/publish_request.hpp"
#include "storage/operations.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace fanfare {

class commit_queue {
public:
  using completion = fanfare::completion;

  struct item {
    storage::operation what;
    completion done;
    /// Kept and retried while the disk is full: past facts must not be lost.
    /// Other entries complete with the error.
    bool lasting = false;
  };

  /// A commit group, in order. The store takes the operations as they are;
  /// their other data has the same places.
  class batch {
  public:
    struct ending {
      completion done;
      bool lasting = false;
    };

    std::vector<storage::operation> operations;
    std::vector<ending> endings;

    [[nodiscard]] bool empty() const {
      return operations.empty();
    }
    [[nodiscard]] std::size_t size() const {
      return operations.size();
    }
    /// Reserves room for `count` more, so that memory can run out only here: an
    /// entry is added whole or not at all.
    void make_room(std::size_t count);
    void add(item&& one);
    void append(batch&& others);
    /// Moves what is at `from` to `to`.
    void move(std::size_t from, std::size_t to);
    /// Drops all after the first `count`.
    void truncate(std::size_t count);
    /// Releases memory far beyond the needs of `count` entries. Only while
    /// empty.
    void shrink(std::size_t count);
    /// Completes one entry, unless it already was.
    void tell(std::size_t i, const error* failure);
    void tell_all(const error* failure);
    /// The same, whatever the callbacks throw.
    void give_up(const error& why) noexcept;
  };

  commit_queue();

  // -- any thread -------------------------------------------------------------

  /// Adds entries that end up next to each other in the same commit.
  void push(item one);
  void push(item first, item second);

  /// Adds a publish. False, with `what` unchanged: there is no room, which for
  /// one that can wait ends at `patient_bytes_limit`.
  bool try_push(publish_request& what, patience how);

  /// False: a publish of about so many bytes would be refused at present, so it
  /// need not be prepared.
  [[nodiscard]] bool has_room(std::size_t bytes) const {
    const auto waiting = publish_bytes_.load(std::memory_order_relaxed);
    return waiting == 0 || waiting + bytes <= publish_bytes_limit;
  }

  /// Waits until the committer has taken the entries present. False: `until`
  /// passed first.
  bool wait_for_room(std::chrono::steady_clock::time_point until);

  /// True while webhooks should not start attempts: the disk refuses calls, or
  /// too many of them wait for it. However many publishes do.
  [[nodiscard]] bool congested() const {
    return failing_.load(std::memory_order_relaxed)
        || calls_.load(std::memory_order_relaxed) > congestion_limit;
  }
  /// True while the disk refuses writes.
  [[nodiscard]] bool failing() const {
    return failing_.load(std::memory_order_relaxed);
  }
  /// Sends `writable` once it is no longer congested. At once if it is not.
  void notify_when_writable(const webhook_actor& who);

  /// True if anything that a checkpoint saves was added since the last
  /// call.
  bool take_dirty() {
    return dirty_.exchange(false);
  }

  // -- a thread that waits ----------------------------------------------------

  /// Gives the caller the turn to write its own entry. False: the turn is
  /// taken, or entries wait, so push it.
  [[nodiscard]] bool take_turn();
  /// Ends the caller's turn. `rest`, of `bytes` bytes, could not be written:
  /// the committer takes care of it.
  void end_turn(batch&& rest, std::size_t bytes);
  /// Instead of end_turn: writing has thrown. Nothing more is written, and the
  /// committer ends with that exception.
  void fail_turn(std::exception_ptr why) noexcept;
  /// Waits until no such thread has the turn. Once the queue is closed, none
  /// gets it.
  void wait_for_others();

  /// While it lives, its thread has the turn to write.
  class scope {
  public:
    explicit scope(const commit_queue& of)
      : before_(std::exchange(written_, &of)) {}
    ~scope() {
      written_ = before_;
    }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

  private:
    const commit_queue* before_;
  };
  /// True if this thread has the turn to write, so it must not wait for a
  /// commit.
  [[nodiscard]] bool is_written_by_caller() const {
    return written_ == this;
  }

  // -- committer --------------------------------------------------------------

  void attach(committer_actor committer);
  /// Fills the empty `into` with the entries present. If all of them can wait
  /// (calls), waits up to `linger` for more to share the commit. False: there
  /// are none, and its turn has ended. Throws the exception passed to
  /// fail_turn.
  bool take(batch& into, std::chrono::microseconds linger);
  /// The same, but neither waits nor ends the turn.
  void take_more(batch& into);
  /// The same while a commit is in flight, until `written`: waits for entries,
  /// and does not end the turn. False: it is written, or no entry will come.
  bool take_behind(batch& into, std::chrono::microseconds linger,
                   const bool& written);
  /// Waits until `written`, which note_written sets.
  void wait_until_written(const bool& written);
  /// Sets `written`, from a thread other than the committer's. Any thread.
  void note_written(bool& written);
  /// Waits for new entries or until `patience` has passed.
  void wait_for_more(std::chrono::milliseconds patience);
  void set_failing(bool failing);
  /// Notifies the webhooks of notify_when_writable if it is no longer
  /// congested: the disk takes writes again. So does whatever takes entries.
  void announce_writable();
  /// The committer has ended or is about to: present and later entries complete
  /// with `stopping`.
  void close();
  [[nodiscard]] bool closed() const {
    return closed_.load();
  }

  /// Calls that may wait for the disk. A crash repeats them, so
  /// this bounds the duplicates, together with the attempts in
  /// flight.
  static constexpr std::size_t congestion_limit = 4'000;
  /// Publishes that may wait for the disk.
  static constexpr std::size_t publish_bytes_limit = std::size_t{64} << 20;
  /// At this limit, publishers that can wait do: a larger commit group would
  /// take longer, and be out of the CPU cache when its turn comes. The rest is
  /// for those that cannot wait.
  static constexpr std::size_t patient_bytes_limit = std::size_t{4} << 20;

private:
  void add(std::span<item> items);
  /// With the lock held: adds an entry for which there is memory.
  void add(item&& one);
  /// Releases the lock, and wakes the threads that wait for entries.
  void announce_added(std::unique_lock<std::mutex> guard);
  /// Both release the lock.
  void swap_out(batch& into, std::unique_lock<std::mutex> guard);
  void announce_writable(std::unique_lock<std::mutex> guard);
  /// Gives the committer the turn.
  void wake(const committer_actor& committer) noexcept;
  void leave() noexcept;

  static thread_local const commit_queue* written_;

  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::condition_variable room_; ///< after `taken_` has grown
  std::uint64_t taken_ = 0;
  std::size_t room_wanted_ = 0; ///< threads that wait for it
  batch items_;
  std::vector<webhook_actor> held_;
  std::atomic<std::size_t> publish_bytes_{0}; ///< changed under the lock
  bool urgent_ = false;
  /// What interrupts the committer while it waits.
  enum class interest : std::uint8_t { nothing, urgent, anything };
  interest interest_ = interest::nothing;
  /// A thread writes, or was woken to write.
  bool turn_taken_ = false;
  /// Threads other than the committer that write, or have just written.
  std::size_t others_ = 0;
  std::exception_ptr broken_;           ///< what one of them has thrown
  std::condition_variable others_left_; ///< `others_` is 0
  /// Calls among the entries; changed under the lock.
  std::atomic<std::size_t> calls_{0};
  std::atomic<bool> failing_{false};
  std::atomic<bool> dirty_{false};
  std::atomic<bool> closed_{false};
  committer_actor committer_;
};

} // namespace fanfare
