// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/metrics/process_figures.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

/// Of /proc/self/stat, see proc(5).
struct process_state {
  double user_ticks = 0;
  double system_ticks = 0;
  double threads = 0;
  double start_ticks = 0; ///< since the system was started
  double virtual_bytes = 0;
  double resident_pages = 0;
};

std::optional<process_state> read_state() {
  std::ifstream in{"/proc/self/stat"};
  std::string text;
  std::getline(in, text);
  // The name of the program, in brackets, may hold anything.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos)
    return std::nullopt;
  std::istringstream rest{text.substr(name_end + 1)};
  constexpr int first = 3; // the field after the name
  process_state out;
  std::string word;
  for (int field = first; rest >> word; ++field) {
    const auto value = [&word] { return std::strtod(word.c_str(), nullptr); };
    switch (field) {
      case 14: out.user_ticks = value(); break;
      case 15: out.system_ticks = value(); break;
      case 20: out.threads = value(); break;
      case 22: out.start_ticks = value(); break;
      case 23: out.virtual_bytes = value(); break;
      case 24: out.resident_pages = value(); return out;
      default: break;
    }
  }
  return std::nullopt;
}

/// When the system was started, in seconds since 1970. Without /proc/stat,
/// which may be hidden.
double boot_time() {
  static const double found = [] {
    const auto seconds = [](clockid_t of) {
      timespec now{};
      (void)clock_gettime(of, &now);
      return static_cast<double>(now.tv_sec)
           + static_cast<double>(now.tv_nsec) / 1e9;
    };
    return seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME);
  }();
  return found;
}

std::optional<double> count_files() {
  std::error_code failed;
  std::filesystem::directory_iterator each{"/proc/self/fd", failed};
  double count = 0;
  for (; !failed && each != std::filesystem::directory_iterator{};
       each.increment(failed))
    ++count;
  if (failed)
    return std::nullopt;
  return count - 1; // that of the look itself
}

} // namespace

std::vector<metric> process_figures() {
  std::vector<metric> out;
  const auto add = [&out](const char* name, const char* help, metric::kind type,
                          double value) {
    out.push_back({.name = name, .help = help, .type = type, .value = value});
  };
  using kind = metric::kind;
  if (const auto state = read_state()) {
    const auto per_second = static_cast<double>(
      std::max(1L, ::sysconf(_SC_CLK_TCK)));
    add("process_cpu_seconds_total", "CPU time of user and system.",
        kind::counter, (state->user_ticks + state->system_ticks) / per_second);
    add("process_resident_memory_bytes", "Resident memory.", kind::gauge,
        state->resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    add("process_virtual_memory_bytes", "Virtual memory.", kind::gauge,
        state->virtual_bytes);
    add("process_threads", "Threads.", kind::gauge, state->threads);
    add("process_start_time_seconds",
        "When the process was started, in seconds since 1970.", kind::gauge,
        boot_time() + state->start_ticks / per_second);
  }
  if (const auto files = count_files())
    add("process_open_fds", "Open file descriptors.", kind::gauge, *files);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    add("process_max_fds", "Most file descriptors that it may have open.",
        kind::gauge, static_cast<double>(limit.rlim_cur));
  return out;
}

} // namespace fanfare::protocol::rest
