// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/backup_schedule.hpp"

#include "cli/data_summary_view.hpp"
#include "fanfare/engine.hpp"

#include <spdlog/spdlog.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <system_error>
#include <utility>

namespace fanfare::cli {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::string_view name_begins = "fanfare-";
constexpr std::string_view name_ends = ".backup";
/// Before one that failed is tried again.
constexpr std::chrono::milliseconds retry_pause = 5min;
/// The clock may be set meanwhile.
constexpr std::chrono::milliseconds longest_nap = 1min;

timestamp now() {
  return std::chrono::floor<std::chrono::milliseconds>(
    std::chrono::system_clock::now());
}

} // namespace

std::string backup_name(timestamp begun) {
  const auto seconds = std::chrono::system_clock::to_time_t(begun);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return std::string{name_begins} + text.data() + std::string{name_ends};
}

std::optional<timestamp> time_of_backup(std::string_view name) {
  if (!name.starts_with(name_begins) || !name.ends_with(name_ends))
    return std::nullopt;
  const std::string text{name.substr(
    name_begins.size(), name.size() - name_begins.size() - name_ends.size())};
  std::tm parts{};
  int read = 0;
  if (std::sscanf(text.c_str(), "%4d%2d%2dT%2d%2d%2dZ%n", &parts.tm_year,
                  &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min,
                  &parts.tm_sec, &read)
        != 6
      || static_cast<std::size_t>(read) != text.size())
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const auto found = std::chrono::floor<std::chrono::milliseconds>(
    std::chrono::system_clock::from_time_t(timegm(&parts)));
  // Only what it would be called: no 31st of February.
  return backup_name(found) == name ? std::optional{found} : std::nullopt;
}

namespace {

/// The names of those in the directory, the oldest first.
std::vector<std::string> find_backups(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code code;
  std::error_code unreadable; // one of them
  for (fs::directory_iterator at{directory, code}, end; !code && at != end;
       at.increment(code))
    if (auto name = at->path().filename().string();
        time_of_backup(name) && fs::is_regular_file(at->path(), unreadable))
      names.push_back(std::move(name));
  if (code)
    spdlog::error("the backups in {} cannot be listed: {}", directory,
                  code.message());
  std::ranges::sort(names);
  return names;
}

/// Removes all but the newest of those that were begun until then.
void remove_old(const backup_plan& plan, timestamp newest) {
  auto names = find_backups(plan.directory);
  std::erase_if(names, [newest](const std::string& name) {
    return *time_of_backup(name) > newest;
  });
  for (std::size_t i = 0; i + plan.keep < names.size(); ++i) {
    std::error_code code;
    fs::remove(fs::path{plan.directory} / names[i], code);
    if (code)
      spdlog::error("the old backup {} cannot be removed: {}", names[i],
                    code.message());
  }
}

} // namespace

result<void> backup_schedule::prepare(const backup_plan& plan) {
  std::error_code code;
  if (plan.directory.empty() || fs::is_directory(plan.directory, code))
    return {};
  if (const auto parent = fs::path{plan.directory}.parent_path();
      !parent.empty())
    fs::create_directories(parent, code);
  if (::mkdir(plan.directory.c_str(), 0700) != 0)
    return error{ec::io_error,
                 "Cannot make the directory " + plan.directory
                   + " for backups: " + std::generic_category().message(errno)
                   + (errno == EROFS
                        ? ". Name it in ReadWritePaths= of the systemd unit."
                        : "."),
                 "backup_dir"};
  return {};
}

std::unique_ptr<backup_schedule> backup_schedule::begin(engine& of,
                                                        backup_plan plan) {
  return std::unique_ptr<backup_schedule>{
    new backup_schedule{of, std::move(plan)}};
}

backup_schedule::backup_schedule(engine& of, backup_plan plan)
  : engine_(of),
    plan_(std::move(plan)),
    thread_([this] { work(); }) {}

backup_schedule::~backup_schedule() {
  {
    const std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void backup_schedule::change(backup_plan plan) {
  {
    const std::lock_guard guard{mutex_};
    plan_ = std::move(plan);
    plan_changed_ = true;
  }
  changed_.notify_all();
}

void backup_schedule::work() {
  std::unique_lock guard{mutex_};
  while (!stopping_) {
    plan_changed_ = false;
    const auto plan = plan_;
    if (plan.directory.empty()) {
      changed_.wait(guard, [this] { return stopping_ || plan_changed_; });
      continue;
    }
    guard.unlock();
    follow(plan);
    guard.lock();
  }
}

void backup_schedule::follow(const backup_plan& plan) {
  auto due = now();
  // One of the future was made while the clock was wrong.
  for (const auto& name : find_backups(plan.directory))
    if (const auto made = *time_of_backup(name); made <= now())
      due = made + plan.every;
  while (wait_until(plan, due)) {
    const auto begun = now();
    if (back_up(plan, begun)) {
      remove_old(plan, begun);
      due = begun + plan.every;
    } else {
      due = now() + std::min(plan.every, retry_pause);
    }
  }
}

bool backup_schedule::back_up(const backup_plan& plan, timestamp begun) {
  const auto file = fs::path{plan.directory} / backup_name(begun);
  const auto made = engine_.back_up(
    file, {.bytes_per_second = plan.bytes_per_second});
  if (!made) {
    if (made.error().code != ec::stopping)
      spdlog::error("no backup was made: {} It is tried again in {} s",
                    made.error().detail,
                    std::min(plan.every, retry_pause) / 1s);
    return false;
  }
  std::error_code ignored;
  spdlog::info("backup {} of {} was made in {} s", file.string(),
               size_text(fs::file_size(file, ignored)), (now() - begun) / 1s);
  return true;
}

bool backup_schedule::wait_until(const backup_plan& plan, timestamp due) {
  std::unique_lock guard{mutex_};
  for (;;) {
    if (stopping_ || plan_changed_)
      return false;
    const auto left = due - now();
    if (left <= 0ms || left > plan.every) // or the clock was set back
      return true;
    changed_.wait_for(guard, std::min(left, longest_nap),
                      [this] { return stopping_ || plan_changed_; });
  }
}

} // namespace fanfare::cli
