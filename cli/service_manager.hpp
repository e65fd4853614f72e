// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Tells systemd how the server is going, if systemd started it: sd_notify(3),
/// a datagram per message, without its library.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace fanfare::cli {

/// Any thread. Whatever fails is ignored: it must not end the server.
class service_manager {
public:
  /// Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the
  /// environment, which children must not inherit. Without the first, nobody is
  /// told.
  [[nodiscard]] static service_manager from_environment();

  /// It serves. `status` is what `systemctl status` shows.
  void ready(std::string_view status) const;
  /// It reads its certificates again; ready() ends that.
  void reloading() const;
  void stopping(std::string_view status) const;
  void feed_watchdog() const;

  /// How long the server may be silent before it is killed; 0: for ever.
  [[nodiscard]] std::chrono::microseconds watchdog() const {
    return watchdog_;
  }

private:
  void tell(const std::string& text) const;

  std::string socket_; ///< as the environment had it; empty: none
  std::chrono::microseconds watchdog_{0};
};

/// Feeds the watchdog as long as the server works, three times as often as is
/// needed, on a thread of its own.
class watchdog {
public:
  /// `works` is asked whether the server does; it has the given time to answer.
  /// Without a watchdog there is no thread.
  watchdog(const service_manager& feeds,
           std::function<bool(std::chrono::milliseconds)> works);
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  /// From now on it does not matter whether the server works: one that stops
  /// has its own deadline.
  void rest() {
    resting_ = true;
  }

private:
  void run();

  const service_manager& feeds_;
  const std::function<bool(std::chrono::milliseconds)> works_;
  std::atomic<bool> resting_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false; ///< guarded by mutex_
  std::thread thread_;
};

} // namespace fanfare::cli
