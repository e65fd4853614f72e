// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The options of `fanfare serve`, from the command line and a file.

#include "cli/backup_schedule.hpp"
#include "fanfare/error.hpp"
#include "fanfare/options.hpp"
#include "protocol/rest/rest_api.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace fanfare::cli {

/// SIGTERM ends the server within 15 s: this long for attempts in flight, the
/// rest for the last commit.
inline constexpr std::chrono::seconds drain_deadline{8};
/// When a disk that does not answer is given up on.
inline constexpr std::chrono::seconds last_deadline{14};

struct serve_options {
  engine_options engine;
  std::string listen = "127.0.0.1:8080";
  bool without_builtin_types = false;
  std::string public_url;
  std::vector<std::string> trusted_proxies; ///< networks
  std::string metrics_listen;               ///< empty: nowhere
  std::string tls_cert;
  std::string tls_key;
  std::string log_level = "info";
  std::string log_format = "text";
  std::size_t failed_logins = protocol::rest::rest_api_options{}.failed_logins;
  backup_plan backups;
  std::string config; ///< a file; empty: none
  /// The file's settings, with "FILE:LINE:COLUMN".
  std::map<std::string, std::string> places = {};
};

/// Options by their names without dashes, with their values as they were
/// written.
using option_texts = std::map<std::string, std::vector<std::string>>;

/// Options as they were read, and what they were read from.
struct read_options {
  serve_options value;
  option_texts command_line; ///< only those that it has
  option_texts texts;        ///< all of them; defaults as the help has them
};

/// Those that have a value by now.
[[nodiscard]] option_texts given_texts(const CLI::App& serve);
/// All that a file can set.
[[nodiscard]] option_texts all_texts(const CLI::App& serve);

/// The command line as it was, and the file that it names as it is now.
/// invalid_argument, with file, line and column; io_error.
[[nodiscard]] result<read_options> read_again(const option_texts& command_line);

/// Adds them to the sub-command; parsing fills `options`.
void add_serve_options(CLI::App& serve, serve_options& options);

/// Takes options missing on the command line from `options.config`. Throws a
/// CLI11 error that names file, line and column.
void read_config(CLI::App& serve, serve_options& options);

/// Names the place in the file if the refused field, `of.field`, was set there.
[[nodiscard]] error explain_option(const serve_options& options, error of);

} // namespace fanfare::cli
