// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What all webhook actors of a lane share: options, the lane's sockets, and
/// the rest of the engine.

#include "actors/admission.hpp"
#include "actors/certificates.hpp"
#include "actors/commit_queue.hpp"
#include "actors/journal_reader.hpp"
#include "actors/local_outage.hpp"
#include "actors/rest_board.hpp"
#include "actors/shared_hold.hpp"
#include "actors/tracer.hpp"
#include "actors/watch.hpp"
#include "actors/webhook/backoff_timer.hpp"
#include "actors/webhook/delivery_board.hpp"
#include "actors/webhook/delivery_plan.hpp"
#include "actors/webhook/order.hpp"
#include "actors/webhook/owner_notices.hpp"
#include "actors/webhook/webhook_tally.hpp"
#include "fanfare/clock.hpp"
#include "model/records.hpp"
#include "protocol/client/transport.hpp"
#include "storage/run_times.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

struct webhook_context {
  // -- options ----------------------------------------------------------------
  delivery_defaults defaults;
  /// Those of now, if they can change while the engine runs: instead of
  /// `defaults`. Any thread; empty: they stay as they are.
  std::function<std::shared_ptr<const delivery_defaults>()> newest_defaults =
    {};
  struct queue_limits {
    /// Notifications in memory that wait for their first attempt.
    std::size_t window = 256;
    /// Settled positions above the cursor: how far the quick ones may run ahead
    /// of a slow one.
    std::size_t max_ahead = 4'096;
    /// Retries that are read from disk at once.
    std::size_t max_fetch = 32;
  };
  queue_limits queue = {};

  // -- the lane ---------------------------------------------------------------
  protocol::transport* wire = nullptr;
  std::shared_ptr<admission> gate;
  std::function<std::unique_ptr<wake_timer>(webhook_actor)> make_timer;

  // -- the engine -------------------------------------------------------------
  commit_queue* commits = nullptr;
  journal_reader* reader = nullptr;
  const wall_clock* clock = nullptr;
  /// Requests of the whole engine, for a graceful stop.
  std::atomic<std::size_t>* in_flight = nullptr;
  /// Once true, no further attempt starts. A flag and not a message, so that it
  /// holds from the moment the stop has begun.
  const std::atomic<bool>* draining = nullptr;
  /// What an operator should know; may be empty.
  std::function<void(log_level, const std::string&)> log = {};
  /// What webhooks know of each other.
  struct common {
    local_outage* outage = nullptr; ///< null in tests that have none
    shared_holds* holds = nullptr;  ///< as `outage`
    rest_board* resting = nullptr;
    certificates* seen_certificates = nullptr;
    delivery_board* board = nullptr;    ///< of the lane; as `outage`
    webhook_tallies* tallies = nullptr; ///< as `outage`
    operator_watch* watch = nullptr;    ///< as `outage`
    const tracer* tracing = nullptr;    ///< null: nothing is traced
  };
  common shared = {};
  /// When no engine ran.
  std::vector<storage::run_times::pause> off;
  std::uint64_t seed = 0; ///< of the backoff's jitter
  /// Counts changes of organizers' networks and of the defaults, which plans
  /// are made with.
  const std::atomic<std::uint64_t>* fences = nullptr;
  /// Publishes a notification about this webhook to those who subscribed to it:
  /// an action ("fanfare.webhook.disabled") and the members of its JSON object
  /// from the second one on. Any thread; may be empty.
  std::function<void(const webhook_record&, std::string_view action,
                     std::string members)>
    notify_owner;

  /// Gives another webhook an order; may be empty.
  std::function<void(webhook_id, webhook_order_ptr)> give_order;

  /// These look again at what held them, and need not wait for what a receiver
  /// has asked of others.
  void lift_hold_of(const std::vector<webhook_id>& hooks) const {
    if (give_order)
      for (const auto hook : hooks)
        give_order(hook, std::make_shared<const webhook_order>(lift_order{}));
  }
  void notify(const webhook_record& of,
              const std::optional<owner_notice>& notice) const {
    if (notice && notify_owner)
      notify_owner(of, notice->action, notice->members);
  }

  /// A line for the operator about a webhook.
  void say(event_kind kind, log_level level, const webhook_record& of,
           std::string_view what) const {
    if (shared.watch != nullptr)
      shared.watch->events.say(kind, level, of, what);
  }

  /// A request that has ended counts as in flight as long as this exists.
  class ended_request {
  public:
    explicit ended_request(const webhook_context& of) : of_(of) {}
    ended_request(const ended_request&) = delete;
    ended_request& operator=(const ended_request&) = delete;
    ~ended_request() {
      of_.in_flight->fetch_sub(1);
    }

  private:
    const webhook_context& of_;
  };

  [[nodiscard]] bool is_draining() const {
    return draining->load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t fence_changes() const {
    return fences != nullptr ? fences->load(std::memory_order_relaxed) : 0;
  }
};

} // namespace fanfare
