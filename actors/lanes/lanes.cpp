// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/lanes/lanes.hpp"

#include <boost/asio/post.hpp>
#include <caf/resumable.hpp>

#include <pthread.h>

#include <string>
#include <utility>

namespace fanfare {

namespace {

/// Messages that an actor may handle before the next one's turn.
constexpr std::size_t max_throughput = 64;
/// Actors that may run before the sockets' turn.
constexpr std::size_t max_burst = 128;

/// With many webhooks, an actor has left the processor's cache when its next
/// turn comes. It is fetched that many actors ahead, and that much of it: the
/// size of a webhook's.
constexpr std::size_t ahead = 2;
constexpr std::ptrdiff_t fetched_bytes = 2'304;

void fetch(const caf::resumable* job) {
  const auto* at = reinterpret_cast<const char*>(job);
  for (std::ptrdiff_t offset = -128; offset < fetched_bytes; offset += 64)
    __builtin_prefetch(at + offset);
}

} // namespace

caf::error reason_of(caf::scheduled_actor*, std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return caf::make_error(caf::sec::runtime_error, e.what());
  } catch (...) {
    return caf::make_error(caf::sec::runtime_error, "no std::exception");
  }
}

thread_local lane* lane::current_ = nullptr;

lane::lane(caf::actor_system& sys, std::size_t index)
  : caf::execution_unit(&sys),
    index_(index),
    keep_(io_.get_executor()) {}

lane::~lane() {
  stop();
}

void lane::exec_later(caf::resumable* job) {
  if (is_current()) {
    ready_.push_back(job);
    if (!run_posted_) {
      run_posted_ = true;
      boost::asio::post(io_, [this] { run_ready(); });
    }
    return;
  }
  bool first = false;
  {
    std::lock_guard guard{inbox_mutex_};
    if (!stopped_) {
      first = inbox_.empty();
      inbox_.push_back(job);
      job = nullptr;
    }
  }
  if (job != nullptr) {
    caf::scheduler::abstract_coordinator::cleanup_and_release(job);
    return;
  }
  if (first)
    boost::asio::post(io_, [this] { take_inbox(); });
}

void lane::take_inbox() {
  {
    std::lock_guard guard{inbox_mutex_};
    std::swap(inbox_, taken_);
  }
  for (auto* job : taken_)
    ready_.push_back(job);
  taken_.clear();
  if (!run_posted_)
    run_ready();
}

void lane::run_ready() {
  run_posted_ = true; // jobs that these wake are appended, not posted
  for (std::size_t i = 0; i < max_burst && !ready_.empty(); ++i) {
    auto* job = ready_.front();
    ready_.pop_front();
    if (ready_.size() >= ahead)
      fetch(ready_[ahead - 1]);
    if (job->resume(this, max_throughput) == caf::resumable::resume_later)
      ready_.push_back(job);
    else
      caf::intrusive_ptr_release(job);
  }
  run_posted_ = !ready_.empty();
  if (run_posted_)
    boost::asio::post(io_, [this] { run_ready(); });
}

void lane::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(),
                       ("lane-" + std::to_string(index_)).c_str());
    current_ = this;
    io_.run();
    current_ = nullptr;
  });
}

void lane::stop() {
  if (!thread_.joinable())
    return;
  keep_.reset();
  io_.stop();
  thread_.join();
  {
    std::lock_guard guard{inbox_mutex_};
    stopped_ = true;
    ready_.insert(ready_.end(), inbox_.begin(), inbox_.end());
    inbox_.clear();
  }
  for (auto* job : std::exchange(ready_, {}))
    caf::scheduler::abstract_coordinator::cleanup_and_release(job);
}

lane_coordinator::lane_coordinator(caf::actor_system& sys)
  : caf::scheduler::abstract_coordinator(sys) {}

lane_coordinator::~lane_coordinator() {
  end_clock(); // a system that failed to start was not stopped
}

caf::actor_system::module* lane_coordinator::make(caf::actor_system& sys,
                                                  caf::detail::type_list<>) {
  return new lane_coordinator(sys);
}

lane_coordinator& lane_coordinator::of(caf::actor_system& sys) {
  return dynamic_cast<lane_coordinator&>(sys.scheduler());
}

void lane_coordinator::enqueue(caf::resumable* job) {
  auto* here = lane::current();
  (here != nullptr ? here : lanes_[next_++ % lanes_.size()].get())
    ->exec_later(job);
}

caf::actor_clock& lane_coordinator::clock() noexcept {
  return clock_;
}

void lane_coordinator::start() {
  for (std::size_t i = 0; i < num_workers(); ++i)
    lanes_.push_back(std::make_unique<lane>(system(), i));
  for (auto& l : lanes_)
    l->start();
  clock_thread_ = std::thread([this] { clock_.run_dispatch_loop(); });
  caf::scheduler::abstract_coordinator::start();
}

void lane_coordinator::halt() {
  for (auto& l : lanes_)
    l->stop();
}

void lane_coordinator::stop() {
  stop_actors();
  halt();
  end_clock();
}

void lane_coordinator::end_clock() {
  if (!clock_thread_.joinable())
    return;
  clock_.cancel_dispatch_loop();
  clock_thread_.join();
}

} // namespace fanfare
