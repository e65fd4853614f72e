// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The part of the registry that every publish and request needs, in memory:
/// organizers, events, action types and tokens (not webhooks). It follows the
/// store: filled at start, then updated by the writing thread after each
/// commit, before its entries complete.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"
#include "model/token.hpp"
#include "protocol/rules/action_types.hpp"
#include "storage/operations.hpp"
#include "storage/registry.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fanfare {

/// Any thread.
class directory {
public:
  result<void> load(const storage::registry& from);
  /// A committed operation.
  void observe(const storage::operation& op);

  [[nodiscard]] std::optional<organizer>
  find_organizer(std::string_view slug) const;
  [[nodiscard]] std::optional<organizer> find_organizer(organizer_id id) const;
  /// An organizer's; empty if there is none.
  [[nodiscard]] std::string find_slug(organizer_id id) const;
  [[nodiscard]] std::vector<organizer> organizers() const;

  [[nodiscard]] std::optional<event> find_event(organizer_id owner,
                                                std::string_view slug) const;
  /// Its id, or 0.
  [[nodiscard]] event_id find_event_id(organizer_id owner,
                                       std::string_view slug) const;
  [[nodiscard]] std::optional<event> find_event(event_id id) const;
  [[nodiscard]] std::vector<event> events(organizer_id owner) const;

  [[nodiscard]] std::optional<action_type>
  find_action_type(std::string_view name) const;
  /// The ids of a publication's names, in one look-up.
  struct names {
    std::optional<action_type_id> type;
    event_id event = 0; ///< 0: there is none of that slug
  };
  [[nodiscard]] names find_names(organizer_id owner, std::string_view action,
                                 std::string_view event) const;
  [[nodiscard]] std::vector<action_type> action_types() const;

  /// By the hash of its key; also a revoked one. Null if there is none. Records
  /// its use at `now`, to the second, unless it is revoked. Its `last_used` is
  /// the store's; tokens() has the newest.
  [[nodiscard]] std::shared_ptr<const token> find_token(std::string_view hash,
                                                        timestamp now) const;
  /// By id, without the revoked ones.
  [[nodiscard]] std::vector<token> tokens(organizer_id owner) const;
  /// The uses that no earlier call returned, one per token.
  [[nodiscard]] std::vector<storage::touch_tokens::use> take_token_uses() const;

private:
  /// Only the time of use changes in a token, so its holders can keep it. A
  /// changed token is a new entry.
  struct token_entry {
    token_entry(token of, std::int64_t last, std::int64_t known)
      : value(std::move(of)),
        last_used(last),
        taken(known) {}

    const token value;
    /// In milliseconds since 1970.
    mutable std::atomic<std::int64_t> last_used;
    mutable std::atomic<std::int64_t> taken; ///< by take_token_uses()
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  [[nodiscard]] event_id event_id_of(organizer_id owner,
                                     std::string_view slug) const;
  void add(const organizer& o);
  void add(const event& e);
  void add(const token& t);
  void remove(const organizer& o);
  void remove(const event& e);

  mutable std::shared_mutex mutex_;
  std::map<std::string, organizer, std::less<>> organizers_;
  std::unordered_map<organizer_id, std::string> organizer_slugs_;
  std::unordered_map<organizer_id, std::map<std::string, event_id, std::less<>>>
    events_by_slug_;
  std::unordered_map<event_id, event> events_;
  protocol::action_type_table action_types_;
  std::unordered_map<std::string, std::shared_ptr<const token_entry>, text_hash,
                     std::equal_to<>>
    tokens_by_hash_;
};

} // namespace fanfare
