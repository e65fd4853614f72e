// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/runtime.hpp"

#include <algorithm>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare {

namespace {

using namespace std::chrono_literals;

/// Threads for reads that may wait for the disk.
constexpr std::size_t reader_threads = 2;
/// How often the hook saves what a crash may lose.
constexpr auto save_interval = 60s;
/// How often attempts in flight are looked at.
constexpr auto drain_interval = 2ms;
/// For logging the attempts that a stop cut short, and for ending exchanges.
constexpr auto cancel_patience = 1s;
constexpr auto checkpoint_patience = 1s;
constexpr auto flush_patience = 2s;
/// Deadlines beyond it would overflow.
constexpr std::chrono::days longest_deadline{36'500};

} // namespace

runtime::runtime(const checked_options& options, crew_parts parts,
                 crew_settings settings, runtime_hooks hooks)
  : options_(options),
    store_(parts.store),
    log_(parts.log),
    figures_(*parts.figures),
    hooks_(std::move(hooks)),
    crew_(std::move(parts), std::move(settings)) {}

runtime::~runtime() = default;

// -- start --------------------------------------------------------------------

result<void> runtime::start() {
  if (auto enough = check_threads(options_.given.threads, reader_threads);
      !enough)
    return enough;
  reader_ = std::make_unique<store_reader>(store_, reader_threads);
  // On a thread that ends at once. Each thread that makes CAF's system or
  // spawns keeps CAF's logger until its end, and the end of the system waits
  // for that of the logger: else only the thread that starts an engine could
  // stop it.
  auto started = std::async(std::launch::async, [this] {
    lanes_ = std::make_unique<lane_system>(options_, figures_);
    return start_actors();
  });
  if (auto done = started.get(); !done)
    return done;
  life_.enter(lifecycle::phase::running);
  return {};
}

result<void> runtime::start_actors() {
  crew_.start(lanes_->system(), lanes_->stations(), *reader_);
  if (auto begun = crew_.begin().get(); !begun)
    return begun;
  saved_ = steady::now();
  lanes_->every(options_.given.store.checkpoint_interval, [this] {
    crew_.router().send(atom::checkpoint_v);
    const auto now = steady::now();
    if (now - saved_ >= save_interval) {
      saved_ = now;
      hooks_.save();
      reader_->run(hooks_.look);
    }
  });
  return {};
}

// -- stop ---------------------------------------------------------------------

void runtime::stop(std::chrono::milliseconds deadline) {
  const auto until = steady::now()
                   + std::clamp<std::chrono::milliseconds>(deadline, 0ms,
                                                           longest_deadline);
  // Whoever stops it already must not take longer than this caller may.
  auto before_this = stop_by_.load();
  while (until < before_this
         && !stop_by_.compare_exchange_weak(before_this, until)) {}
  const std::lock_guard guard{stopping_};
  crew_.drain(); // before anyone is told so
  const auto before = life_.enter(lifecycle::phase::stopping);
  if (before != lifecycle::phase::stopped && lanes_) {
    hooks_.stopping();
    if (crew_.started()) {
      drain();
      save_progress();
    }
    end();
  }
  life_.enter(lifecycle::phase::stopped);
}

bool runtime::responds(std::chrono::milliseconds patience) {
  const auto until = steady::now()
                   + std::clamp<std::chrono::milliseconds>(patience, 0ms,
                                                           longest_deadline);
  std::vector<std::future<void>> answers;
  {
    const std::lock_guard one_at_a_time{asking_};
    // Whoever stops it has the lock, and takes the lanes away.
    const std::unique_lock guard{stopping_, std::try_to_lock};
    if (!guard || !life_.running())
      return false;
    answers = lanes_->call_all();
    answers.push_back(crew_.call_committer());
  }
  return std::ranges::all_of(answers, [until](const std::future<void>& one) {
    return one.wait_until(until) == std::future_status::ready;
  });
}

bool runtime::wait_for_attempts(const std::function<bool()>& in_time) {
  const auto& in_flight = crew_.figures().in_flight;
  while (in_flight != 0 && in_time())
    std::this_thread::sleep_for(drain_interval);
  return in_flight == 0;
}

void runtime::drain() {
  if (wait_for_attempts([this] { return steady::now() < stop_by_.load(); }))
    return;
  log_(log_level::warning,
       std::to_string(crew_.figures().in_flight.load())
         + " attempts did not end in time; they are logged as such and made "
           "again after the next start");
  lanes_->close_wires(cancel_patience);
  const auto logged = steady::now() + cancel_patience;
  wait_for_attempts([logged] { return steady::now() < logged; });
}

void runtime::save_progress() {
  // Behind everything that was logged.
  if (!crew_.save_checkpoint(checkpoint_patience))
    log_(log_level::warning, "the last checkpoint was not taken in time");
  hooks_.save();
  if (!crew_.flush(flush_patience))
    log_(log_level::warning, "the last commit did not end in time");
}

void runtime::end() {
  crew_.end([this] {
    reader_->close();
    lanes_->close_wires(cancel_patience);
  });
  lanes_->halt();
  crew_.leave_stations();
  lanes_.reset();
}

} // namespace fanfare
