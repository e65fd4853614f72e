// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which server the client speaks to, and as whom: what `fanfare login` stored,
/// what the environment says over it, and what options say over both.

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

/// What is stored; nothing if there is no such file. io_error, store_damaged.
result<std::optional<client_settings>> load_settings();

/// Stores it for its owner alone: the file is 0600, its directory, if it has to
/// be made, 0700. Gives the file's path. io_error.
result<std::filesystem::path> save_settings(const client_settings& settings);

/// False if nothing was stored. io_error.
result<bool> forget_settings();

/// What the command line says; empty: nothing.
struct settings_options {
  std::string url;
  std::string organizer;
  std::string ca_file;
};

/// Puts the sources together: options, then FANFARE_URL, FANFARE_TOKEN and
/// FANFARE_ORGANIZER, then the file, then defaults. What is stored for one
/// server is not used for another: a stored token never leaves for a host that
/// it was not meant for. Errors of load_settings(), invalid_argument.
result<client_settings> find_settings(const settings_options& options);

} // namespace fanfare::cli
