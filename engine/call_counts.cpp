// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/call_counts.hpp"

#include "model/call_tally.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace fanfare {

namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr auto default_time = 24h;
constexpr seconds longest_step = 24h;
/// Who asks for all that is kept by 5 minutes is a little late with it.
constexpr auto grace = 1h;

error refusal(const char* field, std::string sentence) {
  return {ec::invalid_argument, std::move(sentence), field};
}

/// Times before the epoch round down, too.
timestamp round_down(timestamp time, seconds step) {
  const auto over = time.time_since_epoch() % step;
  return time - over - (over < 0ms ? step : seconds{0});
}

result<seconds> choose_step(const statistics_query& which, bool recent) {
  if (!which.step)
    return recent ? tally_times::fine : tally_times::coarse;
  const auto step = *which.step;
  const auto unit = step < tally_times::coarse ? tally_times::fine
                                               : tally_times::coarse;
  if (step <= 0s || step > longest_step || step % unit != 0s)
    return refusal("step", "This must be a multiple of 5 minutes below an "
                           "hour, or whole hours up to a day: 5m, 1h, 1d.");
  if (step < tally_times::coarse && !recent)
    return refusal("step", "What is older than 2 days is kept by the hour: "
                           "take a step of 1h or 1d, or a later since.");
  return step;
}

call_statistics::counts to_counts(const call_tally& from) {
  call_statistics::counts to{.calls = from.calls(),
                             .successes = from.successes(),
                             .failures = from.all_failures(),
                             .retries = from.retries,
                             .given_up = from.given_up};
  for (std::size_t i = 0; i < from.failures.size(); ++i)
    if (from.failures[i] != 0)
      to.failures_by_kind.emplace(failure_kinds[i], from.failures[i]);
  if (from.answers.total() != 0)
    to.answer_time = {.p50 = from.answers.quantile(0.5),
                      .p90 = from.answers.quantile(0.9),
                      .p99 = from.answers.quantile(0.99)};
  return to;
}

/// The times of the query in whole steps, and nothing else of the report.
result<call_statistics> plan(const statistics_query& which, timestamp now) {
  const auto until = std::min(which.until.value_or(now), now);
  const auto oldest = now - tally_times::coarse_kept;
  if (until <= oldest)
    return refusal("until", "Statistics are kept for 30 days: this must be "
                            "later.");
  const auto since = std::max(which.since.value_or(until - default_time),
                              oldest);
  if (since >= until)
    return refusal("since", since >= now ? "This must not be in the future."
                                         : "This must be before until.");
  const bool recent = since >= now - tally_times::fine_kept - grace;
  const auto step = choose_step(which, recent);
  if (!step)
    return step.error();
  call_statistics out;
  out.step = *step;
  out.since = round_down(since, *step);
  out.until = round_down(until - 1ms, *step) + *step;
  const auto steps = (out.until - out.since) / *step;
  if (static_cast<std::size_t>(steps) > most_steps)
    return refusal("step", "That would be " + std::to_string(steps)
                             + " steps, and an answer has at most 1,000. Take "
                               "a longer step, or less time.");
  return out;
}

} // namespace

result<call_statistics>
count_calls(const storage::call_log& log, organizer_id owner, webhook_id hook,
            const statistics_query& which, timestamp now) {
  auto out = plan(which, now);
  if (!out)
    return out;
  const auto steps = static_cast<std::size_t>((out->until - out->since)
                                              / out->step);
  const auto found = log.count({.owner = owner,
                                .hook = hook,
                                .since = out->since,
                                .step = out->step,
                                .steps = steps});
  if (!found)
    return found.error();
  call_tally total;
  auto at = out->since;
  out->buckets.reserve(steps);
  for (const auto& one : *found) {
    total.add(one);
    out->buckets.push_back({.since = at, .counted = to_counts(one)});
    at += out->step;
  }
  out->total = to_counts(total);
  return out;
}

} // namespace fanfare
