// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What all client commands share: the options for the server and the output,
/// and how errors become exit codes.

#include "cli/client/api.hpp"
#include "cli/client/output.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace fanfare::cli {

struct common_options {
  settings_options settings;
  std::chrono::milliseconds timeout = std::chrono::seconds{30};
  bool json = false;
  bool table = false;
  std::string output; ///< a format by its name; empty: none
  bool utc = false;
};

/// The server and the output of a running command.
class command_context {
public:
  explicit command_context(const common_options& options);

  [[nodiscard]] const common_options& options() const noexcept {
    return options_;
  }
  output& out() noexcept {
    return out_;
  }
  /// Connected on first use.
  api& server();

private:
  common_options options_;
  output out_;
  std::optional<api> server_;
};

using command_body = std::function<void(command_context&)>;

/// Adds sub-commands of the client; their exit codes go to `exit_code`, which
/// must outlive the parsing.
class command_adder {
public:
  explicit command_adder(int& exit_code) : exit_code_{exit_code} {}

  /// A command that only has sub-commands.
  CLI::App* group(CLI::App& parent, const std::string& name,
                  const std::string& help) const;

  /// A command that runs `body`. `examples`: lines for the end of its help.
  CLI::App* command(CLI::App& parent, const std::string& name,
                    const std::string& help, const std::string& examples,
                    command_body body) const;

  /// Makes an existing command run `body`.
  void make_command(CLI::App& app, const std::string& examples,
                    command_body body) const;

private:
  int& exit_code_;
};

/// Whether, and how often, a command shows again what there is.
struct watching {
  bool wanted = false;
  std::chrono::milliseconds interval = std::chrono::seconds{2};
};
void add_watch(CLI::App& app, watching& target);
/// Calls `show` once, or again and again until the program is interrupted: on a
/// terminal in place of what was there.
void repeat(command_context& context, const watching& how,
            const std::function<void()>& show);

/// Options of several commands.
/// A webhook by its number or its name (api::webhook_number).
CLI::Option* add_webhook(CLI::App& app, std::string& which);
/// The same for other options; checks each text.
CLI::Option* take_webhooks(CLI::Option* option);
CLI::Option* add_limit(CLI::App& app, std::size_t& limit);
/// A moment, "2026-11-24T10:00:00Z", or how long ago it was, "2h". Stored as a
/// moment.
CLI::Option* add_time(CLI::App& app, const std::string& name,
                      std::string& target, const std::string& help);
CLI::Option* add_duration(CLI::App& app, const std::string& name,
                          std::chrono::milliseconds& target,
                          const std::string& help,
                          const std::string& shown_default);
/// Asks before something that cannot be undone. Without a terminal, `yes` must
/// be set. Throws if the answer is no.
void confirm(bool yes, const std::string& question);

} // namespace fanfare::cli
