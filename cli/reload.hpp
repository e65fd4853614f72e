// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// SIGHUP: reads the options of a running server again, applies those that can
/// change while it runs, and says of the others that they need a restart. All
/// or, if anything is wrong, nothing.

#include "cli/backup_schedule.hpp"
#include "cli/serve_options.hpp"
#include "protocol/rest/rest_api.hpp"
#include "protocol/server/http_server.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {
class engine;
} // namespace fanfare

namespace fanfare::cli {

/// Whether SIGHUP changes this option, named without dashes; the others need a
/// restart. docs/operations.md has the same list.
[[nodiscard]] bool is_reloadable(std::string_view option);

/// What the options are applied to.
struct reload_targets {
  fanfare::engine& engine;
  protocol::rest::rest_api& api;
  protocol::http_server& server;
  std::unique_ptr<backup_schedule>& backups; ///< null: there is none yet
};

class option_reloader {
public:
  /// `running`: what the server was started with.
  explicit option_reloader(read_options running)
    : running_(std::move(running)) {}

  /// The log has each change, or what is wrong: then nothing has changed, and
  /// it returns false. On the thread that waits for signals.
  bool reload(const reload_targets& to);

private:
  /// What differs from what is in force, in the order of the options' names.
  [[nodiscard]] std::vector<std::string>
  changes_of(const read_options& fresh) const;
  /// Applies what may be wrong last of all that may be.
  result<void> apply(const reload_targets& to, read_options& fresh,
                     const std::vector<std::string>& changed);
  [[nodiscard]] bool needs_restart(std::string_view option,
                                   const read_options& fresh) const;
  void tell(const read_options& fresh,
            const std::vector<std::string>& changed) const;

  read_options running_;
};

} // namespace fanfare::cli
