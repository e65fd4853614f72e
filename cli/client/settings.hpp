// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which server the client talks to, and as whom: what `fanfare login` stored,
/// overridden by the environment, overridden by options.

#include "fanfare/error.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace fanfare::cli {

inline constexpr const char* default_url = "http://127.0.0.1:8080";

struct client_settings {
  std::string url = default_url;
  std::string token;     ///< empty: none
  std::string organizer; ///< slug; empty: none chosen
  std::string ca_file;   ///< empty: the system's authorities
};

/// $XDG_CONFIG_HOME/fanfare/client.json, or below ~/.config. invalid_argument:
/// the environment has neither XDG_CONFIG_HOME nor HOME.
result<std::filesystem::path> settings_file();

/// The stored settings; nothing if there is no file. io_error, store_damaged.
result<std::optional<client_settings>> load_settings();

/// Stores them for the owner alone: the file is 0600, its directory, if it is
/// created, 0700. Returns the path of the file. io_error.
result<std::filesystem::path> save_settings(const client_settings& settings);

/// False if nothing was stored. io_error.
result<bool> forget_settings();

/// From the command line; empty: not given.
struct settings_options {
  std::string url;
  std::string organizer;
  std::string ca_file;
};

/// Merges the sources: options, then FANFARE_URL, FANFARE_TOKEN and
/// FANFARE_ORGANIZER, then the file, then defaults. A stored token is only used
/// for the server it was stored for. Errors of load_settings(),
/// invalid_argument.
result<client_settings> find_settings(const settings_options& options);

} // namespace fanfare::cli
