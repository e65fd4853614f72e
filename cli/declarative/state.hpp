// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a file wants of a server, and what the server has: the two sides that
/// plan.hpp compares.

#include "cli/declarative/document.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fanfare::cli::declarative {

// -- what the file wants ------------------------------------------------------

struct wanted_event {
  std::string slug;
  std::optional<std::string> name; ///< nothing: as it is; of a new one its slug
};

struct wanted_webhook {
  std::string name;
  place at;
  std::string target_url;
  bool is_url_secret = false;            ///< the file refers to it
  std::vector<std::string> action_types; ///< sorted
  bool all_events = true;
  std::vector<std::string> events; ///< sorted
  std::optional<bool> enabled;     ///< nothing: as it is; a new one is enabled
  std::optional<std::string> comment;
  std::optional<std::string> secret; ///< nothing: as it is
  std::string key;                   ///< how a server shows that secret
  /// The settings that the file names, as JSON text.
  std::map<std::string, std::string> delivery;
  /// All settings as a server shows them, secrets masked as it masks them.
  boost::json::object shown;
};

struct wanted_organizer {
  std::string slug;
  place at;
  std::optional<std::string> name;                     ///< as of an event
  std::optional<std::vector<wanted_event>> events;     ///< nothing: as they are
  std::optional<std::vector<wanted_webhook>> webhooks; ///< the same
};

struct wanted_type {
  std::string name;
  place at;
};

struct wanted_state {
  std::string file;
  std::vector<wanted_type> action_types;
  std::vector<wanted_organizer> organizers;
};

// -- what the server has ------------------------------------------------------

struct found_webhook {
  std::uint64_t id = 0;
  std::string name; ///< empty: none
  std::string target_url;
  std::vector<std::string> action_types; ///< sorted
  bool all_events = true;
  std::vector<std::string> events; ///< sorted
  bool enabled = true;
  std::optional<std::string> comment;
  boost::json::object delivery;
  /// "whsec_…" or "whpk_…", where it was asked for; empty: it has none.
  std::string key;
};

struct found_organizer {
  std::string name;
  std::map<std::string, std::string> events; ///< slug → name
  std::vector<found_webhook> webhooks;       ///< by id
};

struct found_state {
  std::set<std::string> action_types;
  std::map<std::string, found_organizer> organizers; ///< by slug
};

/// Texts as JSON.
[[nodiscard]] inline boost::json::array
array_of(const std::vector<std::string>& list) {
  boost::json::array out;
  for (const auto& item : list)
    out.emplace_back(item);
  return out;
}

} // namespace fanfare::cli::declarative
