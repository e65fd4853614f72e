// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An engine in memory for tests of the API: it does at once and without a
/// thread what the interface says, and can be told to fail.

#include "fanfare/error.hpp"
#include "protocol/payload/publication.hpp"
#include "protocol/rest/service.hpp"
#include "protocol/rules/action_types.hpp"
#include "protocol/rules/delivery_rules.hpp"
#include "protocol/rules/slug.hpp"
#include "protocol/security/vault.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace fanfare::test {

class fake_service final : public protocol::rest::service {
public:
  fake_service() {
    for (const auto name : protocol::builtin_action_types())
      types.add(
        {static_cast<action_type_id>(types.size() + 1), std::string{name}});
  }

  // What tests look at and change.
  std::optional<error> publish_error;
  bool is_ready = true;
  std::vector<metric> figures; ///< of the engine
  std::string backup = "a backup";
  std::optional<error> backup_error;
  backup_options asked_backup;
  protocol::action_type_table types;
  std::vector<organizer> known_organizers;
  std::vector<event> known_events;
  std::vector<std::pair<std::string, token>> known_tokens; ///< by key
  std::vector<webhook> hooks;
  std::vector<notification_ptr> journal;
  std::vector<call> log; ///< oldest first
  std::map<webhook_id, std::vector<retry>> due;
  std::map<webhook_id, replay_progress> replays;
  std::map<idempotency_key, stored_answer> kept;
  std::map<webhook_id, webhook_health> conditions;
  call_statistics counted;
  webhook_id counted_of = 0;    ///< the last time
  statistics_query counted_by;  ///< the last time
  notification_search searched; ///< the last time
  /// Increased by each function that may block, so that tests see where it was
  /// called.
  int blocking_calls = 0;

  /// An organizer and a token of it with the key `key`.
  organizer_id tenant(const std::string& slug, const std::string& key,
                      std::uint8_t permissions) {
    const auto found = find_organizer(slug);
    const auto owner = found ? found->id : add_organizer(slug, slug)->id;
    token t;
    t.id = known_tokens.size() + 1;
    t.owner = owner;
    t.name = key;
    t.permissions = permissions;
    known_tokens.emplace_back(key, std::move(t));
    return owner;
  }

  // -- the feed ---------------------------------------------------------------

  /// Changes that happen, with their numbers.
  std::vector<webhook_change> changes;
  std::uint64_t run = 7;
  call_id oldest_call = 1; ///< earlier ones have expired
  std::size_t feed_reads = 0;
  std::optional<error> feed_error;
  /// Who follows whom.
  std::multimap<organizer_id, std::shared_ptr<std::function<void()>>> followers;

  void tell_followers(organizer_id of) {
    for (auto [i, end] = followers.equal_range(of); i != end; ++i)
      (*i->second)();
  }

  feed_place feed_end() const override {
    return {.call = log.empty() ? 0 : log.back().id,
            .notification = journal.size(),
            .run = run,
            .change = changes.size()};
  }
  result<feed_place> feed_at(timestamp since) override {
    ++blocking_calls;
    auto out = feed_end();
    while (out.call > 0 && log[out.call - 1].time >= since)
      --out.call;
    while (out.notification > 0
           && journal[out.notification - 1]->published >= since)
      --out.notification;
    return out;
  }
  result<feed_page> read_feed(organizer_id owner, const feed_place& after,
                              const feed_limits& within) override {
    ++blocking_calls;
    ++feed_reads;
    if (feed_error)
      return *feed_error;
    feed_page out{.next = after};
    const auto end = feed_end();
    out.lost.calls = within.calls && after.call + 1 < oldest_call;
    for (const auto& c : log) {
      const bool mine = std::ranges::any_of(hooks, [&](const webhook& h) {
        return h.id == c.hook && h.owner == owner;
      });
      if (!within.calls || c.id <= after.call || c.id < oldest_call || !mine)
        continue;
      if (out.calls.size() == within.most) {
        out.more = true;
        break;
      }
      out.next.call = c.id;
      out.calls.push_back({std::make_shared<const call>(c), nullptr});
    }
    if (!out.more)
      out.next.call = end.call;
    for (const auto& n : journal)
      if (within.notifications && n->id > after.notification
          && n->owner == owner)
        out.notifications.push_back(n);
    out.next.notification = end.notification;
    out.lost.changes = within.changes && after.run != run;
    for (const auto& c : changes)
      if (within.changes && c.owner == owner
          && (out.lost.changes || c.number > after.change))
        out.changes.push_back(std::make_shared<const webhook_change>(c));
    out.next.run = run;
    out.next.change = end.change;
    return out;
  }
  std::shared_ptr<void> follow_feed(organizer_id owner,
                                    std::function<void()> news) override {
    auto made = std::make_shared<std::function<void()>>(std::move(news));
    followers.emplace(owner, made);
    return {made.get(), [this, made](auto*) {
              std::erase_if(followers, [&](const auto& each) {
                return each.second == made;
              });
            }};
  }

  // -- publishing -------------------------------------------------------------

  result<void> try_publish(organizer_id owner, std::vector<publication>&& items,
                           published&& done) override {
    if (publish_error)
      return *publish_error;
    for (const auto& item : items)
      if (!types.resolve(item.action))
        return error{ec::invalid_argument,
                     "Unknown action \"" + item.action + "\".", "action"};
    std::vector<position> ids;
    for (auto& item : items) {
      auto n = std::make_shared<notification>();
      n->id = journal.size() + 1;
      n->owner = owner;
      if (!item.event.empty()) {
        if (!find_event(owner, item.event))
          (void)add_event(owner, item.event, item.event);
        n->event = find_event(owner, item.event)->id;
      }
      n->type = *types.resolve(item.action);
      n->action = item.action;
      n->body = protocol::notification_body(n->id, item.rest);
      n->trace = item.trace;
      ids.push_back(n->id);
      journal.push_back(std::move(n));
    }
    done(std::move(ids));
    return {};
  }

  result<notification_ptr> find_notification(organizer_id owner,
                                             position id) override {
    ++blocking_calls;
    for (const auto& n : journal)
      if (n->id == id && n->owner == owner)
        return n;
    return error{ec::not_found, "No such notification."};
  }

  void publish_keyed(organizer_id owner, std::vector<publication> items,
                     publish_once once,
                     protocol::rest::answered done) override {
    if (const auto i = kept.find(once.key); i != kept.end()) {
      auto earlier = i->second;
      if (auto* receipt = std::get_if<publish_receipt>(&earlier))
        receipt->repeated = true;
      return done(std::move(earlier));
    }
    std::vector<position> ids;
    auto refused = try_publish(
      owner, std::move(items),
      [&ids](result<std::vector<position>> got) { ids = std::move(*got); });
    if (!refused)
      return done(refused.error());
    const publish_receipt receipt{
      .first = ids.front(),
      .count = static_cast<std::uint32_t>(ids.size()),
      .list = once.list,
      .indent = once.indent,
      .asked = once.asked};
    kept.emplace(once.key, receipt);
    done(stored_answer{receipt});
  }

  void remember_answer(const idempotency_key& key, plain_answer answer,
                       protocol::rest::answered done) override {
    done(kept.emplace(key, std::move(answer)).first->second);
  }

  result<stored_answer_ptr> find_answer(const idempotency_key& key) override {
    ++blocking_calls;
    const auto i = kept.find(key);
    return i == kept.end() ? stored_answer_ptr{}
                           : std::make_shared<const stored_answer>(i->second);
  }

  // -- organizers, events, action types ---------------------------------------

  std::optional<organizer>
  find_organizer(std::string_view slug) const override {
    for (const auto& o : known_organizers)
      if (o.slug == slug)
        return o;
    return std::nullopt;
  }

  std::vector<organizer> organizers() const override {
    auto all = known_organizers;
    std::ranges::sort(all, {}, &organizer::slug);
    return all;
  }

  result<organizer> add_organizer(std::string slug, std::string name) override {
    ++blocking_calls;
    if (find_organizer(slug))
      return error{ec::already_exists, "taken", "slug"};
    known_organizers.push_back(
      {static_cast<organizer_id>(known_organizers.size() + 1), std::move(slug),
       std::move(name)});
    return known_organizers.back();
  }

  result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit) override {
    ++blocking_calls;
    for (auto& o : known_organizers)
      if (o.id == id) {
        auto changed = o;
        if (auto edited = edit(changed); !edited)
          return edited.error();
        o = changed;
        return o;
      }
    return error{ec::not_found, "no such organizer"};
  }

  result<std::string> reveal(const secret_text& text) const override {
    return seals.open(text);
  }
  result<secret_view> find_secret(organizer_id owner,
                                  webhook_id hook) override {
    ++blocking_calls;
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    if (secret_error)
      return *secret_error;
    const auto found = secrets.find(hook);
    if (found == secrets.end())
      return error{ec::not_found, "not signed"};
    return found->second;
  }
  result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                    secret_rotation how) override {
    ++blocking_calls;
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    rotations.push_back(how);
    if (rotation_error)
      return *rotation_error;
    auto& s = secrets[hook];
    s.secret = how.secret.empty() ? "whsec_bmV3" : how.secret;
    s.previous_until = timestamp{how.overlap};
    return s;
  }
  result<filter_preview> preview_filter(organizer_id owner, webhook_id hook,
                                        std::string filter) override {
    ++blocking_calls;
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    previewed = std::move(filter);
    return preview;
  }
  result<delivery_state> inspect(organizer_id owner, webhook_id hook) override {
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    if (inspection_error)
      return *inspection_error;
    return states[hook];
  }

  /// A vault without a key; tests may put one with a key in its place.
  protocol::vault seals;
  std::map<webhook_id, secret_view> secrets; ///< none: not signed
  std::vector<secret_rotation> rotations;    ///< as asked for
  std::optional<error> secret_error;
  std::optional<error> rotation_error;
  std::optional<error> inspection_error;
  /// What the next explanations say, but for the webhook.
  explanation why;
  std::map<webhook_id, delivery_state> states;
  filter_preview preview;
  std::string previewed;

  std::optional<event> find_event(organizer_id owner,
                                  std::string_view slug) const override {
    for (const auto& e : known_events)
      if (e.owner == owner && e.slug == slug)
        return e;
    return std::nullopt;
  }

  std::optional<event> find_event(event_id id) const override {
    for (const auto& e : known_events)
      if (e.id == id)
        return e;
    return std::nullopt;
  }

  std::vector<event> events(organizer_id owner) const override {
    std::vector<event> all;
    for (const auto& e : known_events)
      if (e.owner == owner)
        all.push_back(e);
    std::ranges::sort(all, {},
                      [](const event& e) { return std::tie(e.name, e.slug); });
    return all;
  }

  result<event> add_event(organizer_id owner, std::string slug,
                          std::string name) override {
    ++blocking_calls;
    if (find_event(owner, slug))
      return error{ec::already_exists, "taken", "slug"};
    known_events.push_back({static_cast<event_id>(known_events.size() + 1),
                            owner, std::move(slug), std::move(name)});
    return known_events.back();
  }

  result<void> remove_organizer(organizer_id id) override {
    ++blocking_calls;
    return std::erase_if(known_organizers,
                         [id](const auto& o) { return o.id == id; })
             > 0
           ? result<void>{}
           : error{ec::not_found, "no such organizer"};
  }
  result<event> rename_event(organizer_id owner, event_id id,
                             std::string name) override {
    ++blocking_calls;
    for (auto& e : known_events)
      if (e.id == id && e.owner == owner) {
        e.name = std::move(name);
        return e;
      }
    return error{ec::not_found, "no such event"};
  }
  result<void> remove_event(organizer_id owner, event_id id) override {
    ++blocking_calls;
    return std::erase_if(
             known_events,
             [&](const auto& e) { return e.id == id && e.owner == owner; })
             > 0
           ? result<void>{}
           : error{ec::not_found, "no such event"};
  }

  std::optional<action_type>
  find_action_type(std::string_view name) const override {
    if (const auto id = types.find(name))
      return *types.at(*id);
    return std::nullopt;
  }

  std::vector<action_type> action_types() const override {
    return types.all();
  }

  result<action_type> add_action_type(std::string name) override {
    ++blocking_calls;
    action_type added{static_cast<action_type_id>(types.size() + 1),
                      std::move(name)};
    if (!types.add(added))
      return error{ec::already_exists, "taken", "name"};
    return added;
  }

  // -- tokens -----------------------------------------------------------------

  std::shared_ptr<const token> find_token(std::string_view key) const override {
    for (const auto& [known, value] : known_tokens)
      if (known == key)
        return std::make_shared<const token>(value);
    return nullptr;
  }

  std::vector<token> tokens(organizer_id owner) const override {
    std::vector<token> all;
    for (const auto& [key, value] : known_tokens)
      if (value.owner == owner && !value.revoked)
        all.push_back(value);
    return all;
  }

  result<issued_token> add_token(organizer_id owner, std::string name,
                                 std::uint8_t permissions) override {
    ++blocking_calls;
    token t;
    t.id = known_tokens.size() + 1;
    t.owner = owner;
    t.name = std::move(name);
    t.permissions = permissions;
    auto key = "key" + std::to_string(t.id);
    known_tokens.emplace_back(key, t);
    return issued_token{std::move(t), std::move(key)};
  }

  result<void> revoke_token(organizer_id owner, token_id id) override {
    ++blocking_calls;
    for (auto& [key, value] : known_tokens)
      if (value.id == id && value.owner == owner && !value.revoked) {
        value.revoked = true;
        return {};
      }
    return error{ec::not_found, "No such token."};
  }

  // -- webhooks ---------------------------------------------------------------

  result<webhook> add_webhook(organizer_id owner, webhook value) override {
    ++blocking_calls;
    value.id = hooks.size() + 1;
    value.owner = owner;
    std::ranges::sort(value.action_types);
    protocol::seal_secrets(value.delivery, seals);
    hooks.push_back(std::move(value));
    return hooks.back();
  }

  result<webhook>
  change_webhook(organizer_id owner, webhook_id id,
                 std::function<result<void>(webhook&)> edit) override {
    ++blocking_calls;
    for (auto& hook : hooks)
      if (hook.id == id && hook.owner == owner) {
        auto changed = hook;
        if (auto done = edit(changed); !done)
          return done.error();
        protocol::seal_secrets(changed.delivery, seals);
        hook = std::move(changed);
        return hook;
      }
    return error{ec::not_found, "No such webhook."};
  }

  result<webhook> find_webhook(organizer_id owner, webhook_id id) override {
    ++blocking_calls;
    for (const auto& hook : hooks)
      if (hook.id == id && hook.owner == owner)
        return hook;
    return error{ec::not_found, "No such webhook."};
  }

  result<std::vector<webhook>> webhooks(organizer_id owner,
                                        const webhook_query& which) override {
    ++blocking_calls;
    std::vector<webhook> found;
    auto offset = which.offset;
    for (const auto& hook : hooks) {
      if (hook.owner != owner
          || (!which.name.empty() && hook.delivery.name != which.name)
          || (which.enabled && *which.enabled != hook.enabled))
        continue;
      if (offset > 0)
        --offset;
      else if (found.size() < which.limit)
        found.push_back(hook);
    }
    return found;
  }

  result<std::size_t> count_webhooks(organizer_id owner,
                                     std::optional<bool> enabled) override {
    return webhooks(owner, {.enabled = enabled, .limit = hooks.size()})->size();
  }

  // -- calls ------------------------------------------------------------------

  result<found_notifications>
  search(organizer_id owner, const notification_search& wanted) override {
    ++blocking_calls;
    searched = wanted;
    found_notifications out;
    for (auto i = journal.rbegin(); i != journal.rend(); ++i) {
      const auto& n = **i;
      if (n.owner == owner && (wanted.before == 0 || n.id < wanted.before)
          && (!wanted.types
              || std::ranges::binary_search(*wanted.types, n.type))
          && (!wanted.event || *wanted.event == n.event)
          && (!wanted.takes || wanted.takes(n))) {
        if (out.found.size() == wanted.limit) {
          out.next = out.found.back()->id;
          out.looked_back_to = out.found.back()->published;
          break;
        }
        out.found.push_back(*i);
      }
    }
    return out;
  }

  result<found_calls> search(organizer_id owner,
                             const call_search& wanted) override {
    ++blocking_calls;
    found_calls out;
    const call* last = nullptr;
    for (auto i = log.rbegin(); i != log.rend(); ++i) {
      if (wanted.before != 0 && i->id >= wanted.before)
        continue;
      if (out.found.size() == wanted.limit || out.scanned == wanted.max_scan) {
        out.next = last->id;
        out.looked_back_to = last->time;
        break;
      }
      ++out.scanned;
      last = &*i;
      const auto hook = std::ranges::find(hooks, i->hook, &webhook::id);
      if (hook != hooks.end() && hook->owner == owner
          && (wanted.hooks.empty()
              || std::ranges::binary_search(wanted.hooks, i->hook)))
        out.found.push_back(*i);
    }
    return out;
  }

  result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                  const call_query& which) override {
    ++blocking_calls;
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    std::vector<call> found;
    for (auto i = log.rbegin(); i != log.rend() && found.size() < which.limit;
         ++i)
      if (i->hook == hook && (which.before == 0 || i->id < which.before))
        found.push_back(*i);
    return found;
  }

  result<call> find_call(organizer_id owner, webhook_id hook,
                         call_id id) override {
    ++blocking_calls;
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    for (const auto& c : log)
      if (c.hook == hook && c.id == id)
        return c;
    return error{ec::not_found, "No such call."};
  }

  result<std::vector<retry>> retries(organizer_id owner,
                                     webhook_id hook) override {
    ++blocking_calls;
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    return due[hook];
  }

  result<retry> resend(organizer_id owner, webhook_id hook,
                       call_id id) override {
    const auto found = find_call(owner, hook, id);
    if (!found)
      return found.error();
    return retry{
      .subject = found->subject, .due = {}, .attempt = 1, .resent = true};
  }

  result<std::size_t> expedite_retries(organizer_id owner,
                                       webhook_id hook) override {
    const auto found = retries(owner, hook);
    return found ? result<std::size_t>{found->size()} : found.error();
  }

  result<std::size_t>
  drop_retries(organizer_id owner, webhook_id hook,
               std::optional<std::string_view> action_type) override {
    const auto found = retries(owner, hook);
    if (!found)
      return found.error();
    if (!action_type)
      return std::exchange(due[hook], {}).size();
    if (!find_action_type(*action_type))
      return error{ec::invalid_argument,
                   "Unknown action type \"" + std::string{*action_type} + "\".",
                   "action_type"};
    return std::erase_if(due[hook], [&](const retry& r) {
      const auto what = find_notification(owner, r.subject);
      return what && (*what)->action == *action_type;
    });
  }

  void test_webhook(const organizer& owner, webhook_id hook,
                    tested done) override {
    if (auto found = find_webhook(owner.id, hook); !found)
      return done(found.error());
    notification what;
    what.id = journal.size() + 1;
    what.owner = owner.id;
    what.action = "fanfare.test";
    what.body = "{}";
    done(
      test_call{call{.id = 1, .hook = hook, .subject = what.id, .status = 200},
                std::make_shared<const notification>(what)});
  }

  // -- replay -----------------------------------------------------------------

  result<replay_preview> preview_replay(organizer_id owner, webhook_id hook,
                                        replay_request asked) override {
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    return replay_preview{
      .asked = asked, .count = 2, .skipped = 1, .first = {3, 4}};
  }

  result<replay_progress> start_replay(organizer_id owner, webhook_id hook,
                                       replay_request asked) override {
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    if (replays.contains(hook) && replays[hook].state == replay_state::running)
      return error{ec::conflict, "A replay of this webhook is running."};
    auto& made = replays[hook];
    made = {};
    made.asked = asked;
    return made;
  }

  result<replay_progress> find_replay(organizer_id owner,
                                      webhook_id hook) override {
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    if (!replays.contains(hook))
      return error{ec::not_found, "There is no replay of this webhook."};
    return replays[hook];
  }

  result<void> cancel_replay(organizer_id owner, webhook_id hook) override {
    const auto found = find_replay(owner, hook);
    if (!found || found->state != replay_state::running)
      return error{ec::not_found, "No replay of this webhook is running."};
    replays[hook].state = replay_state::cancelled;
    return {};
  }

  // -- looking into it --------------------------------------------------------

  result<webhook_health> health(organizer_id owner, webhook_id hook) override {
    if (auto found = find_webhook(owner, hook); !found)
      return found.error();
    return conditions[hook];
  }

  result<call_statistics> call_counts(organizer_id owner, webhook_id hook,
                                      const statistics_query& which) override {
    if (hook != 0)
      if (auto found = find_webhook(owner, hook); !found)
        return found.error();
    counted_of = hook;
    counted_by = which;
    return counted;
  }

  result<std::vector<explanation>> explain(const notification& what,
                                           std::size_t offset,
                                           std::size_t limit) override {
    const auto found = webhooks(what.owner, {.offset = offset, .limit = limit});
    std::vector<explanation> all;
    for (const auto& hook : *found) {
      all.push_back(why);
      all.back().hook = hook;
    }
    return all;
  }

  result<explanation> explain(const notification& what,
                              webhook_id hook) override {
    const auto found = find_webhook(what.owner, hook);
    if (!found)
      return found.error();
    auto one = why;
    one.hook = *found;
    return one;
  }

  // -- state ------------------------------------------------------------------

  engine_status status(organizer_id owner, std::size_t worst) override {
    status_asked = {owner, worst};
    return overall;
  }

  void note_failed_login(std::string_view address) override {
    failed_logins.emplace_back(address);
  }

  engine_status overall;
  std::pair<organizer_id, std::size_t> status_asked;
  std::vector<std::string> failed_logins;

  result<void> back_up(backup_sink& to,
                       const backup_options& options) override {
    asked_backup = options;
    if (backup_error)
      return *backup_error;
    if (auto begun = to.begin(backup.size()); !begun)
      return begun;
    return to.write(backup);
  }
  bool ready() const override {
    return is_ready;
  }
  std::vector<metric> metrics() const override {
    return figures;
  }
  result<std::vector<metric>> metrics(organizer_id owner) const override {
    return std::vector<metric>{
      {.name = "fanfare_organizer_webhooks",
       .help = "Its webhooks.",
       .labels = {{"organizer", std::to_string(owner)}},
       .value = 1}};
  }
};

} // namespace fanfare::test
