// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The threads of an engine and its I/O: CAF's system with its
/// lanes, and on each lane an HTTP client, an admission gate and
/// timers.

#include "actors/admission.hpp"
#include "actors/lanes/lanes.hpp"
#include "engine/crew.hpp"
#include "engine/options.hpp"
#include "fanfare/error.hpp"
#include "protocol/client/http_client.hpp"

#include <boost/asio/steady_timer.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <vector>

namespace fanfare {

/// Checks that the process may start the lanes' threads, `others` and CAF's:
/// neither CAF nor Asio survives a failure. io_error.
[[nodiscard]] result<void> check_threads(std::size_t lanes, std::size_t others);

class lane_system {
public:
  /// Throws what CAF, Asio and OpenSSL throw if the process's limits allow too
  /// few threads or files. Both must outlive it.
  /// `figures`: of each lane.
  lane_system(const checked_options& options, engine_figures& figures);
  /// After `halt`, and after all users of the stations.
  ~lane_system();
  lane_system(const lane_system&) = delete;
  lane_system& operator=(const lane_system&) = delete;

  [[nodiscard]] caf::actor_system& system() {
    return system_;
  }
  /// One per lane.
  [[nodiscard]] std::vector<station> stations();

  /// A future for each lane, ready once the lane has got to it.
  [[nodiscard]] std::vector<std::future<void>> call_all();

  /// Calls `tick` on the first lane, repeatedly, until `close_wires`.
  void every(std::chrono::milliseconds interval, std::function<void()> tick);

  /// Ends all exchanges; those in flight fail as cancelled.
  void close_wires(std::chrono::milliseconds patience);

  /// Ends the lanes, which release their queues' contents.
  void halt();

private:
  struct config : caf::actor_system_config {
    explicit config(std::size_t lanes);
  };
  struct outlet {
    std::unique_ptr<protocol::http_client> wire;
    std::shared_ptr<admission> gate;
  };

  [[nodiscard]] std::vector<std::unique_ptr<lane>>& lanes() {
    return lane_coordinator::of(system_).lanes();
  }
  [[nodiscard]] outlet make_outlet(lane& at);
  void arm_tick();

  const checked_options& options_;
  engine_figures& figures_;
  config config_;
  caf::actor_system system_;
  std::vector<outlet> outlets_; ///< by lane
  std::unique_ptr<boost::asio::steady_timer> timer_;
  std::chrono::milliseconds interval_{0};
  std::function<void()> tick_;
};

} // namespace fanfare
