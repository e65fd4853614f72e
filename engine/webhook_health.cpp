// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/webhook_health.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace fanfare {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t calls_limit = 1'000;
constexpr std::size_t calls_step = 100;
constexpr auto calls_age = 24h;
/// Index entries of the organizer that counting the backlog looks at.
constexpr std::size_t backlog_scan = 100'000;

/// Not an entry that says that something was given up without trying, nor one
/// that says nothing about the receiver.
bool is_attempt(const call& c) {
  if (c.shows == evidence::none)
    return false;
  return c.status != 0 || c.result != outcome::given_up
      || c.timings.total.count() != 0;
}

std::chrono::microseconds
percentile(const std::vector<std::chrono::microseconds>& sorted, double part) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(part * last + 0.5)];
}

/// Looks at the newest calls.
result<void> read_calls(const storage::call_log& log,
                        const webhook_record& hook, timestamp now,
                        webhook_health& out) {
  std::vector<std::chrono::microseconds> times;
  call_id before = 0;
  for (bool more = true; more;) {
    auto step = log.newest(hook.id, before, calls_step);
    if (!step)
      return step.error();
    more = step->size() == calls_step;
    for (auto& c : *step) {
      before = c.id;
      if (c.time < now - calls_age || out.calls == calls_limit) {
        more = false;
        break;
      }
      if (!is_attempt(c))
        continue;
      ++out.calls;
      out.since = c.time;
      ++out.return_codes[c.status];
      times.push_back(c.timings.total);
      if (c.shows == evidence::unclear) {
        ++out.unclear;
        continue;
      }
      const bool success = c.result == outcome::delivered;
      if (out.status == webhook_health::verdict::idle)
        out.status = success ? webhook_health::verdict::healthy
                             : webhook_health::verdict::failing;
      if (success) {
        ++out.successes;
        if (!out.last_success)
          out.last_success = c.time;
      } else if (!out.last_error) {
        out.last_error = std::move(c);
      }
    }
  }
  if (times.empty())
    return {};
  std::ranges::sort(times);
  out.execution_time = {.p50 = percentile(times, 0.5),
                        .p90 = percentile(times, 0.9),
                        .p99 = percentile(times, 0.99),
                        .most = times.back()};
  const std::chrono::duration<double, std::ratio<60>> span = now - *out.since;
  out.calls_per_minute = static_cast<double>(out.calls)
                       / std::max(span.count(), 1.0);
  return {};
}

} // namespace

result<webhook_health> measure_health(const storage::store& store,
                                      const webhook_record& hook,
                                      timestamp now) {
  webhook_health out;
  if (auto read = read_calls(store.call_log(), hook, now, out); !read)
    return read.error();
  const auto retries = store.deliveries().retries(hook.id);
  if (!retries)
    return retries.error();
  const auto backlog = store.deliveries().count_backlog(hook, backlog_scan);
  if (!backlog)
    return backlog.error();
  out.retries = retries->size();
  out.backlog = backlog->count;
  out.backlog_complete = backlog->complete;
  auto oldest = backlog->first;
  for (const auto& r : *retries) {
    if (!out.next_retry || r.due < *out.next_retry)
      out.next_retry = r.due;
    if (oldest == 0 || r.subject < oldest)
      oldest = r.subject;
  }
  if (oldest != 0)
    if (const auto found = store.journal().find(oldest))
      out.oldest_waiting = {.subject = oldest,
                            .published = (*found)->published};
  if (!hook.current().enabled)
    out.status = webhook_health::verdict::disabled;
  return out;
}

} // namespace fanfare
