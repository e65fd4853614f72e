// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/tracing/span_queue.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

bool span_queue::push(std::string span) {
  const std::lock_guard guard{mutex_};
  const auto before = waiting_.size();
  while (!waiting_.empty()
         && (waiting_.size() >= most_
             || bytes_ + span.size() > most_ * bytes_per_span))
    drop_oldest();
  bytes_ += span.size();
  waiting_.push_back(std::move(span));
  return before == 0 || (before < batch_ && waiting_.size() == batch_);
}

void span_queue::drop_oldest() {
  bytes_ -= waiting_.front().size();
  waiting_.pop_front();
  counts_.dropped.fetch_add(1, std::memory_order_relaxed);
}

std::vector<std::string> span_queue::take() {
  const std::lock_guard guard{mutex_};
  std::vector<std::string> out;
  out.reserve(std::min(batch_, waiting_.size()));
  while (out.size() < batch_ && !waiting_.empty()) {
    bytes_ -= waiting_.front().size();
    out.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return out;
}

std::size_t span_queue::size() const {
  const std::lock_guard guard{mutex_};
  return waiting_.size();
}

} // namespace fanfare
