// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The scheduler: actors run on the I/O threads. A lane is one thread with its
/// io_context, which CAF sees as the unit that runs actors. An actor and those
/// that it wakes run on the same lane, next to their sockets, so that a
/// delivery goes from its webhook to the wire and back without waking a thread.

#include "actors/lanes/lane_clock.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/error.hpp>
#include <caf/execution_unit.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace fanfare {

/// The exit reason of an actor that has thrown, for its supervisor. CAF's own
/// handler would also write to the standard error, which is the program's.
caf::error reason_of(caf::scheduled_actor*, std::exception_ptr& thrown);

class lane final : public caf::execution_unit {
public:
  lane(caf::actor_system& sys, std::size_t index);
  ~lane() override;

  /// Runs `job` on this lane. Takes over the reference that CAF passes with it.
  /// Any thread.
  void exec_later(caf::resumable* job) override;

  /// Whether the caller runs on this lane.
  [[nodiscard]] bool is_current() const {
    return current_ == this;
  }
  /// The lane of the calling thread, or null.
  [[nodiscard]] static lane* current() {
    return current_;
  }

  [[nodiscard]] boost::asio::io_context& io() {
    return io_;
  }
  [[nodiscard]] std::size_t index() const {
    return index_;
  }

  void start();
  /// Ends the thread; jobs that have not run are released. Not from a lane.
  void stop();

private:
  void run_ready();
  void take_inbox();

  static thread_local lane* current_;

  const std::size_t index_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
    keep_;
  /// Only touched by the lane's thread.
  std::deque<caf::resumable*> ready_;
  bool run_posted_ = false;
  /// From other threads.
  std::mutex inbox_mutex_;
  std::vector<caf::resumable*> inbox_;
  std::vector<caf::resumable*> taken_;
  bool stopped_ = false; ///< guarded by inbox_mutex_
  std::thread thread_;
};

/// Loaded into the actor system in place of CAF's own scheduler. The number of
/// lanes is the option "scheduler.max-threads".
class lane_coordinator final : public caf::scheduler::abstract_coordinator {
public:
  explicit lane_coordinator(caf::actor_system& sys);
  ~lane_coordinator() override;

  static caf::actor_system::module* make(caf::actor_system& sys,
                                         caf::detail::type_list<>);
  /// The coordinator of a system that was configured with
  /// `load<lane_coordinator>()`.
  static lane_coordinator& of(caf::actor_system& sys);

  /// From a lane: on that lane. From outside: on one lane after the other.
  void enqueue(caf::resumable* job) override;
  caf::actor_clock& clock() noexcept override;

  /// Ends the lanes before the actor system does. Jobs that come later are
  /// released. Not from a lane; idempotent.
  void halt();

  [[nodiscard]] std::vector<std::unique_ptr<lane>>& lanes() {
    return lanes_;
  }

protected:
  void start() override;
  void stop() override;

private:
  void end_clock();

  std::vector<std::unique_ptr<lane>> lanes_;
  std::atomic<std::size_t> next_{0};
  lane_clock clock_;
  std::thread clock_thread_;
};

} // namespace fanfare
