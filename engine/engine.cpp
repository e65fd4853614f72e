// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "fanfare/engine.hpp"

#include "engine/announcer.hpp"
#include "engine/callbacks.hpp"
#include "engine/changes.hpp"
#include "engine/counters.hpp"
#include "engine/directory.hpp"
#include "engine/inspection.hpp"
#include "engine/networks.hpp"
#include "engine/options.hpp"
#include "engine/orders.hpp"
#include "engine/published_figures.hpp"
#include "engine/publisher.hpp"
#include "engine/registry.hpp"
#include "engine/runtime.hpp"
#include "protocol/security/credentials.hpp"
#include "storage/embedded.hpp"

#include <boost/system/system_error.hpp>

#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace fanfare {

namespace {

error cannot_start(const std::string& why) {
  return {ec::io_error, "Cannot start: " + why
                          + ". Raise the limits of this process (ulimit -n, -u "
                            "and -v; LimitNOFILE, TasksMax)."};
}

/// What all webhooks share that follows from the options.
webhook_context context_of(const checked_options& options) {
  const auto& given = options.given;
  webhook_context out;
  auto& d = out.defaults;
  if (!given.schedule.empty())
    d.backoff.schedule = given.schedule;
  d.backoff.max_age = given.max_age;
  d.limits.dns = given.dns_timeout;
  d.limits.connect = given.connect_timeout;
  d.limits.tls = given.tls_timeout;
  d.limits.first_byte = given.first_byte_timeout;
  d.limits.total = given.total_timeout;
  d.pace.cap = given.max_in_flight;
  d.pace.breaker_failures = given.breaker_failures;
  d.pace.breaker_pause = given.breaker_pause;
  d.pace.breaker_longest = given.breaker_longest;
  d.vault = &options.vault;
  out.disable_after = given.disable_after;
  out.window = given.window;
  out.seed = std::random_device{}();
  return out;
}

crew_settings settings_of(const engine_options& options,
                          webhook_context webhooks) {
  crew_settings out;
  out.webhooks = std::move(webhooks);
  out.idle_checkpoints = options.idle_checkpoints;
  out.retention = options.retention;
  out.retention_interval = options.retention_interval;
  out.commit_linger = options.commit_linger;
  return out;
}

class engine_implementation final : public engine {
public:
  engine_implementation(checked_options options,
                        std::unique_ptr<storage::store> store)
    : options_(std::move(options)),
      store_(std::move(store)) {}

  ~engine_implementation() override {
    runtime_.stop({});
  }

  result<void> begin();

  // -- publishing -------------------------------------------------------------

  result<void> try_publish(organizer_id owner, std::vector<publication>&& items,
                           published&& done) override {
    return publisher_.publish(owner, items, done, patience::none);
  }
  result<void> publish_waiting(organizer_id owner,
                               std::vector<publication>&& items,
                               published&& done) override {
    return publisher_.publish(owner, items, done, patience::for_room);
  }
  result<std::vector<position>>
  publish_and_wait(organizer_id owner,
                   std::vector<publication> items) override {
    return publisher_.publish(owner, std::move(items));
  }
  void publish_keyed(organizer_id owner, std::vector<publication> items,
                     publish_once once, answered done) override {
    publisher_.publish_keyed(owner, std::move(items), once, std::move(done),
                             patience::none);
  }
  result<stored_answer> publish_keyed_and_wait(organizer_id owner,
                                               std::vector<publication> items,
                                               publish_once once) override {
    return publisher_.publish_keyed(owner, std::move(items), once);
  }
  void remember_answer(const idempotency_key& key, plain_answer answer,
                       answered done) override {
    publisher_.remember_answer(key, std::move(answer), std::move(done));
  }
  result<stored_answer_ptr> find_answer(const idempotency_key& key) override {
    return store_->find_answer(key, clock().now());
  }
  result<notification_ptr> find_notification(organizer_id owner,
                                             position id) override {
    return inspection_.find_notification(owner, id);
  }

  // -- organizers, events, action types ---------------------------------------

  [[nodiscard]] std::optional<organizer>
  find_organizer(std::string_view slug) const override {
    return names_.find_organizer(slug);
  }
  [[nodiscard]] std::vector<organizer> organizers() const override {
    return names_.organizers();
  }
  result<organizer> add_organizer(std::string slug, std::string name) override {
    return registry_.add_organizer(std::move(slug), std::move(name));
  }
  result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit) override {
    return registry_.change_organizer(id, std::move(edit));
  }
  [[nodiscard]] std::optional<event>
  find_event(organizer_id owner, std::string_view slug) const override {
    return names_.find_event(owner, slug);
  }
  [[nodiscard]] std::optional<event> find_event(event_id id) const override {
    return names_.find_event(id);
  }
  [[nodiscard]] std::vector<event> events(organizer_id owner) const override {
    return names_.events(owner);
  }
  result<event> add_event(organizer_id owner, std::string slug,
                          std::string name) override {
    return registry_.add_event(owner, std::move(slug), std::move(name));
  }
  [[nodiscard]] std::optional<action_type>
  find_action_type(std::string_view name) const override {
    return names_.find_action_type(name);
  }
  [[nodiscard]] std::vector<action_type> action_types() const override {
    return names_.action_types();
  }
  result<action_type> add_action_type(std::string name) override {
    return registry_.add_action_type(std::move(name));
  }

  // -- tokens -----------------------------------------------------------------

  [[nodiscard]] std::shared_ptr<const token>
  find_token(std::string_view key) const override {
    return names_.find_token(protocol::hash_token_key(key), clock().now());
  }
  [[nodiscard]] std::vector<token> tokens(organizer_id owner) const override {
    return names_.tokens(owner);
  }
  result<issued_token> add_token(organizer_id owner, std::string name,
                                 std::uint8_t permissions) override {
    return registry_.add_token(owner, std::move(name), permissions);
  }
  result<void> revoke_token(organizer_id owner, token_id id) override {
    return registry_.revoke_token(owner, id);
  }

  // -- webhooks ---------------------------------------------------------------

  result<webhook> add_webhook(organizer_id owner, webhook value) override {
    return registry_.add_webhook(owner, value);
  }
  result<webhook>
  change_webhook(organizer_id owner, webhook_id id,
                 std::function<result<void>(webhook&)> edit) override {
    return registry_.change_webhook(owner, id, std::move(edit));
  }
  result<webhook> find_webhook(organizer_id owner, webhook_id id) override {
    return registry_.find_webhook(owner, id);
  }
  result<std::vector<webhook>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) override {
    return registry_.webhooks(owner, enabled, offset, limit);
  }
  result<std::size_t> count_webhooks(organizer_id owner,
                                     std::optional<bool> enabled) override {
    return store_->registry().count_webhooks(owner, enabled);
  }
  [[nodiscard]] result<std::string>
  reveal(const secret_text& text) const override {
    return options_.vault.open(text);
  }
  result<secret_view> find_secret(organizer_id owner,
                                  webhook_id hook) override {
    return registry_.find_secret(owner, hook);
  }
  result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                    secret_rotation how) override {
    return registry_.rotate_secret(owner, hook, std::move(how));
  }
  result<filter_preview> preview_filter(organizer_id owner, webhook_id hook,
                                        std::string filter) override {
    return inspection_.preview_filter(owner, hook, filter);
  }

  // -- calls ------------------------------------------------------------------

  result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                  call_id before, std::size_t limit) override {
    return inspection_.calls(owner, hook, before, limit);
  }
  result<call> find_call(organizer_id owner, webhook_id hook,
                         call_id id) override {
    return inspection_.find_call(owner, hook, id);
  }
  result<std::vector<retry>> retries(organizer_id owner,
                                     webhook_id hook) override {
    return inspection_.retries(owner, hook);
  }
  result<retry> resend(organizer_id owner, webhook_id hook,
                       call_id id) override {
    return orders_.resend(owner, hook, id);
  }
  result<std::size_t> expedite_retries(organizer_id owner,
                                       webhook_id hook) override {
    return orders_.expedite_retries(owner, hook);
  }
  result<std::size_t> drop_retries(organizer_id owner,
                                   webhook_id hook) override {
    return orders_.drop_retries(owner, hook);
  }
  void test_webhook(const organizer& owner, webhook_id hook,
                    tested done) override {
    orders_.test(owner.id, hook, std::move(done));
  }

  // -- replay -----------------------------------------------------------------

  result<replay_preview> preview_replay(organizer_id owner, webhook_id hook,
                                        replay_request asked) override {
    return inspection_.preview_replay(owner, hook, asked);
  }
  result<replay_progress> start_replay(organizer_id owner, webhook_id hook,
                                       replay_request asked) override {
    return orders_.start_replay(owner, hook, asked);
  }
  result<replay_progress> find_replay(organizer_id owner,
                                      webhook_id hook) override {
    return orders_.find_replay(owner, hook);
  }
  result<void> cancel_replay(organizer_id owner, webhook_id hook) override {
    return orders_.cancel_replay(owner, hook);
  }

  // -- looking into it --------------------------------------------------------

  result<delivery_state> inspect(organizer_id owner, webhook_id hook) override {
    return orders_.inspect(owner, hook);
  }
  result<webhook_health> health(organizer_id owner, webhook_id hook) override {
    return inspection_.health(owner, hook);
  }
  result<std::vector<explanation>> explain(const notification& what,
                                           std::size_t offset,
                                           std::size_t limit) override {
    return inspection_.explain(what, offset, limit);
  }
  result<explanation> explain(const notification& what,
                              webhook_id hook) override {
    return inspection_.explain(what, hook);
  }

  // -- state ------------------------------------------------------------------

  [[nodiscard]] bool ready() const override {
    return inspection_.ready();
  }
  [[nodiscard]] engine_statistics statistics() const override {
    return inspection_.statistics();
  }
  [[nodiscard]] std::vector<metric> metrics() const override {
    return counters_.figures(statistics(), ready());
  }
  void wake() override {
    crew_.router().send(atom::wake_v);
  }
  void stop(std::chrono::milliseconds deadline) override {
    runtime_.stop(deadline);
  }

private:
  [[nodiscard]] const wall_clock& clock() const {
    return *options_.given.clock;
  }
  [[nodiscard]] crew_parts parts();
  [[nodiscard]] webhook_context context();
  void observe(const storage::operation& op);

  // In the order in which they need each other.
  checked_options options_;
  std::unique_ptr<storage::store> store_;
  callbacks program_{options_.given.log};
  directory names_;
  engine_counters counters_;
  organizer_fences fences_{options_.policy};
  published_figures figures_;
  runtime runtime_{options_,
                   parts(),
                   settings_of(options_.given, context()),
                   {.save = [this] { registry_.save_token_uses(); },
                    .stopping = [this] { figures_.remove(); }}};
  crew& crew_{runtime_.actors()};
  changes changes_{crew_.commits(), runtime_.life()};
  announcer announcer_{names_, crew_.router()};
  publisher publisher_{{.life = runtime_.life(),
                        .names = names_,
                        .clock = clock(),
                        .program = program_,
                        .commits = crew_.commits(),
                        .writer = crew_.writer(),
                        .counters = counters_,
                        .patience = options_.given.publish_patience}};
  registry registry_{
    {.store = *store_,
     .names = names_,
     .vault = options_.vault,
     .clock = clock(),
     .commits = crew_.commits(),
     .edits = changes_,
     .news = announcer_,
     .rules = {.total_timeout = options_.given.total_timeout,
               .local_names = !options_.given.allow_networks.empty()}}};
  orders orders_{{.life = runtime_.life(),
                  .store = *store_,
                  .names = names_,
                  .clock = clock(),
                  .program = program_,
                  .commits = crew_.commits(),
                  .edits = changes_,
                  .router = crew_.router()}};
  inspection inspection_{{.life = runtime_.life(),
                          .store = *store_,
                          .names = names_,
                          .vault = options_.vault,
                          .clock = clock(),
                          .actors = crew_,
                          .asks = orders_}};
};

crew_parts engine_implementation::parts() {
  return {.store = *store_,
          .clock = clock(),
          .log = options_.given.log,
          .observe = [this](const storage::operation& op) { observe(op); },
          .on_fatal = options_.given.on_fatal};
}

webhook_context engine_implementation::context() {
  auto made = context_of(options_);
  made.defaults.fence_of = [this](organizer_id id) { return fences_.of(id); };
  made.fences = &fences_.changes();
  made.notify_owner = [this](const webhook_record& hook,
                             std::string_view action,
                             const std::string& members) {
    announcer_.announce(hook, action, members);
  };
  return made;
}

void engine_implementation::observe(const storage::operation& op) {
  names_.observe(op);
  counters_.observe(op);
  if (const auto* call = std::get_if<storage::append_call>(&op))
    for (const auto& observer : options_.given.call_observers)
      program_.run("A call observer", [&] { observer(call->entry); });
  if (const auto* changed = std::get_if<storage::change_organizer>(&op);
      changed != nullptr && changed->done)
    (void)fences_.update(*changed->done); // was checked before it was stored
}

result<void> engine_implementation::begin() {
  if (auto added = add_builtin_types(*store_); !added)
    return added;
  if (auto loaded = names_.load(store_->registry()); !loaded)
    return loaded;
  for (const auto& o : names_.organizers())
    if (auto fenced = fences_.update(o); !fenced)
      return fenced;
  if (auto readable = check_secrets(*store_, options_.vault); !readable)
    return readable;
  if (!options_.vault.encrypts())
    options_.given.log(
      log_level::warning,
      "signing secrets are kept unencrypted in the data directory: set "
      "secret_key_file (--secret-key-file) or secret_keys "
      "(FANFARE_SECRET_KEY)");
  if (auto started = runtime_.start(); !started)
    return started;
  return figures_.add(options_.given.metrics, this,
                      [this] { return metrics(); });
}

} // namespace

result<std::unique_ptr<engine>> engine::start(engine_options options) {
  auto checked = check_options(std::move(options));
  if (!checked)
    return checked.error();
  auto store = storage::open_embedded(
    checked->given.data, {.max_size = checked->given.max_store_size});
  if (!store)
    return store.error();
  try {
    auto made = std::make_unique<engine_implementation>(std::move(*checked),
                                                        std::move(*store));
    if (auto begun = made->begin(); !begun)
      return begun.error();
    return std::unique_ptr<engine>{std::move(made)};
  } catch (const std::system_error& e) {
    return cannot_start(e.what());
  } catch (const boost::system::system_error& e) {
    return cannot_start(e.what());
  } catch (const std::runtime_error& e) { // OpenSSL's, with its own sentence
    return error{ec::internal, std::string{"Cannot start: "} + e.what()};
  }
}

} // namespace fanfare
