// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The registry of action types: the names that are registered, and which of
/// them an action belongs to. Knows nothing of storage.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"
#include "model/action_name.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fanfare::protocol {

/// Longest name of an action or an action type, in bytes.
inline constexpr std::size_t action_type_limit = 255;

/// The 46 types that are registered from the start, in the order of the
/// documentation. Any thread.
[[nodiscard]] std::span<const std::string_view> builtin_action_types();

/// The types that the engine publishes about its own webhooks. Nobody else may
/// publish or register names that begin with "fanfare.". Any thread.
[[nodiscard]] std::span<const std::string_view> own_action_types();
using fanfare::is_own_action;

/// What a name is made of, as a sentence for whoever has got it wrong.
inline constexpr std::string_view action_name_rule =
  R"(labels of the characters A-Z, a-z, 0-9, "_" and "-", joined by "." or )"
  R"("/")";

/// Whether this can be the action of a notification: labels of `A-Z a-z 0-9 _
/// -` joined by `.` or `/`, no wildcard. Its length is another question. Any
/// thread.
[[nodiscard]] bool is_action_name(std::string_view action);

/// Whether a new type may have this name: that of an action, or a wildcard, but
/// not `pretix.*`, which is never looked for. Error: invalid_argument, field
/// "name". Any thread.
[[nodiscard]] result<void> check_action_type_name(std::string_view name);

/// Whether webhooks that subscribe to this get every action that it covers,
/// today's and later ones: a wildcard outside of `pretix.`, where names are
/// compared with the registered ones only. `*` needs a type of one's own among
/// `known`, or none of the built-in ones: a server that has only pretix's types
/// answers as pretix does. Any thread.
[[nodiscard]] bool is_free_wildcard(std::string_view name,
                                    std::span<const action_type> known);

/// What to do about a name that is not registered: the one that was probably
/// meant, and how to register a new one. Empty for what cannot be registered,
/// and for names of pretix. Any thread.
[[nodiscard]] std::string how_to_register(std::string_view name,
                                          std::span<const action_type> known);

/// Names and ids of the registered types, both ways. Not thread-safe: the owner
/// locks.
class action_type_table {
public:
  /// False, and nothing changes, if the name or the id is taken. Does not check
  /// the name.
  bool add(action_type value);

  /// The type of exactly this name.
  [[nodiscard]] std::optional<action_type_id> find(std::string_view name) const;

  /// The one type that an action belongs to: the type of its name, else its
  /// longest wildcard. For `a.b.c` these are `a.b.c`, `a.b.*`, `a.*` and `*`,
  /// but for `pretix.b.c` the first two only, and for one of the engine's own
  /// its name.
  [[nodiscard]] std::optional<action_type_id>
  resolve(std::string_view action) const;

  /// Null if there is none of this id. Valid until the next add().
  [[nodiscard]] const action_type* at(action_type_id id) const;

  /// By id.
  [[nodiscard]] std::vector<action_type> all() const;

  [[nodiscard]] std::size_t size() const noexcept {
    return by_id_.size();
  }

private:
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::unordered_map<std::string, action_type_id, hash, std::equal_to<>>
    by_name_;
  std::unordered_map<action_type_id, action_type> by_id_;
};

} // namespace fanfare::protocol
