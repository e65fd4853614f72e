// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Whether a webhook may start a request now, and if not, why: its pace and the
/// lane's admission decide, and the disk must take what is logged. It sends
/// nothing. Not thread-safe.

#include "actors/admission.hpp"
#include "actors/local_outage.hpp"
#include "actors/shared_hold.hpp"
#include "actors/webhook/alarm.hpp"
#include "actors/webhook/delivery_plan.hpp"
#include "actors/webhook/pace.hpp"
#include "fanfare/reports.hpp"
#include "protocol/client/transport.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

class throttle {
public:
  /// Takes a ticket for calls to this destination.
  /// `shared` is of the organizer and this destination, and may be null.
  void enter(admission& gate, organizer_id owner, const std::string& to,
             caf::actor_addr who,
             std::shared_ptr<shared_hold> shared = nullptr) {
    ticket_ = gate.enter(owner, to, std::move(who));
    shared_ = std::move(shared);
    slot_.reset();
    told_when_.reset();
    refused_alone_ = false;
  }
  [[nodiscard]] fanfare::pace& pace() {
    return pace_;
  }
  [[nodiscard]] const fanfare::pace& pace() const {
    return pace_;
  }
  /// In flight; a batch is one.
  [[nodiscard]] std::size_t requests() const {
    return requests_;
  }

  /// Whether a request of what was published then may start. If so, `permit` is
  /// its place on the lane, unless the plan says that nothing can be sent. If
  /// not, `turn` is sent if it is the lane that has no place, and the actor has
  /// to look again at held_until() if it is the pace.
  bool allow(webhook_id hook, admission& gate, admission::permit& permit,
             const delivery_plan& plan, timestamp published, timestamp now,
             bool its_turn);
  /// The same, whatever the pace.
  bool admit(admission& gate, admission::permit& permit,
             const delivery_plan& plan, bool its_turn);
  /// `test`: the breaker and the holds do not see it.
  void started(timestamp now, bool resumed, bool test) {
    ++requests_;
    if (!test)
      slot_.reset();
    pace_.started(now, resumed, test);
  }
  void ended() {
    // It may have waited for a further place only.
    if (requests_ == 0 || --requests_ == 0)
      for_turn_ = false;
  }
  /// Without a network, the fault is this machine's: once. If others were
  /// reached since, it is the receiver's the next time. If name servers fail
  /// for `host`, it is the receiver's unless they fail for others, too.
  /// A `test` is judged like the others, and forgotten. `outage` may be null.
  void find_fault(protocol::exchange_result& of, std::string_view host,
                  timestamp now, bool test, local_outage* outage);
  struct lesson {
    bool recovered = false; ///< the breaker has closed
    timestamp held_until{}; ///< no calls before, if the receiver has said so
    /// Who need not wait any more, either.
    shared_hold::released others{};
  };
  /// Learns from how a request to the receiver has ended. `started`: when the
  /// request was. `refused`: that it was refused for good, which is no failure.
  /// `outage` may be null.
  lesson learn(webhook_id hook, const protocol::exchange_result& from,
               timestamp started, timestamp now, bool refused,
               local_outage* outage);
  /// The webhook ends: it gives back the place that may be kept for it, and
  /// gets no turn any more. Forgets those in flight, and returns how many they
  /// were.
  std::size_t close(admission& gate);
  /// The webhook whose turn it is has nothing to send.
  void pass_turn(admission& gate) {
    gate.pass(ticket_);
  }

  /// What the receiver had asked for before the engine was started.
  void restore_hold(webhook_id hook, timestamp now) {
    if (!shared_ || pace_.held_until() <= now)
      return;
    told_when_ = shared_->note_busy(hook, {}, now, pace_.held_until());
    refused_alone_ = !told_when_;
  }
  /// It is disabled, or calls another URL: what was asked of it says nothing
  /// about others any more. Returns who need not wait for that.
  [[nodiscard]] std::vector<webhook_id> leave_hold(webhook_id hook,
                                                   timestamp now) {
    told_when_.reset();
    refused_alone_ = false;
    return shared_ ? shared_->forget(hook, now) : std::vector<webhook_id>{};
  }
  /// Its owner wants it to go on whatever the receiver has asked for.
  void lift_hold(webhook_id hook, timestamp now) {
    pace_.lift_hold();
    if (shared_)
      shared_->lift(hook, now);
    slot_.reset();
  }

  /// Whether the hold that it shared has ended since it was told to wait; then
  /// it need not.
  bool take_lift() {
    if (!told_when_ || shared_->lifted() == *told_when_)
      return false;
    pace_.lift_hold();
    told_when_.reset();
    return true;
  }

  // -- what holds it ----------------------------------------------------------

  /// Forgets what held it when it last looked, but for its turn and the disk.
  /// `outage` may be null.
  void look_again(bool paused, const local_outage* outage) {
    if (pace_.stalled() && outage != nullptr && outage->ended() != outages_)
      pace_.end_stall();
    held_by_ = paused ? hold_reason::pause : hold_reason::none;
    held_until_.reset();
  }
  void hold(hold_reason why, std::optional<timestamp> until = {}) {
    held_by_ = why;
    if (until)
      held_until_ = until;
  }
  [[nodiscard]] hold_reason held_by() const {
    return held_by_;
  }
  [[nodiscard]] const std::optional<timestamp>& held_until() const {
    return held_until_;
  }
  /// Adds when it has to be looked at again.
  void add_due(earliest_after& to) const {
    if (held_until_)
      to.add(*held_until_);
    to.add(pace_.busy_until());
  }
  void wait_for_disk(bool waits) {
    for_disk_ = waits;
  }
  [[nodiscard]] bool waits_for_disk() const {
    return for_disk_;
  }
  /// It was sent `turn`.
  void turn_came() {
    for_turn_ = false;
  }
  /// Neither for a place on the lane nor for the disk.
  [[nodiscard]] bool waits_for_nothing() const {
    return !for_turn_ && !for_disk_;
  }

  /// Fills in what holds it, its breaker, and how many requests there are and
  /// may be.
  void describe(delivery_state& into, timestamp now) const;

private:
  /// Until when its rate lets nothing go, if so.
  [[nodiscard]] std::optional<timestamp> rate_hold(timestamp now) const;
  /// Whether the hold that it shares, if any, lets a request go now.
  bool pass_shared_hold(webhook_id hook, timestamp now);

  std::shared_ptr<admission::ticket> ticket_;
  fanfare::pace pace_;
  std::size_t requests_ = 0;
  hold_reason held_by_ = hold_reason::none; ///< where the last look stopped
  bool for_turn_ = false;
  bool for_disk_ = false;
  std::uint32_t outages_ = 0; ///< those that had ended when it stalled
  timestamp excused_{};       ///< when the network was last to blame
  std::shared_ptr<shared_hold> shared_;
  std::optional<shared_hold::slot> slot_; ///< of a hold that is shared
  /// As it was told to wait; it need not once `lifted()` is another.
  std::optional<std::uint32_t> told_when_;
  bool refused_alone_ = false; ///< then no other's success ends it
  std::optional<timestamp> held_until_;
};

} // namespace fanfare
