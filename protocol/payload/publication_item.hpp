// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One notification of a request, as far as it was read: its members, rendered,
/// and the keys that mean something to the engine. Checks it and renders what
/// is sent. INTERNAL to publication.cpp.

#include "fanfare/error.hpp"
#include "protocol/payload/member_list.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol::detail {

enum class json_kind : std::uint8_t {
  absent,
  null,
  boolean,
  integer,
  real,
  string,
  array,
  object
};

/// Which key of a notification it is.
enum class key_role : std::uint8_t {
  other,
  action,
  event,
  organizer,
  payload,
  id
};

[[nodiscard]] key_role role_of(std::string_view key);

/// Whose notifications are read.
struct publishing_organizer {
  explicit publishing_organizer(std::string_view name);

  std::string slug;
  std::string member; ///< `, "organizer": "slug"`
};

struct publication_item {
  /// The value of a key that is read, not only passed on.
  struct known {
    json_kind found = json_kind::absent;
    std::string text; ///< of a string
  };

  std::string text;    ///< the buffer of the lists
  member_list members; ///< of the notification
  member_list payload; ///< of its `payload`
  bool payload_has_action = false;
  known action;
  known event;
  known organizer;
  known payload_value;

  /// Nothing was read.
  void clear();

  /// Null for keys that are only passed on.
  [[nodiscard]] known* find(key_role role) {
    switch (role) {
      case key_role::action: return &action;
      case key_role::event: return &event;
      case key_role::organizer: return &organizer;
      case key_role::payload: return &payload_value;
      case key_role::id:
      case key_role::other: break;
    }
    return nullptr;
  }

  /// Whether its members say no other action and event than these, and name
  /// neither an organizer nor a payload.
  [[nodiscard]] bool speaks_of(std::string_view of_action,
                               std::string_view of_event) const {
    return action.text == of_action && event.text == of_event
        && organizer.found == json_kind::absent
        && payload_value.found == json_kind::absent;
  }

  /// The first fault; none if it may be sent.
  [[nodiscard]] std::optional<error>
  check(const publishing_organizer& owner) const;

  /// What is sent behind the id. Only if it was checked.
  [[nodiscard]] std::string render(const publishing_organizer& owner) const;

private:
  void append_members(std::string& out, const member_list& list) const;
};

} // namespace fanfare::protocol::detail
