// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/file/read_gate.hpp"

#include <utility>

namespace fanfare::storage::lmdb {

void read_gate::reached(std::uint64_t upto) {
  {
    const std::lock_guard guard{mutex_};
    reached_.store(upto, std::memory_order_release);
    stalled_.reset();
  }
  changed_.notify_all();
}

void read_gate::stall(error why) {
  {
    const std::lock_guard guard{mutex_};
    stalled_ = std::move(why);
  }
  changed_.notify_all();
}

result<void> read_gate::wait_for(std::uint64_t upto) {
  std::unique_lock guard{mutex_};
  const auto there = [&] {
    return reached_.load(std::memory_order_relaxed) >= upto;
  };
  ++waiting_;
  changed_.wait(guard, [&] { return there() || stalled_; });
  --waiting_;
  return there() ? result<void>{} : *stalled_;
}

} // namespace fanfare::storage::lmdb
