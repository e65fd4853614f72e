// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A value that one thread waits for and another sets, once. Unlike a promise
/// it is simply dropped if an exception comes in between: a promise would then
/// make another one, and end the process if memory is short.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace fanfare {

template <class T>
class awaited {
public:
  void set(T value) {
    std::lock_guard guard{mutex_};
    value_.emplace(std::move(value));
    is_set_.notify_one();
  }

  /// Waits for it and takes it.
  T get() {
    std::unique_lock guard{mutex_};
    is_set_.wait(guard, [this] { return value_.has_value(); });
    return std::move(*value_);
  }

private:
  std::mutex mutex_;
  std::condition_variable is_set_;
  std::optional<T> value_;
};

} // namespace fanfare
