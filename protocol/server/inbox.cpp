// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/inbox.hpp"

namespace fanfare::protocol::server {

void inbox::put(entry what) {
  const std::lock_guard guard{mutex_};
  if (!wake_)
    return;
  entries_.push_back(std::move(what));
  if (entries_.size() == 1)
    wake_();
}

void inbox::collect(std::vector<entry>& into) {
  const std::lock_guard guard{mutex_};
  into.swap(entries_);
}

void inbox::close() {
  std::vector<entry> unwanted; // destroyed without the lock
  const std::lock_guard guard{mutex_};
  wake_ = nullptr;
  unwanted.swap(entries_);
}

} // namespace fanfare::protocol::server
