// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A limit that several webhooks of one organizer meet at one destination:
/// shared platforms limit by account, not by URL.
///
/// One webhook that is told to wait waits alone: a bad path does not stop a
/// host. When a second one is told so during that time, the hold is the
/// destination's for this organizer, for as long as two of them were told to
/// wait. After it one request probes, if possible of a webhook that was not
/// refused; then requests go at a pace that is learned: a refusal lowers it,
/// but not below what was taken since the refusal before, and it grows the
/// slower the longer a refusal holds all. It takes two webhooks again to hold
/// all, and one that is refused again and again while others are taken is none
/// of them. Never another organizer's.

#include "actors/learned_pace.hpp"
#include "fanfare/types.hpp"

#include <atomic>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {

/// Of one organizer and one destination. Any thread.
class shared_hold {
public:
  /// Without a refusal for so long, and with nobody waiting, it ends.
  static constexpr std::chrono::seconds memory{60};
  /// A probe that has not ended by then is not waited for any more.
  static constexpr std::chrono::seconds probe_patience{30};
  /// So long webhooks that were refused leave a probe to the others.
  static constexpr std::chrono::milliseconds courtesy{100};
  /// Refused so often since others were taken, a webhook speaks for itself.
  static constexpr std::uint8_t own_refusals = 2;

  /// A request's place in the line.
  struct slot {
    timestamp at{};          ///< when to ask again
    bool ready = false;      ///< it may go now
    std::uint32_t epoch = 0; ///< of the refusal before it
    double place = -1;       ///< in the line; below 0: it has none yet
  };

  /// False: nothing is held, and nobody need ask.
  [[nodiscard]] bool active() const {
    return active_.load(std::memory_order_relaxed);
  }
  /// Until when nothing goes at all; nothing if something may.
  [[nodiscard]] std::optional<timestamp> held_until(timestamp now) const;
  /// Asks whether a request of `who`, who is not held alone, may go. `before`
  /// is what it was told the last time, if that request has not gone since.
  /// While it is active.
  [[nodiscard]] slot ask(webhook_id who, timestamp now,
                         const std::optional<slot>& before = {});
  /// Whether there was no refusal since it was told.
  [[nodiscard]] bool is_current(const slot& told) const {
    return told.epoch == epoch_.load(std::memory_order_relaxed);
  }

  /// A request was taken. While it is not active: what is taken within a second
  /// is where its pace begins.
  void note_taken(timestamp now) {
    taken_lately_.note(now);
  }

  /// How often a success has ended what all were told.
  [[nodiscard]] std::uint32_t lifted() const {
    return lifted_.load(std::memory_order_relaxed);
  }

  /// A request of `who` that began at `started` was refused until then: it has
  /// to wait for that. Returns lifted() as of now if another's success ends it,
  /// too; nothing if this says nothing about the others.
  std::optional<std::uint32_t> note_busy(webhook_id who, timestamp started,
                                         timestamp now, timestamp until);
  /// Who need not wait any more.
  struct released {
    std::vector<webhook_id> told{};    ///< by the receiver, to wait
    std::vector<webhook_id> waiting{}; ///< for what those were told
  };
  /// One that began at `started` was taken. While it is active, or `who` was
  /// refused alone.
  released note_success(webhook_id who, timestamp started, timestamp now);
  /// One has ended otherwise. While it is active.
  void note_failure(webhook_id who, timestamp now);
  /// The owner of `who` wants its calls now: it probes, if nobody does.
  void lift(webhook_id who, timestamp now);
  /// What `who` was told counts no more: it is disabled, or calls another URL.
  /// Returns who waited for that and is to ask anew.
  std::vector<webhook_id> forget(webhook_id who, timestamp now);

private:
  enum class phase : std::uint8_t { held, probing, paced };

  /// A webhook that was refused, and not taken since.
  struct refused_one {
    timestamp at{};    ///< the last time
    timestamp until{}; ///< it was told to wait
    /// How often again although others were taken in between.
    std::uint8_t again = 0;
  };

  void hold(timestamp now, timestamp until);
  /// Keeps in mind who was refused alone.
  void end();
  [[nodiscard]] std::vector<webhook_id> take_waiting();
  /// Until when two webhooks are told to wait, `who` being one of them.
  std::optional<timestamp> until_of_two(webhook_id who, timestamp now,
                                        timestamp until);
  /// Forgets what lies in the future of a clock that was set back.
  void look_at_clock(timestamp now);

  std::atomic<bool> active_{false};
  std::atomic<std::uint32_t> epoch_{0};
  std::atomic<std::uint32_t> lifted_{0};
  taken_lately taken_lately_;
  mutable std::mutex mutex_; ///< of what follows
  learned_pace pace_;
  phase phase_ = phase::held;
  struct {
    webhook_id who = 0;
    timestamp until{};
  } longest_; ///< who was told to wait longest
  /// Once it is over, those only that were refused alone.
  std::map<webhook_id, refused_one> refused_;
  std::set<webhook_id> waiting_; ///< were told to ask again at held_until_
  timestamp held_until_{};
  webhook_id prober_ = 0;
  timestamp probe_until_{};
  timestamp taken_at_{}; ///< the last success
  timestamp busy_at_{};  ///< the last refusal that held all
  timestamp seen_{};     ///< the latest time; a clock may be set back
};

/// Finds the hold that webhooks share. Any thread.
class shared_holds {
public:
  [[nodiscard]] std::shared_ptr<shared_hold> find(organizer_id owner,
                                                  const std::string& to);

private:
  std::mutex mutex_;
  std::map<std::pair<organizer_id, std::string>, std::weak_ptr<shared_hold>>
    all_;
  std::size_t sweep_at_ = 64; ///< entries at which those that ended go
};

} // namespace fanfare
