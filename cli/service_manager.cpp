// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

namespace fanfare::cli {

namespace {

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string out = value != nullptr ? value : "";
  unsetenv(name);
  return out;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(),
                                             text.data() + text.size(), out);
  if (failed != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return out;
}

/// In one line, as the protocol has it.
std::string status_line(std::string_view text) {
  std::string out{text};
  std::ranges::replace(out, '\n', ' ');
  return "\nSTATUS=" + out;
}

} // namespace

service_manager service_manager::from_environment() {
  service_manager out;
  out.socket_ = take_variable("NOTIFY_SOCKET");
  const auto span = whole_number(take_variable("WATCHDOG_USEC"));
  const auto process = take_variable("WATCHDOG_PID");
  const bool is_ours = process.empty() || whole_number(process) == getpid();
  if (span && *span > 0 && is_ours && !out.socket_.empty())
    out.watchdog_ = std::chrono::microseconds{*span};
  return out;
}

void service_manager::ready(std::string_view status) const {
  tell("READY=1" + status_line(status));
}

void service_manager::reloading() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto micros = std::int64_t{now.tv_sec} * 1'000'000
                    + now.tv_nsec / 1'000;
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(micros));
}

void service_manager::stopping(std::string_view status) const {
  tell("STOPPING=1" + status_line(status));
}

void service_manager::feed_watchdog() const {
  tell("WATCHDOG=1");
}

void service_manager::tell(const std::string& text) const {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  const bool is_path = socket_.starts_with('/');
  const bool is_abstract = socket_.starts_with('@');
  if ((!is_path && !is_abstract) || socket_.size() >= sizeof to.sun_path)
    return;
  std::memcpy(to.sun_path, socket_.data(), socket_.size());
  if (is_abstract)
    to.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  // Never blocks: whoever reads too slowly misses a message, not the server.
  (void)::sendto(
    fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
    reinterpret_cast<const sockaddr*>(&to),
    static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size()));
  ::close(fd);
}

// -- watchdog -----------------------------------------------------------------

watchdog::watchdog(const service_manager& feeds,
                   std::function<bool(std::chrono::milliseconds)> works)
  : feeds_{feeds},
    works_{std::move(works)} {
  if (feeds_.watchdog().count() > 0)
    thread_ = std::thread{[this] { run(); }};
}

watchdog::~watchdog() {
  {
    const std::lock_guard guard{mutex_};
    ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

void watchdog::run() {
  const auto interval = feeds_.watchdog() / 3;
  const auto patience = std::max(
    std::chrono::duration_cast<std::chrono::milliseconds>(interval),
    std::chrono::milliseconds{1});
  std::unique_lock guard{mutex_};
  auto pause = interval;
  while (!changed_.wait_for(guard, pause, [this] { return ended_; })) {
    guard.unlock();
    const bool works = resting_ || works_(patience);
    if (works)
      feeds_.feed_watchdog();
    // Who took too long is asked again at once: it may have recovered.
    pause = works ? interval : interval.zero();
    guard.lock();
  }
}

} // namespace fanfare::cli
