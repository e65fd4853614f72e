// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/rest_service.hpp"

#include "fanfare/engine.hpp"

#include <utility>

namespace fanfare {

namespace {

/// Forwards to the functions of the engine with the same names.
class rest_service final : public protocol::rest::service {
public:
  explicit rest_service(engine& of) : engine_{of} {}

  // -- publishing -------------------------------------------------------------

  result<void> try_publish(organizer_id owner, std::vector<publication>&& items,
                           published&& done) override {
    return engine_.try_publish(owner, std::move(items), std::move(done));
  }
  void publish_keyed(organizer_id owner, std::vector<publication> items,
                     publish_once once,
                     protocol::rest::answered done) override {
    engine_.publish_keyed(owner, std::move(items), once, std::move(done));
  }

  // -- stored answers ---------------------------------------------------------

  void remember_answer(const idempotency_key& key, plain_answer answer,
                       protocol::rest::answered done) override {
    engine_.remember_answer(key, std::move(answer), std::move(done));
  }
  result<stored_answer_ptr> find_answer(const idempotency_key& key) override {
    return engine_.find_answer(key);
  }

  // -- organizers, events, action types ---------------------------------------

  std::optional<organizer>
  find_organizer(std::string_view slug) const override {
    return engine_.find_organizer(slug);
  }
  std::vector<organizer> organizers() const override {
    return engine_.organizers();
  }
  result<organizer> add_organizer(std::string slug, std::string name) override {
    return engine_.add_organizer(std::move(slug), std::move(name));
  }
  result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit) override {
    return engine_.change_organizer(id, std::move(edit));
  }
  std::optional<event> find_event(organizer_id owner,
                                  std::string_view slug) const override {
    return engine_.find_event(owner, slug);
  }
  std::optional<event> find_event(event_id id) const override {
    return engine_.find_event(id);
  }
  std::vector<event> events(organizer_id owner) const override {
    return engine_.events(owner);
  }
  result<event> add_event(organizer_id owner, std::string slug,
                          std::string name) override {
    return engine_.add_event(owner, std::move(slug), std::move(name));
  }
  std::optional<action_type>
  find_action_type(std::string_view name) const override {
    return engine_.find_action_type(name);
  }
  std::vector<action_type> action_types() const override {
    return engine_.action_types();
  }
  result<action_type> add_action_type(std::string name) override {
    return engine_.add_action_type(std::move(name));
  }

  // -- tokens -----------------------------------------------------------------

  std::shared_ptr<const token> find_token(std::string_view key) const override {
    return engine_.find_token(key);
  }
  std::vector<token> tokens(organizer_id owner) const override {
    return engine_.tokens(owner);
  }
  result<issued_token> add_token(organizer_id owner, std::string name,
                                 std::uint8_t permissions) override {
    return engine_.add_token(owner, std::move(name), permissions);
  }
  result<void> revoke_token(organizer_id owner, token_id id) override {
    return engine_.revoke_token(owner, id);
  }

  // -- webhooks ---------------------------------------------------------------

  result<std::string> reveal(const secret_text& text) const override {
    return engine_.reveal(text);
  }
  result<webhook> add_webhook(organizer_id owner, webhook value) override {
    return engine_.add_webhook(owner, std::move(value));
  }
  result<webhook>
  change_webhook(organizer_id owner, webhook_id id,
                 std::function<result<void>(webhook&)> edit) override {
    return engine_.change_webhook(owner, id, std::move(edit));
  }
  result<webhook> find_webhook(organizer_id owner, webhook_id id) override {
    return engine_.find_webhook(owner, id);
  }
  result<std::vector<webhook>> webhooks(organizer_id owner,
                                        const webhook_query& which) override {
    return engine_.webhooks(owner, which.enabled, which.offset, which.limit);
  }
  result<std::size_t> count_webhooks(organizer_id owner,
                                     std::optional<bool> enabled) override {
    return engine_.count_webhooks(owner, enabled);
  }
  result<secret_view> find_secret(organizer_id owner,
                                  webhook_id hook) override {
    return engine_.find_secret(owner, hook);
  }
  result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                    secret_rotation how) override {
    return engine_.rotate_secret(owner, hook, std::move(how));
  }

  // -- log --------------------------------------------------------------------

  result<notification_ptr> find_notification(organizer_id owner,
                                             position id) override {
    return engine_.find_notification(owner, id);
  }
  result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                  const call_query& which) override {
    return engine_.calls(owner, hook, which.before, which.limit);
  }
  result<call> find_call(organizer_id owner, webhook_id hook,
                         call_id id) override {
    return engine_.find_call(owner, hook, id);
  }
  result<std::vector<retry>> retries(organizer_id owner,
                                     webhook_id hook) override {
    return engine_.retries(owner, hook);
  }

  // -- orders -----------------------------------------------------------------

  result<retry> resend(organizer_id owner, webhook_id hook,
                       call_id id) override {
    return engine_.resend(owner, hook, id);
  }
  result<std::size_t> expedite_retries(organizer_id owner,
                                       webhook_id hook) override {
    return engine_.expedite_retries(owner, hook);
  }
  result<std::size_t> drop_retries(organizer_id owner,
                                   webhook_id hook) override {
    return engine_.drop_retries(owner, hook);
  }
  void test_webhook(const organizer& owner, webhook_id hook,
                    tested done) override {
    engine_.test_webhook(owner, hook, std::move(done));
  }
  result<replay_preview> preview_replay(organizer_id owner, webhook_id hook,
                                        replay_request asked) override {
    return engine_.preview_replay(owner, hook, asked);
  }
  result<replay_progress> start_replay(organizer_id owner, webhook_id hook,
                                       replay_request asked) override {
    return engine_.start_replay(owner, hook, asked);
  }
  result<replay_progress> find_replay(organizer_id owner,
                                      webhook_id hook) override {
    return engine_.find_replay(owner, hook);
  }
  result<void> cancel_replay(organizer_id owner, webhook_id hook) override {
    return engine_.cancel_replay(owner, hook);
  }

  // -- inspection -------------------------------------------------------------

  result<filter_preview> preview_filter(organizer_id owner, webhook_id hook,
                                        std::string filter) override {
    return engine_.preview_filter(owner, hook, std::move(filter));
  }
  result<delivery_state> inspect(organizer_id owner, webhook_id hook) override {
    return engine_.inspect(owner, hook);
  }
  result<webhook_health> health(organizer_id owner, webhook_id hook) override {
    return engine_.health(owner, hook);
  }
  result<std::vector<explanation>> explain(const notification& what,
                                           std::size_t offset,
                                           std::size_t limit) override {
    return engine_.explain(what, offset, limit);
  }
  result<explanation> explain(const notification& what,
                              webhook_id hook) override {
    return engine_.explain(what, hook);
  }
  bool ready() const override {
    return engine_.ready();
  }

private:
  engine& engine_;
};

} // namespace

std::unique_ptr<protocol::rest::service> make_rest_service(engine& of) {
  return std::make_unique<rest_service>(of);
}

} // namespace fanfare
