// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The actors of an engine, wired together. The caller supplies their scheduler
/// and transport: an engine its lanes and sockets, tests their own scheduler
/// and wire. Add further actors here.

#include "actors/admission.hpp"
#include "actors/batch_writer.hpp"
#include "actors/certificates.hpp"
#include "actors/commit_queue.hpp"
#include "actors/committer.hpp"
#include "actors/interfaces.hpp"
#include "actors/janitor.hpp"
#include "actors/journal_reader.hpp"
#include "actors/lanes/lanes.hpp"
#include "actors/local_outage.hpp"
#include "actors/rest_board.hpp"
#include "actors/router.hpp"
#include "actors/shared_hold.hpp"
#include "actors/webhook/backoff_timer.hpp"
#include "actors/webhook/webhook.hpp"
#include "engine/engine_figures.hpp"
#include "engine/router_link.hpp"
#include "fanfare/clock.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// A lane as the actors on it see it.
struct station {
  /// Where the actors run. Null: wherever the system's scheduler puts them.
  lane* home = nullptr;
  boost::asio::io_context* io = nullptr;
  protocol::transport* wire = nullptr;
  std::shared_ptr<admission> gate;
  std::function<std::unique_ptr<wake_timer>(webhook_actor)> make_timer;
  /// Starts a webhook's actor; empty: on `home`, and nothing else.
  std::function<webhook_actor(std::shared_ptr<const webhook_context>,
                              std::shared_ptr<webhook_slot>, position)>
    start_webhook = {};
  lane_figures* figures = nullptr; ///< null: nobody counts
};

struct crew_settings {
  /// Settings of all webhooks, from the engine's options. Members that belong
  /// to a lane or to the crew are filled in for each lane.
  webhook_context webhooks;
  std::size_t idle_checkpoints = 15;
  /// Webhooks that are started and have not come to rest; others wait without
  /// an actor.
  std::size_t max_working = 4'096;
  /// Actors that are kept, at 6 KiB each, although they rest and others wait:
  /// to start one costs about as much as an attempt.
  std::size_t kept_active = 16'384;
  std::size_t max_unrouted = 20'000;
  std::chrono::milliseconds retention = std::chrono::hours{24 * 30};
  std::chrono::milliseconds retention_interval = std::chrono::minutes{1};
  std::chrono::microseconds commit_linger{2'000};
  std::chrono::milliseconds commit_retry_pause{250};
  /// True if the committer has its own thread, as it blocks.
  bool detached_committer = true;
};

/// The parts of the crew; all must outlive it.
struct crew_parts {
  storage::store& store;
  const wall_clock& clock;
  log_function log;
  /// Gets each operation once on disk, before its entry completes. By the
  /// thread with the turn to write.
  std::function<void(const storage::operation&)> observe;
  /// What the operator is shown.
  operator_watch& watch;
  /// Nothing more can be written or routed; the sentence is for the operator.
  /// Any thread.
  std::function<void(const std::string&)> on_fatal;
  engine_figures* figures = nullptr; ///< null: nobody counts
  tracer* tracing = nullptr;         ///< null: nothing is traced
};

/// Figures of the crew, for operators. Any thread.
struct crew_figures {
  std::atomic<position> routed_upto{0}; ///< newest fanned out
  std::atomic<std::size_t> registered_webhooks{0};
  std::atomic<std::size_t> active_webhooks{0}; ///< with an actor
  std::atomic<std::size_t> in_flight{0};       ///< attempts
  waiting_figures waiting = {};                ///< for actors
};

class crew {
public:
  crew(crew_parts parts, crew_settings settings);
  ~crew();

  // -- from the start on, any thread ------------------------------------------

  [[nodiscard]] commit_queue& commits() {
    return commits_;
  }
  [[nodiscard]] const commit_queue& commits() const {
    return commits_;
  }
  [[nodiscard]] batch_writer& writer() {
    return writer_;
  }
  [[nodiscard]] router_link& router() {
    return router_;
  }
  [[nodiscard]] const crew_figures& figures() const {
    return figures_;
  }
  [[nodiscard]] const certificates& seen_certificates() const {
    return certificates_;
  }

  [[nodiscard]] const retention_rule& kept() const {
    return kept_;
  }
  void keep_for(std::chrono::milliseconds period,
                std::chrono::milliseconds interval) {
    kept_.period = period;
    kept_.interval = interval;
  }

  // -- whoever starts and stops it --------------------------------------------

  /// Starts the actors. What `on` and `reader` refer to must outlive them.
  void start(caf::actor_system& system, std::vector<station> on,
             journal_reader& reader);
  /// Makes the router resume unfinished work. The future gets the result; from
  /// then on notifications are routed.
  [[nodiscard]] std::future<result<void>> begin();

  [[nodiscard]] bool started() const {
    return routes_ != nullptr;
  }
  /// From here on no attempt starts.
  void drain() {
    draining_ = true;
  }
  /// Saves progress. False: not in time.
  bool save_checkpoint(std::chrono::milliseconds patience);
  /// Waits until everything in the commit queue is on disk. False: not in time,
  /// or never.
  bool flush(std::chrono::milliseconds patience);
  /// Ready once the committer has got to it; the disk is not touched for it.
  [[nodiscard]] std::future<void> call_committer();
  /// Takes no more operations and ends the actors. `close_wires` ends their
  /// exchanges, after the actors that start work and before the committer.
  void end(const std::function<void()>& close_wires);
  /// Once the actors are gone, what their lanes gave them may be.
  void leave_stations() {
    contexts_.clear();
    stations_.clear();
  }

  [[nodiscard]] const committer_actor& committer() const {
    return committer_;
  }

private:
  void start_committer(caf::actor_system& system);
  void start_router(caf::actor_system& system, journal_reader& reader);
  void start_supervisor(caf::actor_system& system, journal_reader& reader);
  [[nodiscard]] std::shared_ptr<const webhook_context>
  context_of(const station& at, journal_reader& reader);
  [[nodiscard]] batch_writer_config writer_config();
  void escalate(const std::string& why);
  /// How the router has begun; the first time counts.
  void tell_begun(result<void> how);

  crew_parts parts_;
  crew_settings settings_;
  crew_figures figures_;
  std::atomic<bool> draining_{false};
  router_link router_;
  commit_queue commits_;
  batch_writer writer_;
  local_outage outage_;
  shared_holds holds_;
  rest_board resting_;
  certificates certificates_;
  retention_rule kept_;
  storage::run_times runs_; ///< as of the start
  std::vector<station> stations_;
  /// By station.
  std::vector<std::shared_ptr<const webhook_context>> contexts_;
  struct {
    std::promise<result<void>> how;
    std::atomic_flag told;
  } begun_;
  caf::actor_system* system_ = nullptr;
  committer_actor committer_;
  router_actor routes_;
  supervisor_actor supervisor_;
};

} // namespace fanfare
