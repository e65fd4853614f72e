// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The server's log on standard error: a line per event, by spdlog.

#include "fanfare/log.hpp"
#include "protocol/server/request_log.hpp"

#include <cstdint>
#include <string>

namespace fanfare::cli {

enum class log_format : std::uint8_t {
  text, ///< time with zone, level, message; coloured on a terminal
  json, ///< an object with "time", "level" and "message", and of requests more
};

/// From now on spdlog's default logger writes so. `level`: the least, as
/// `--log-level` has it. Control characters are escaped.
void open_log(log_format format, const std::string& level);

/// Any thread.
void write_log(log_level level, const std::string& text);

/// Writes each request at debug.
[[nodiscard]] protocol::request_log::listener tell_of_requests();
/// Whether anybody would see that now.
[[nodiscard]] bool tells_of_requests();

/// From now on it writes so. Any thread.
void change_log(log_format format, const std::string& level);

} // namespace fanfare::cli
