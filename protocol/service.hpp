// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the REST API asks of the engine. The engine (actors/engine.hpp)
/// implements it; tests of the API may put something simpler in its place.
///
/// Functions marked "memory" answer from memory and may be called on an I/O
/// thread. Functions marked "blocks" may wait for the disk: call them from a
/// thread that may wait. All may be called from any number of threads.

#include "model/error.hpp"
#include "model/types.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// A notification as its publisher gives it (protocol/publication.hpp makes it
/// from JSON).
struct publication {
  std::string action;
  std::string event; ///< slug; empty: a notification of the organizer itself
  /// The request body behind `{"notification_id": N`, up to and with the
  /// closing brace.
  std::string rest;
};

/// A token and its key, which is shown this one time.
struct issued_token {
  token value;
  std::string key;
};

class service {
public:
  virtual ~service() = default;

  // -- publishing
  // --------------------------------------------------------------

  using published = std::function<void(result<std::vector<position>>)>;

  /// Publishes all or none. Memory; never blocks. `done` is called exactly
  /// once, once the notifications are on disk or refused, maybe before this
  /// function returns, on any thread: it must not block. Errors:
  /// invalid_argument with field "action" (unknown action type; the sentence
  /// names it) or "event" (not a slug), stopping, store_full, overloaded,
  /// too_large.
  virtual void publish(organizer_id owner, std::vector<publication> items,
                       published done) = 0;

  /// Blocks.
  virtual result<notification_ptr> find_notification(organizer_id owner,
                                                     position id) = 0;

  // -- organizers, events, action types
  // ------------------------------------------

  /// Memory.
  [[nodiscard]] virtual std::optional<organizer>
  find_organizer(std::string_view slug) const = 0;
  /// Memory. By slug.
  [[nodiscard]] virtual std::vector<organizer> organizers() const = 0;
  /// Blocks. already_exists, invalid_argument.
  virtual result<organizer> add_organizer(std::string slug,
                                          std::string name) = 0;

  /// Memory.
  [[nodiscard]] virtual std::optional<event>
  find_event(organizer_id owner, std::string_view slug) const = 0;
  /// Memory.
  [[nodiscard]] virtual std::optional<event> find_event(event_id id) const = 0;
  /// Memory. By name, then slug.
  [[nodiscard]] virtual std::vector<event> events(organizer_id owner) const = 0;
  /// Blocks. already_exists, invalid_argument.
  virtual result<event> add_event(organizer_id owner, std::string slug,
                                  std::string name) = 0;

  /// Memory. The registered type of exactly this name.
  [[nodiscard]] virtual std::optional<action_type>
  find_action_type(std::string_view name) const = 0;
  /// Memory. By id.
  [[nodiscard]] virtual std::vector<action_type> action_types() const = 0;
  /// Blocks. already_exists, invalid_argument.
  virtual result<action_type> add_action_type(std::string name) = 0;

  // -- tokens
  // ---------------------------------------------------------------------

  /// Memory. Revoked tokens are found too (and marked).
  [[nodiscard]] virtual std::optional<token>
  find_token(std::string_view key) const = 0;
  /// Memory. By id, without the revoked ones.
  [[nodiscard]] virtual std::vector<token> tokens(organizer_id owner) const = 0;
  /// Blocks.
  virtual result<issued_token> add_token(organizer_id owner, std::string name,
                                         std::uint8_t permissions) = 0;
  /// Blocks. not_found.
  virtual result<void> revoke_token(organizer_id owner, token_id id) = 0;

  // -- webhooks
  // ---------------------------------------------------------------------

  /// Blocks. `value` has one version; id, owner and position are given by the
  /// engine.
  virtual result<webhook> add_webhook(organizer_id owner, webhook value) = 0;
  /// Blocks. Applies `edit` to the stored webhook, atomically; an error that
  /// it returns ends the change. It may change target_url, comment,
  /// action_types, delivery and current(). It runs on another thread while this
  /// one waits.
  virtual result<webhook>
  change_webhook(organizer_id owner, webhook_id id,
                 std::function<result<void>(webhook&)> edit) = 0;
  /// Blocks. not_found also for another organizer's.
  virtual result<webhook> find_webhook(organizer_id owner, webhook_id id) = 0;
  /// Blocks. By id.
  virtual result<std::vector<webhook>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) = 0;
  /// Blocks.
  virtual result<std::size_t> count_webhooks(organizer_id owner,
                                             std::optional<bool> enabled) = 0;

  // -- calls
  // ------------------------------------------------------------------------

  /// Blocks. Newest first, ids below `before` (0: from the newest).
  virtual result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                          call_id before,
                                          std::size_t limit) = 0;
  /// Blocks.
  virtual result<call> find_call(organizer_id owner, webhook_id hook,
                                 call_id id) = 0;
  /// Blocks. By due time.
  virtual result<std::vector<retry>> retries(organizer_id owner,
                                             webhook_id hook) = 0;

  // -- state
  // ------------------------------------------------------------------------

  /// Memory. True while publishes are accepted.
  [[nodiscard]] virtual bool ready() const = 0;
};

} // namespace fanfare
