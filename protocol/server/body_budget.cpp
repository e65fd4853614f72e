// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/body_budget.hpp"

namespace fanfare::protocol::server {

bool body_budget::try_take(std::size_t bytes) {
  auto used = used_.load();
  do {
    if (used != 0 && (used > limit_ || bytes > limit_ - used))
      return false;
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return true;
}

body_share body_queue::reserve(std::weak_ptr<connection> who,
                               std::size_t bytes) {
  if (waiting_.empty() && budget_.try_take(bytes))
    return {*this, bytes};
  waiting_.push_back({std::move(who), bytes});
  return {};
}

void body_queue::give_back(std::size_t bytes) {
  if (bytes == 0)
    return;
  budget_.give_back(bytes);
  if (!waiting_.empty() && !std::exchange(woken_, true))
    wake_();
}

std::optional<body_queue::turn> body_queue::next() {
  woken_ = false;
  while (!waiting_.empty()) {
    const auto bytes = waiting_.front().bytes;
    auto who = waiting_.front().who.lock();
    if (who && !budget_.try_take(bytes))
      return std::nullopt;
    waiting_.pop_front();
    if (who)
      return turn{std::move(who), {*this, bytes}};
  }
  return std::nullopt;
}

} // namespace fanfare::protocol::server
