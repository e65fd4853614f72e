// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// When a webhook has to look again although nobody tells it anything: the
/// earliest of the times at which something of it is due. Not thread-safe.

#include "actors/webhook/backoff_timer.hpp"
#include "fanfare/types.hpp"

#include <algorithm>
#include <memory>
#include <optional>

namespace fanfare {

/// The earliest of several times after `now`.
class earliest_after {
public:
  explicit earliest_after(timestamp now) : now_(now) {}

  void add(timestamp at) {
    if (at > now_)
      found_ = found_ ? std::min(*found_, at) : at;
  }
  [[nodiscard]] const std::optional<timestamp>& found() const {
    return found_;
  }

private:
  timestamp now_;
  std::optional<timestamp> found_;
};

class alarm {
public:
  /// Sends `wake` at that time instead of when it was set to before; if nothing
  /// is due, what was set stays. `make_timer`: for the first time.
  template <class MakeTimer>
  void set(const std::optional<timestamp>& next, MakeTimer make_timer) {
    if (!next || next == at_)
      return;
    if (!timer_)
      timer_ = make_timer();
    at_ = next;
    timer_->set(*next);
  }
  /// It has sent `wake`.
  void went_off() {
    at_.reset();
  }
  void close() {
    if (timer_)
      timer_->cancel();
    timer_.reset();
  }

private:
  std::unique_ptr<wake_timer> timer_; ///< made when first needed
  std::optional<timestamp> at_;
};

} // namespace fanfare
