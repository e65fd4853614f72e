// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Who may publish what, and who gets it: changes to organizers, events, action
/// types, tokens, webhooks and their secrets, and their look-up.

#include "actors/watch.hpp"
#include "engine/announcer.hpp"
#include "engine/changes.hpp"
#include "engine/directory.hpp"
#include "engine/webhook_form.hpp"
#include "engine/webhook_secrets.hpp"
#include "fanfare/clock.hpp"
#include "fanfare/queries.hpp"
#include "fanfare/secrets.hpp"
#include "model/token.hpp"
#include "protocol/security/vault.hpp"
#include "storage/store.hpp"

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// The parts of a registry; all must outlive it.
struct registry_parts {
  const storage::store& store;
  const directory& names;
  const protocol::vault& vault;
  const wall_clock& clock;
  commit_queue& commits;
  changes& edits;
  announcer& news;
  operator_watch& watch;
  webhook_rules rules;
};

/// The errors of all functions are those that <fanfare/engine.hpp> documents.
/// Any thread.
class registry {
public:
  explicit registry(const registry_parts& parts) : parts_(parts) {}

  // -- organizers, events, action types ---------------------------------------

  result<organizer> add_organizer(std::string slug, std::string name);
  result<organizer> ensure_organizer(std::string_view slug);
  result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit);
  result<void> remove_organizer(organizer_id id);
  result<event> add_event(organizer_id owner, std::string slug,
                          std::string name);
  result<event> rename_event(organizer_id owner, event_id id, std::string name);
  result<void> remove_event(organizer_id owner, event_id id);
  result<action_type> add_action_type(std::string name);
  result<action_type> ensure_action_type(std::string_view name);

  // -- tokens -----------------------------------------------------------------

  result<issued_token> add_token(organizer_id owner, std::string name,
                                 std::uint8_t permissions);
  result<void> revoke_token(organizer_id owner, token_id id);
  /// Saves which tokens were used since the last call.
  void save_token_uses();

  // -- webhooks ---------------------------------------------------------------

  /// The rules for those that are added or changed from now on.
  void change_rules(const webhook_rules& rules) {
    form_.change(rules);
  }
  result<webhook> add_webhook(organizer_id owner, const webhook& value);
  result<webhook> change_webhook(organizer_id owner, webhook_id id,
                                 std::function<result<void>(webhook&)> edit);
  result<webhook> find_webhook(organizer_id owner, webhook_id id) const;
  result<std::vector<webhook>> webhooks(organizer_id owner,
                                        const webhook_query& which) const;

  result<secret_view> find_secret(organizer_id owner, webhook_id hook) const;
  result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                    secret_rotation how);

private:
  /// Ids are consecutive: objects made for an organizer that does not exist
  /// would belong to the next one.
  [[nodiscard]] result<void> check_owner(organizer_id id) const;

  /// Clears what an organizer had, a portion per commit, from the webhook
  /// before `before` on; calls `ended` when nothing is left, or the engine has
  /// stopped: the next start goes on.
  void clear(organizer_id id, webhook_id before,
             std::shared_ptr<std::promise<void>> ended);

  struct switches {
    bool enabled = false;
    bool paused = false;
    std::string target_url;
  };
  /// Tells the operator what the owner has switched.
  void tell_of_change(const webhook_record& now, const switches& before,
                      timestamp at) const;
  [[nodiscard]] std::string name_of_token(token_id id,
                                          organizer_id owner) const;

  registry_parts parts_;
  webhook_form form_{parts_.names, parts_.vault, parts_.rules};
  webhook_secrets secrets_{parts_.vault};
};

/// Adds the engine's own action types that the store does not have, and, if
/// asked, the built-in ones.
result<void> add_first_types(storage::store& store, bool builtin);

/// Clears what organizers have that were removed shortly before a stop.
result<void> finish_removals(storage::store& store, timestamp now);

/// Checks that this vault opens the secrets in the store; invalid_argument
/// (field "secrets.keys").
result<void> check_secrets(const storage::store& store,
                           const protocol::vault& vault);

} // namespace fanfare
