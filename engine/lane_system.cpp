// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/lane_system.hpp"

#include "protocol/dns/resolver.hpp"

#include <boost/asio/post.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <future>
#include <limits>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace fanfare {

namespace {

/// Beside the lanes and the caller's, while an engine starts: its clock's, the
/// committer's, the one that makes it, CAF's, and some to spare.
constexpr std::size_t further_threads = 8;

/// Connections a lane may have open: three quarters of the process's files
/// belong to the lanes, half of these to attempts, the others to connections
/// kept for later.
std::size_t files_per_lane(std::size_t lanes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<std::size_t>::max();
  return std::max<std::size_t>(16, limit.rlim_cur * 3 / 8 / lanes);
}

protocol::http_client_options client_options(const checked_options& options,
                                             lane& at, std::size_t lanes,
                                             lane_figures& figures) {
  protocol::http_client_options out;
  out.policy = options.policy;
  out.tls = options.tls;
  out.via = options.proxy;
  out.not_via = options.no_proxy;
  out.names = protocol::make_system_resolver(
    at.io(),
    {.servers = options.given.network.dns_servers, .counters = &figures.names});
  out.counters = &figures.wire;
  out.max_idle = std::min(out.max_idle, files_per_lane(lanes));
  return out;
}

admission_limits gate_limits(const engine_options& options, std::size_t lanes) {
  admission_limits out;
  out.hard_total = std::min(out.hard_total, files_per_lane(lanes));
  out.total = std::min(out.total, std::max<std::size_t>(1, out.hard_total / 4));
  // A webhook stays on its lane: the lane's share must do for one.
  const auto share = [&](std::size_t all) {
    return std::max({std::size_t{1}, all / lanes,
                     std::min(all, options.concurrency.max_in_flight)});
  };
  out.per_destination = share(options.concurrency.max_per_destination);
  out.per_organizer = std::min(share(options.concurrency.max_per_organizer),
                               out.total);
  return out;
}

} // namespace

result<void> check_threads(std::size_t lanes, std::size_t others) {
  // By making as many for a moment.
  const auto wanted = lanes + others + further_threads;
  std::vector<std::jthread> made;
  made.reserve(wanted);
  std::promise<void> over;
  const auto wait = [end = over.get_future().share()] { end.wait(); };
  std::string why;
  try {
    while (made.size() < wanted)
      made.emplace_back(wait);
  } catch (const std::system_error& e) {
    why = e.code().message();
  }
  over.set_value();
  if (why.empty())
    return {};
  return error{ec::io_error,
               "Cannot make more than " + std::to_string(made.size()) + " of "
                 + std::to_string(wanted) + " threads: " + why
                 + ". Raise the limits of this process (ulimit -u and -v, "
                   "TasksMax) or give fewer threads."};
}

lane_system::config::config(std::size_t lanes) {
  set("scheduler.max-threads", lanes);
  load<lane_coordinator>();
}

lane_system::lane_system(const checked_options& options,
                         engine_figures& figures)
  : options_(options),
    figures_(figures),
    config_(options.given.threads),
    system_(config_) {
  // Actors are ended explicitly; one that still runs must not keep the process.
  system_.await_actors_before_shutdown(false);
  for (auto& at : lanes())
    outlets_.push_back(make_outlet(*at));
}

lane_system::~lane_system() = default;

lane_system::outlet lane_system::make_outlet(lane& at) {
  const auto count = lanes().size();
  return {.wire = std::make_unique<protocol::http_client>(
            at.io(),
            client_options(options_, at, count, *figures_.lanes[at.index()])),
          .gate = admission::make(at.io(), gate_limits(options_.given, count))};
}

std::vector<station> lane_system::stations() {
  std::vector<station> out;
  for (std::size_t i = 0; i < outlets_.size(); ++i) {
    auto& at = *lanes()[i];
    out.push_back({.home = &at,
                   .io = &at.io(),
                   .wire = outlets_[i].wire.get(),
                   .gate = outlets_[i].gate,
                   .make_timer =
                     [&io = at.io(), &clock = *options_.given.clock](
                       const webhook_actor& who) {
                       return std::make_unique<backoff_timer>(io, clock, who);
                     },
                   .figures = figures_.lanes[i].get()});
  }
  return out;
}

std::vector<std::future<void>> lane_system::call_all() {
  std::vector<std::future<void>> out;
  for (const auto& each : lanes()) {
    auto called = std::make_shared<std::promise<void>>();
    out.push_back(called->get_future());
    boost::asio::post(each->io(), [called] { called->set_value(); });
  }
  return out;
}

// -- ticks --------------------------------------------------------------------

void lane_system::every(std::chrono::milliseconds interval,
                        std::function<void()> tick) {
  interval_ = interval;
  tick_ = std::move(tick);
  timer_ = std::make_unique<boost::asio::steady_timer>(lanes().front()->io());
  arm_tick();
}

void lane_system::arm_tick() {
  timer_->expires_after(interval_);
  timer_->async_wait([this](const boost::system::error_code& failed) {
    if (failed)
      return;
    tick_();
    arm_tick();
  });
}

// -- end ----------------------------------------------------------------------

void lane_system::close_wires(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::vector<std::future<void>> closed;
  for (std::size_t i = 0; i < outlets_.size(); ++i) {
    auto done = std::make_shared<std::promise<void>>();
    closed.push_back(done->get_future());
    boost::asio::post(lanes()[i]->io(), [this, i, done] {
      if (i == 0 && timer_)
        timer_->cancel();
      outlets_[i].gate->close();
      // Once more around, so that actors that were told to end are gone before
      // their attempts end.
      boost::asio::post(lane::current()->io(), [this, i, done] {
        outlets_[i].wire->close();
        done->set_value();
      });
    });
  }
  for (auto& c : closed)
    c.wait_until(until);
}

void lane_system::halt() {
  lane_coordinator::of(system_).halt();
}

} // namespace fanfare
