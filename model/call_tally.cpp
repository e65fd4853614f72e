// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "model/call_tally.hpp"

#include <numeric>

namespace fanfare {

call_class classify(const call& entry) {
  call_class out;
  const auto kind = failure_kind_of(entry);
  if (kind)
    out.kind = static_cast<std::uint8_t>(*kind);
  if (!kind || is_answered(*kind))
    out.bin = duration_bins::bin_of(entry.timings.total);
  out.is_retry = entry.attempt > 1 && !entry.unsent;
  out.gives_up = entry.result == outcome::given_up;
  return out;
}

void call_tally::add(const call_class& one) {
  if (one.kind != call_class::none)
    ++failures[one.kind];
  if (one.bin != call_class::none)
    answers.add(one.bin);
  retries += one.is_retry ? 1 : 0;
  given_up += one.gives_up ? 1 : 0;
}

void call_tally::add(const call_tally& other) {
  for (std::size_t i = 0; i < failures.size(); ++i)
    failures[i] += other.failures[i];
  retries += other.retries;
  given_up += other.given_up;
  answers.add(other.answers);
}

std::uint64_t call_tally::all_failures() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

std::uint64_t call_tally::successes() const {
  auto answered = answers.total();
  for (std::size_t i = 0; i < failures.size(); ++i)
    if (is_answered(i))
      answered -= failures[i];
  return answered;
}

} // namespace fanfare
