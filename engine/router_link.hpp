// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The router for threads that are not actors.

#include "actors/interfaces.hpp"

#include <mutex>
#include <utility>

namespace fanfare {

/// Any thread.
class router_link {
public:
  void connect(router_actor to) {
    const std::lock_guard guard{mutex_};
    to_ = std::move(to);
  }
  void disconnect() {
    connect({});
  }

  /// False: there is no router, or no longer one.
  template <class... Message>
  bool send(Message&&... message) {
    const std::lock_guard guard{mutex_};
    if (!to_)
      return false;
    caf::anon_send(to_, std::forward<Message>(message)...);
    return true;
  }

private:
  std::mutex mutex_;
  router_actor to_;
};

} // namespace fanfare
