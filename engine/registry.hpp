// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Who may publish what, and who gets it: changes of organizers, events, action
/// types, tokens, webhooks and their secrets, and how they are found.

#include "engine/announcer.hpp"
#include "engine/changes.hpp"
#include "engine/directory.hpp"
#include "engine/webhook_form.hpp"
#include "engine/webhook_secrets.hpp"
#include "fanfare/clock.hpp"
#include "fanfare/engine.hpp"
#include "protocol/security/vault.hpp"
#include "storage/store.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

/// What a registry uses; all of it must outlive it.
struct registry_parts {
  const storage::store& store;
  const directory& names;
  const protocol::vault& vault;
  const wall_clock& clock;
  commit_queue& commits;
  changes& edits;
  announcer& news;
  webhook_rules rules;
};

/// The errors of all functions are those that <fanfare/engine.hpp> documents.
/// Any thread.
class registry {
public:
  explicit registry(const registry_parts& parts) : parts_(parts) {}

  // -- organizers, events, action types ---------------------------------------

  result<organizer> add_organizer(std::string slug, std::string name);
  result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit);
  result<event> add_event(organizer_id owner, std::string slug,
                          std::string name);
  result<action_type> add_action_type(std::string name);

  // -- tokens -----------------------------------------------------------------

  result<issued_token> add_token(organizer_id owner, std::string name,
                                 std::uint8_t permissions);
  result<void> revoke_token(organizer_id owner, token_id id);
  /// Has the store note which tokens were used since the last time.
  void save_token_uses();

  // -- webhooks ---------------------------------------------------------------

  result<webhook> add_webhook(organizer_id owner, const webhook& value);
  result<webhook> change_webhook(organizer_id owner, webhook_id id,
                                 std::function<result<void>(webhook&)> edit);
  result<webhook> find_webhook(organizer_id owner, webhook_id id) const;
  result<std::vector<webhook>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) const;

  result<secret_view> find_secret(organizer_id owner, webhook_id hook) const;
  result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                    secret_rotation how);

private:
  /// Ids are given in turn: what was made for an organizer that does not exist
  /// would belong to whoever comes next.
  [[nodiscard]] result<void> check_owner(organizer_id id) const;

  registry_parts parts_;
  webhook_form form_{parts_.names, parts_.vault, parts_.rules};
  webhook_secrets secrets_{parts_.vault};
};

/// Adds the built-in action types that the store does not have.
result<void> add_builtin_types(storage::store& store);

/// Whether this vault opens the secrets in the store; invalid_argument (field
/// "secret_keys").
result<void> check_secrets(const storage::store& store,
                           const protocol::vault& vault);

} // namespace fanfare
