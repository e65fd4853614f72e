// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/rest_service.hpp"

#include "engine/core.hpp"
#include "protocol/security/credentials.hpp"

#include <utility>

namespace fanfare {

namespace {

/// Each function asks one object of the engine's core.
class rest_service final : public protocol::rest::service {
public:
  explicit rest_service(engine_core& of) : core_{of} {}

  // -- publishing -------------------------------------------------------------

  result<void> try_publish(organizer_id owner, std::vector<publication>&& items,
                           published&& done) override {
    return core_.publishing().try_publish(owner, items, done);
  }
  void publish_keyed(organizer_id owner, std::vector<publication> items,
                     publish_once once,
                     protocol::rest::answered done) override {
    core_.publishing().publish_keyed(owner, std::move(items), once,
                                     std::move(done));
  }

  // -- stored answers ---------------------------------------------------------

  void remember_answer(const idempotency_key& key, plain_answer answer,
                       protocol::rest::answered done) override {
    core_.publishing().remember_answer(key, std::move(answer), std::move(done));
  }
  result<stored_answer_ptr> find_answer(const idempotency_key& key) override {
    return core_.store().find_answer(key, core_.clock().now());
  }

  // -- organizers, events, action types ---------------------------------------

  std::optional<organizer>
  find_organizer(std::string_view slug) const override {
    return core_.names().find_organizer(slug);
  }
  std::vector<organizer> organizers() const override {
    return core_.names().organizers();
  }
  result<organizer> add_organizer(std::string slug, std::string name) override {
    return core_.registry().add_organizer(std::move(slug), std::move(name));
  }
  result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit) override {
    return core_.registry().change_organizer(id, std::move(edit));
  }
  std::optional<event> find_event(organizer_id owner,
                                  std::string_view slug) const override {
    return core_.names().find_event(owner, slug);
  }
  std::optional<event> find_event(event_id id) const override {
    return core_.names().find_event(id);
  }
  std::vector<event> events(organizer_id owner) const override {
    return core_.names().events(owner);
  }
  result<void> remove_organizer(organizer_id id) override {
    return core_.registry().remove_organizer(id);
  }
  result<event> rename_event(organizer_id owner, event_id id,
                             std::string name) override {
    return core_.registry().rename_event(owner, id, std::move(name));
  }
  result<void> remove_event(organizer_id owner, event_id id) override {
    return core_.registry().remove_event(owner, id);
  }
  result<event> add_event(organizer_id owner, std::string slug,
                          std::string name) override {
    return core_.registry().add_event(owner, std::move(slug), std::move(name));
  }
  std::optional<action_type>
  find_action_type(std::string_view name) const override {
    return core_.names().find_action_type(name);
  }
  std::vector<action_type> action_types() const override {
    return core_.names().action_types();
  }
  result<action_type> add_action_type(std::string name) override {
    return core_.registry().add_action_type(std::move(name));
  }

  // -- tokens -----------------------------------------------------------------

  std::shared_ptr<const token> find_token(std::string_view key) const override {
    return core_.names().find_token(protocol::hash_token_key(key),
                                    core_.clock().now());
  }
  std::vector<token> tokens(organizer_id owner) const override {
    return core_.names().tokens(owner);
  }
  result<issued_token> add_token(organizer_id owner, std::string name,
                                 std::uint8_t permissions) override {
    return core_.registry().add_token(owner, std::move(name), permissions);
  }
  result<void> revoke_token(organizer_id owner, token_id id) override {
    return core_.registry().revoke_token(owner, id);
  }

  // -- webhooks ---------------------------------------------------------------

  result<std::string> reveal(const secret_text& text) const override {
    return core_.vault().open(text);
  }
  result<webhook> add_webhook(organizer_id owner, webhook value) override {
    return core_.registry().add_webhook(owner, value);
  }
  result<webhook>
  change_webhook(organizer_id owner, webhook_id id,
                 std::function<result<void>(webhook&)> edit) override {
    return core_.registry().change_webhook(owner, id, std::move(edit));
  }
  result<webhook> find_webhook(organizer_id owner, webhook_id id) override {
    return core_.registry().find_webhook(owner, id);
  }
  result<std::vector<webhook>> webhooks(organizer_id owner,
                                        const webhook_query& which) override {
    return core_.registry().webhooks(owner, which);
  }
  result<std::size_t> count_webhooks(organizer_id owner,
                                     std::optional<bool> enabled) override {
    return core_.store().registry().count_webhooks(owner, enabled);
  }
  result<secret_view> find_secret(organizer_id owner,
                                  webhook_id hook) override {
    return core_.registry().find_secret(owner, hook);
  }
  result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                    secret_rotation how) override {
    return core_.registry().rotate_secret(owner, hook, std::move(how));
  }

  // -- log --------------------------------------------------------------------

  result<notification_ptr> find_notification(organizer_id owner,
                                             position id) override {
    return core_.inspection().find_notification(owner, id);
  }
  result<found_notifications>
  search(organizer_id owner, const notification_search& wanted) override {
    return core_.store().journal().search(owner, wanted);
  }
  result<found_calls> search(organizer_id owner,
                             const call_search& wanted) override {
    return core_.store().call_log().search(owner, wanted);
  }
  result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                  const call_query& which) override {
    return core_.inspection().calls(owner, hook, which);
  }
  result<call> find_call(organizer_id owner, webhook_id hook,
                         call_id id) override {
    return core_.inspection().find_call(owner, hook, id);
  }
  result<std::vector<retry>> retries(organizer_id owner,
                                     webhook_id hook) override {
    return core_.inspection().retries(owner, hook);
  }

  feed_place feed_end() const override {
    return core_.feeds().end();
  }
  result<feed_place> feed_at(timestamp since) override {
    return core_.feeds().place_at(since);
  }
  result<feed_page> read_feed(organizer_id owner, const feed_place& after,
                              const feed_limits& within) override {
    return core_.feeds().read(owner, after, within);
  }
  std::shared_ptr<void> follow_feed(organizer_id owner,
                                    std::function<void()> news) override {
    return core_.feeds().follow(owner, std::move(news));
  }

  // -- orders -----------------------------------------------------------------

  result<retry> resend(organizer_id owner, webhook_id hook,
                       call_id id) override {
    return core_.orders().resend(owner, hook, id);
  }
  result<std::size_t> expedite_retries(organizer_id owner,
                                       webhook_id hook) override {
    return core_.orders().expedite_retries(owner, hook);
  }
  result<std::size_t>
  drop_retries(organizer_id owner, webhook_id hook,
               std::optional<std::string_view> action_type) override {
    return core_.orders().drop_retries(owner, hook, action_type);
  }
  void test_webhook(const organizer& owner, webhook_id hook,
                    tested done) override {
    core_.orders().test(owner.id, hook, std::move(done));
  }
  result<replay_preview> preview_replay(organizer_id owner, webhook_id hook,
                                        replay_request asked) override {
    return core_.inspection().preview_replay(owner, hook, asked);
  }
  result<replay_progress> start_replay(organizer_id owner, webhook_id hook,
                                       replay_request asked) override {
    return core_.orders().start_replay(owner, hook, asked);
  }
  result<replay_progress> find_replay(organizer_id owner,
                                      webhook_id hook) override {
    return core_.orders().find_replay(owner, hook);
  }
  result<void> cancel_replay(organizer_id owner, webhook_id hook) override {
    return core_.orders().cancel_replay(owner, hook);
  }

  // -- inspection -------------------------------------------------------------

  result<filter_preview> preview_filter(organizer_id owner, webhook_id hook,
                                        std::string filter) override {
    return core_.inspection().preview_filter(owner, hook, std::move(filter));
  }
  result<delivery_state> inspect(organizer_id owner, webhook_id hook) override {
    return core_.orders().glance(owner, hook);
  }
  result<webhook_health> health(organizer_id owner, webhook_id hook) override {
    return core_.inspection().health(owner, hook);
  }
  result<call_statistics> call_counts(organizer_id owner, webhook_id hook,
                                      const statistics_query& which) override {
    return core_.inspection().call_counts(owner, hook, which);
  }
  result<std::vector<explanation>> explain(const notification& what,
                                           std::size_t offset,
                                           std::size_t limit) override {
    return core_.inspection().explain(what, {.offset = offset, .limit = limit});
  }
  result<explanation> explain(const notification& what,
                              webhook_id hook) override {
    return core_.inspection().explain(what, hook);
  }
  std::vector<metric> metrics() const override {
    return core_.metrics();
  }
  result<std::vector<metric>> metrics(organizer_id owner) const override {
    return core_.metrics(owner);
  }
  engine_status status(organizer_id owner, std::size_t worst) override {
    return core_.status().look(owner, worst);
  }
  void note_failed_login(std::string_view address) override {
    core_.events().say(event_kind::login, log_level::info,
                       "a wrong key came from " + std::string{address});
  }
  bool ready() const override {
    return core_.inspection().ready();
  }
  result<void> back_up(backup_sink& to,
                       const backup_options& options) override {
    return core_.backups().make(to, options);
  }

private:
  engine_core& core_;
};

} // namespace

std::unique_ptr<protocol::rest::service> make_rest_service(engine& of) {
  return std::make_unique<rest_service>(core_of(of));
}

} // namespace fanfare
