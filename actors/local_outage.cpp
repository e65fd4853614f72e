// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/local_outage.hpp"

#include <utility>

namespace fanfare {

local_outage::local_outage(
  const wall_clock& clock,
  std::function<void(log_level, const std::string&)> log,
  std::function<void()> end)
  : clock_(clock),
    log_(std::move(log)),
    end_(std::move(end)) {}

void local_outage::note_fault(const std::string& reason) {
  const auto now = clock_.now();
  const timestamp reached{
    std::chrono::milliseconds{reached_.load(std::memory_order_relaxed)}};
  if (active_.load(std::memory_order_relaxed) || now - reached < recent)
    return;
  {
    const std::lock_guard guard{mutex_};
    if (active_.exchange(true))
      return;
    was_told_ = told_ == timestamp{} || now - told_ >= quiet;
    if (!was_told_)
      return;
    told_ = now;
  }
  if (log_)
    log_(log_level::warning,
         "no receiver can be reached, and the cause is on this machine: "
           + reason
           + ". Deliveries wait and use up no attempts; they go on by "
             "themselves. Look at its name servers, routes and limits");
}

bool local_outage::shares_failing_names(std::string_view host, timestamp now) {
  const std::lock_guard guard{mutex_};
  const auto is_recent = [&](timestamp then) {
    return then != timestamp{} && now - then < memory && !reached_since(then);
  };
  if (host != failing_ && is_recent(failing_at_))
    others_at_ = now;
  if (host != failing_)
    failing_ = host;
  failing_at_ = now;
  return is_recent(others_at_);
}

void local_outage::finish() {
  bool was_told = false;
  {
    const std::lock_guard guard{mutex_};
    if (!active_.exchange(false))
      return;
    ended_.fetch_add(1, std::memory_order_relaxed);
    was_told = was_told_;
  }
  if (was_told && log_)
    log_(log_level::info, "receivers can be reached again; deliveries go on");
  if (end_)
    end_();
}

} // namespace fanfare
