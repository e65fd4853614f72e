// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/registry.hpp"

#include "engine/networks.hpp"
#include "engine/refusals.hpp"
#include "engine/webhook_lookup.hpp"
#include "protocol/payload/json_text.hpp"
#include "protocol/rules/slug.hpp"
#include "protocol/security/credentials.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace fanfare {

namespace {

/// Of the name of an organizer, event or token, in code points.
constexpr std::size_t name_limit = 200;

result<void> check_name(std::string_view name) {
  if (name.empty() || protocol::count_code_points(name) > name_limit
      || !protocol::is_plain_text(name))
    return error{ec::invalid_argument,
                 "A name has 1 to " + std::to_string(name_limit)
                   + " characters of UTF-8, none of them NUL.",
                 "name"};
  return {};
}

result<void> check_names(std::string_view slug, std::string_view name) {
  if (!protocol::is_slug(slug))
    return error{ec::invalid_argument, std::string{protocol::slug_rule},
                 "slug"};
  return check_name(name);
}

result<void> check_edited(const organizer& edited) {
  if (auto fine = check_name(edited.name); !fine)
    return fine;
  if (auto read = read_networks(edited.allow_networks, "allow_networks"); !read)
    return read.error();
  if (auto read = read_networks(edited.deny_networks, "deny_networks"); !read)
    return read.error();
  return {};
}

} // namespace

result<void> registry::check_owner(organizer_id id) const {
  if (parts_.names.find_slug(id).empty())
    return no_such_organizer(id);
  return {};
}

// -- organizers, events, action types -----------------------------------------

result<organizer> registry::add_organizer(std::string slug, std::string name) {
  if (auto fine = check_names(slug, name); !fine)
    return fine.error();
  return parts_.edits.commit(
    storage::add_organizer{.slug = std::move(slug), .name = std::move(name)});
}

result<organizer> registry::ensure_organizer(std::string_view slug) {
  if (auto known = parts_.names.find_organizer(slug))
    return std::move(*known);
  auto added = add_organizer(std::string{slug}, std::string{slug});
  if (!added && added.error().code == ec::already_exists)
    if (auto known = parts_.names.find_organizer(slug)) // somebody was quicker
      return std::move(*known);
  return added;
}

result<organizer>
registry::change_organizer(organizer_id id,
                           std::function<result<void>(organizer&)> edit) {
  const auto lent = std::make_shared<lent_edit<organizer>>(std::move(edit));
  auto changed = parts_.edits.commit(storage::change_organizer{
    .id = id, .edit = [lent](organizer& o) -> result<void> {
      auto wanted = o;
      if (auto edited = lent->run(wanted); !edited)
        return edited;
      if (auto fine = check_edited(wanted); !fine)
        return fine;
      o = std::move(wanted);
      return {};
    }});
  lent->end();
  return changed;
}

result<void> registry::remove_organizer(organizer_id id) {
  const auto removed = parts_.edits.commit(storage::remove_organizer{.id = id});
  if (!removed)
    return removed.error();
  parts_.watch.events.say(event_kind::changed, log_level::warning,
                          "organizer " + removed->slug
                            + " was removed; its webhooks end");
  auto ended = std::make_shared<std::promise<void>>();
  const auto over = ended->get_future();
  clear(id, 0, std::move(ended));
  (void)over.wait_for(change_patience);
  return {};
}

void registry::clear(organizer_id id, webhook_id before,
                     std::shared_ptr<std::promise<void>> ended) {
  parts_.commits.push(
    {.what = storage::clear_organizer{.id = id,
                                      .before = before,
                                      .now = parts_.clock.now(),
                                      .cleared = {}},
     .done =
       [this, id, ended](storage::operation& op, const error* failure) {
         const auto& part = std::get<storage::clear_organizer>(op);
         if (failure == nullptr && part.done && *part.done)
           clear(id, part.cleared.back().id, ended);
         else
           ended->set_value();
       },
     .lasting = true});
}

result<event> registry::rename_event(organizer_id owner, event_id id,
                                     std::string name) {
  if (auto fine = check_name(name); !fine)
    return fine.error();
  return parts_.edits.commit(
    storage::rename_event{.owner = owner, .id = id, .name = std::move(name)});
}

result<void> registry::remove_event(organizer_id owner, event_id id) {
  const auto removed = parts_.edits.commit(
    storage::remove_event{.owner = owner, .id = id});
  if (!removed)
    return removed.error();
  return {};
}

result<event> registry::add_event(organizer_id owner, std::string slug,
                                  std::string name) {
  if (auto fine = check_names(slug, name); !fine)
    return fine.error();
  if (auto known = check_owner(owner); !known)
    return known.error();
  return parts_.edits.commit(storage::add_event{
    .owner = owner, .slug = std::move(slug), .name = std::move(name)});
}

result<action_type> registry::add_action_type(std::string name) {
  if (auto valid = protocol::check_action_type_name(name); !valid)
    return valid.error();
  if (protocol::is_own_action(name))
    return error{ec::invalid_argument,
                 "Names that begin with \"fanfare.\" are the engine's own.",
                 "name"};
  return parts_.edits.commit(storage::add_action_type{.name = std::move(name)});
}

result<action_type> registry::ensure_action_type(std::string_view name) {
  if (auto known = parts_.names.find_action_type(name))
    return std::move(*known);
  auto added = add_action_type(std::string{name});
  if (!added && added.error().code == ec::already_exists)
    if (auto known = parts_.names.find_action_type(name))
      return std::move(*known);
  return added;
}

// -- tokens -------------------------------------------------------------------

result<issued_token> registry::add_token(organizer_id owner, std::string name,
                                         std::uint8_t permissions) {
  if (auto known = check_owner(owner); !known)
    return known.error();
  if (auto fine = check_name(name); !fine)
    return fine.error();
  constexpr unsigned all = permission_webhooks | permission_notifications
                         | permission_admin | permission_metrics
                         | permission_register_types;
  if (permissions == 0 || (permissions & ~all) != 0)
    return error{ec::invalid_argument,
                 "Give at least one permission, and none that does not exist.",
                 "permissions"};
  issued_token issued;
  issued.key = protocol::make_token_key();
  token value;
  value.owner = owner;
  value.name = std::move(name);
  value.permissions = permissions;
  value.hash = protocol::hash_token_key(issued.key);
  value.created = parts_.clock.now();
  auto added = parts_.edits.commit(
    storage::add_token{.value = std::move(value)});
  if (!added)
    return added.error();
  issued.value = std::move(*added);
  parts_.watch.events.say(event_kind::token, log_level::info,
                          name_of_token(issued.value.id, owner) + " was made");
  return issued;
}

result<void> registry::revoke_token(organizer_id owner, token_id id) {
  const auto revoked = parts_.edits.commit(
    storage::revoke_token{.owner = owner, .id = id});
  if (!revoked)
    return revoked.error();
  parts_.watch.events.say(event_kind::token, log_level::info,
                          name_of_token(id, owner) + " was revoked");
  return {};
}

std::string registry::name_of_token(token_id id, organizer_id owner) const {
  return "token " + std::to_string(id) + " of " + parts_.names.find_slug(owner);
}

void registry::save_token_uses() {
  auto uses = parts_.names.take_token_uses();
  if (!uses.empty())
    parts_.commits.push(
      {.what = storage::touch_tokens{.uses = std::move(uses)}});
}

// -- webhooks -----------------------------------------------------------------

result<webhook> registry::add_webhook(organizer_id owner,
                                      const webhook& value) {
  if (auto known = check_owner(owner); !known)
    return known.error();
  const auto now = parts_.clock.now();
  webhook_record made;
  made.owner = owner;
  made.versions.push_back({.since = now, .value = {}});
  if (auto written = form_.write(value, {}, made); !written)
    return written.error();
  secrets_.ensure(made, now);
  const auto stored = parts_.edits.commit(
    storage::add_webhook{.value = std::move(made)});
  if (!stored)
    return stored.error();
  parts_.watch.changes.note(webhook_change::kind::created, *stored,
                            "was made by its owner", now);
  return form_.show(*stored);
}

result<webhook>
registry::change_webhook(organizer_id owner, webhook_id id,
                         std::function<result<void>(webhook&)> edit) {
  const auto now = parts_.clock.now();
  const auto lent = std::make_shared<lent_edit<webhook>>(std::move(edit));
  const auto before_it = std::make_shared<switches>();
  const auto stored = parts_.edits.commit(storage::change_webhook{
    .owner = owner,
    .id = id,
    .now = now,
    .edit = [this, now, lent, before_it](webhook_record& w) -> result<void> {
      const bool was_paused = w.delivery.paused;
      *before_it = {.enabled = w.current().enabled,
                    .paused = was_paused,
                    .target_url = w.target_url};
      const auto before = form_.show(w);
      auto wanted = before;
      if (auto edited = lent->run(wanted); !edited)
        return edited;
      if (auto written = form_.write(wanted, before, w); !written)
        return written;
      if (was_paused && !w.delivery.paused)
        w.resumed = now;
      secrets_.ensure(w, now);
      return {};
    }});
  lent->end();
  if (!stored)
    return stored.error();
  tell_of_change(*stored, *before_it, now);
  return form_.show(*stored);
}

void registry::tell_of_change(const webhook_record& now, const switches& before,
                              timestamp at) const {
  using change = webhook_change::kind;
  bool told = false;
  const auto say = [&](change kind, std::string_view what) {
    parts_.watch.events.say(event_kind::changed, log_level::info, now, what);
    parts_.watch.changes.note(kind, now, what, at);
    told = true;
  };
  if (now.target_url != before.target_url)
    parts_.watch.troubles.forget_failures(now.id);
  const bool enabled = now.current().enabled;
  if (enabled != before.enabled)
    enabled
      ? say(change::enabled, "was enabled by its owner")
      : say(change::disabled, "was disabled by its owner; its retries end");
  if (now.delivery.paused != before.paused)
    now.delivery.paused
      ? say(change::paused, "was paused by its owner; what is published waits")
      : say(change::resumed, "was resumed by its owner");
  if (!told)
    parts_.watch.changes.note(change::changed, now, "was changed by its owner",
                              at);
}

result<webhook> registry::find_webhook(organizer_id owner,
                                       webhook_id id) const {
  const auto found = find_record(parts_.store, owner, id);
  return found ? result<webhook>{form_.show(*found)} : found.error();
}

result<std::vector<webhook>>
registry::webhooks(organizer_id owner, const webhook_query& which) const {
  if (!which.name.empty()) {
    const auto named = parts_.store.registry().find_webhook(owner, which.name);
    if (!named && named.error().code != ec::not_found)
      return named.error();
    std::vector<webhook> out;
    if (named && which.offset == 0 && which.limit > 0
        && (!which.enabled || named->current().enabled == *which.enabled))
      out.push_back(form_.show(*named));
    return out;
  }
  const auto found = parts_.store.registry().webhooks(
    owner, which.enabled, which.offset, which.limit);
  if (!found)
    return found.error();
  std::vector<webhook> out;
  out.reserve(found->size());
  for (const auto& one : *found)
    out.push_back(form_.show(one));
  return out;
}

result<secret_view> registry::find_secret(organizer_id owner,
                                          webhook_id hook) const {
  const auto found = find_record(parts_.store, owner, hook);
  return found ? secrets_.show(*found, parts_.clock.now()) : found.error();
}

result<secret_view> registry::rotate_secret(organizer_id owner, webhook_id hook,
                                            secret_rotation how) {
  const auto now = parts_.clock.now();
  const auto changed = parts_.edits.commit(storage::change_webhook{
    .owner = owner,
    .id = hook,
    .now = now,
    .edit = [this, now, how = std::move(how)](webhook_record& w) {
      return secrets_.rotate(w, how, now);
    }});
  if (!changed)
    return changed.error();
  parts_.watch.changes.note(webhook_change::kind::changed, *changed,
                            "has a new secret", now);
  auto shown = secrets_.show(*changed, now);
  if (shown)
    parts_.news.announce(*changed, "fanfare.webhook.secret_rotated",
                         shown->previous_until
                           ? R"(, "previous_until": )"
                               + protocol::json_time(*shown->previous_until)
                           : std::string{});
  return shown;
}

// -- at a start ---------------------------------------------------------------

result<void> add_first_types(storage::store& store, bool builtin) {
  const auto known = store.registry().action_types();
  if (!known)
    return known.error();
  std::vector<storage::operation> missing;
  const auto ours = builtin ? protocol::builtin_action_types()
                            : std::span<const std::string_view>{};
  for (const auto names : {ours, protocol::own_action_types()})
    for (const auto name : names)
      if (std::ranges::find(*known, name, &action_type::name) == known->end())
        missing.emplace_back(
          storage::add_action_type{.name = std::string{name}});
  if (missing.empty())
    return {};
  return store.commit(missing);
}

result<void> finish_removals(storage::store& store, timestamp now) {
  const auto all = store.registry().organizers();
  if (!all)
    return all.error();
  for (const auto& one : *all) {
    webhook_id before = 0;
    for (bool more = one.slug.empty() && !one.name.empty(); more;) {
      storage::operation part = storage::clear_organizer{
        .id = one.id, .before = before, .now = now, .cleared = {}};
      if (auto done = store.commit({&part, 1}); !done)
        return done;
      const auto& cleared = std::get<storage::clear_organizer>(part);
      if (!cleared.done)
        return cleared.done.error();
      more = *cleared.done;
      if (more)
        before = cleared.cleared.back().id;
    }
  }
  return {};
}

result<void> check_secrets(const storage::store& store,
                           const protocol::vault& vault) {
  result<void> readable;
  // The first one stands for all: a key that does not fit is noticed here
  // instead of by calls that fail.
  auto looked = store.registry().for_each_webhook(
    [&](const webhook_record& hook) {
      if (hook.secrets.empty())
        return true;
      if (auto opened = vault.open(hook.secrets.front().sealed, "secret");
          !opened)
        readable = error{opened.error().code,
                         "The secret of webhook " + std::to_string(hook.id)
                           + " cannot be read: " + opened.error().detail,
                         "secrets.keys"};
      return false;
    });
  return looked ? readable : looked;
}

} // namespace fanfare
