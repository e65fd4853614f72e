// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The public face: each function asks one object of the core.

#include "fanfare/engine.hpp"

#include "engine/core.hpp"
#include "storage/embedded.hpp"

#include <boost/system/system_error.hpp>

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

} // namespace

// -- start and end ------------------------------------------------------------

result<std::unique_ptr<engine>> engine::start(engine_options options) {
  auto checked = check_options(std::move(options));
  if (!checked)
    return checked.error();
  auto store = storage::open_embedded(
    checked->given.data, {.max_size = checked->given.store.max_size});
  if (!store)
    return store.error();
  try {
    auto core = std::make_unique<engine_core>(std::move(*checked),
                                              std::move(*store));
    auto& begins = *core;
    std::unique_ptr<engine> made{new engine{std::move(core)}};
    if (auto begun = begins.begin(made.get()); !begun)
      return begun.error();
    return made;
  } catch (const std::system_error& e) {
    return cannot_start(e.what());
  } catch (const boost::system::system_error& e) {
    return cannot_start(e.what());
  } catch (const std::runtime_error& e) { // OpenSSL's, with its own sentence
    return error{ec::internal, std::string{"Cannot start: "} + e.what()};
  }
}

engine::engine(std::unique_ptr<engine_core> core) : core_(std::move(core)) {}

engine::~engine() = default;

engine_core& core_of(engine& of) {
  return *of.core_;
}

void engine::stop(std::chrono::milliseconds deadline) {
  core_->stop(deadline);
}

// -- publishing ---------------------------------------------------------------

result<position> engine::publish(organizer_id owner, publication one) {
  return core_->publishing().publish(owner, std::move(one));
}

result<std::vector<position>>
engine::publish_all(organizer_id owner, std::vector<publication> items) {
  return core_->publishing().publish(owner, std::move(items));
}

std::future<result<position>> engine::publish_later(organizer_id owner,
                                                    publication one) {
  return core_->publishing().publish_later(owner, std::move(one));
}

std::future<result<std::vector<position>>>
engine::publish_all_later(organizer_id owner, std::vector<publication> items) {
  return core_->publishing().publish_later(owner, std::move(items));
}

result<void> engine::try_publish(organizer_id owner, publication&& one,
                                 std::function<void(result<position>)>&& done) {
  return core_->publishing().try_publish(owner, one, done);
}

result<void> engine::try_publish_all(
  organizer_id owner, std::vector<publication>&& items,
  std::function<void(result<std::vector<position>>)>&& done) {
  return core_->publishing().try_publish(owner, items, done);
}

result<position> engine::publish_once(organizer_id owner, std::string_view key,
                                      publication one) {
  return core_->publishing().publish_once(owner, key, std::move(one));
}

result<std::vector<position>>
engine::publish_all_once(organizer_id owner, std::string_view key,
                         std::vector<publication> items) {
  return core_->publishing().publish_once(owner, key, std::move(items));
}

result<notification_ptr> engine::find_notification(organizer_id owner,
                                                   position id) {
  return core_->inspection().find_notification(owner, id);
}

// -- organizers, events, action types -----------------------------------------

std::optional<organizer> engine::find_organizer(std::string_view slug) const {
  return core_->names().find_organizer(slug);
}

std::vector<organizer> engine::organizers() const {
  return core_->names().organizers();
}

result<organizer> engine::add_organizer(std::string slug, std::string name) {
  return core_->registry().add_organizer(std::move(slug), std::move(name));
}

result<organizer> engine::ensure_organizer(std::string_view slug) {
  return core_->registry().ensure_organizer(slug);
}

result<organizer>
engine::change_organizer(organizer_id id,
                         std::function<result<void>(organizer&)> edit) {
  return core_->registry().change_organizer(id, std::move(edit));
}

std::optional<event> engine::find_event(organizer_id owner,
                                        std::string_view slug) const {
  return core_->names().find_event(owner, slug);
}

std::optional<event> engine::find_event(event_id id) const {
  return core_->names().find_event(id);
}

std::vector<event> engine::events(organizer_id owner) const {
  return core_->names().events(owner);
}

result<void> engine::remove_organizer(organizer_id id) {
  return core_->registry().remove_organizer(id);
}

result<event> engine::rename_event(organizer_id owner, event_id id,
                                   std::string name) {
  return core_->registry().rename_event(owner, id, std::move(name));
}

result<void> engine::remove_event(organizer_id owner, event_id id) {
  return core_->registry().remove_event(owner, id);
}

result<event> engine::add_event(organizer_id owner, std::string slug,
                                std::string name) {
  return core_->registry().add_event(owner, std::move(slug), std::move(name));
}

std::optional<action_type>
engine::find_action_type(std::string_view name) const {
  return core_->names().find_action_type(name);
}

std::vector<action_type> engine::action_types() const {
  return core_->names().action_types();
}

result<action_type> engine::add_action_type(std::string name) {
  return core_->registry().add_action_type(std::move(name));
}

result<action_type> engine::ensure_action_type(std::string_view name) {
  return core_->registry().ensure_action_type(name);
}

// -- webhooks -----------------------------------------------------------------

result<webhook> engine::add_webhook(organizer_id owner, const webhook& value) {
  return core_->registry().add_webhook(owner, value);
}

result<webhook>
engine::change_webhook(organizer_id owner, webhook_id id,
                       std::function<result<void>(webhook&)> edit) {
  return core_->registry().change_webhook(owner, id, std::move(edit));
}

result<webhook> engine::find_webhook(organizer_id owner, webhook_id id) {
  return core_->registry().find_webhook(owner, id);
}

result<std::vector<webhook>> engine::webhooks(organizer_id owner,
                                              const webhook_query& which) {
  return core_->registry().webhooks(owner, which);
}

result<std::size_t> engine::count_webhooks(organizer_id owner,
                                           std::optional<bool> enabled) {
  return core_->store().registry().count_webhooks(owner, enabled);
}

result<std::string> engine::reveal(const secret_text& text) const {
  return core_->vault().open(text);
}

result<secret_view> engine::find_secret(organizer_id owner, webhook_id hook) {
  return core_->registry().find_secret(owner, hook);
}

result<secret_view> engine::rotate_secret(organizer_id owner, webhook_id hook,
                                          secret_rotation how) {
  return core_->registry().rotate_secret(owner, hook, std::move(how));
}

result<filter_preview> engine::preview_filter(organizer_id owner,
                                              webhook_id hook,
                                              std::string_view filter) {
  return core_->inspection().preview_filter(owner, hook, filter);
}

// -- calls --------------------------------------------------------------------

result<std::vector<call>> engine::calls(organizer_id owner, webhook_id hook,
                                        const call_query& which) {
  return core_->inspection().calls(owner, hook, which);
}

result<call> engine::find_call(organizer_id owner, webhook_id hook,
                               call_id id) {
  return core_->inspection().find_call(owner, hook, id);
}

result<std::vector<retry>> engine::retries(organizer_id owner,
                                           webhook_id hook) {
  return core_->inspection().retries(owner, hook);
}

result<retry> engine::resend(organizer_id owner, webhook_id hook, call_id id) {
  return core_->orders().resend(owner, hook, id);
}

result<std::size_t> engine::expedite_retries(organizer_id owner,
                                             webhook_id hook) {
  return core_->orders().expedite_retries(owner, hook);
}

result<std::size_t>
engine::drop_retries(organizer_id owner, webhook_id hook,
                     std::optional<std::string_view> action_type) {
  return core_->orders().drop_retries(owner, hook, action_type);
}

void engine::test_webhook(organizer_id owner, webhook_id hook,
                          std::function<void(result<test_call>)> done) {
  core_->orders().test(owner, hook, std::move(done));
}

// -- replay -------------------------------------------------------------------

result<replay_preview> engine::preview_replay(organizer_id owner,
                                              webhook_id hook,
                                              const replay_request& asked) {
  return core_->inspection().preview_replay(owner, hook, asked);
}

result<replay_progress> engine::start_replay(organizer_id owner,
                                             webhook_id hook,
                                             const replay_request& asked) {
  return core_->orders().start_replay(owner, hook, asked);
}

result<replay_progress> engine::find_replay(organizer_id owner,
                                            webhook_id hook) {
  return core_->orders().find_replay(owner, hook);
}

result<void> engine::cancel_replay(organizer_id owner, webhook_id hook) {
  return core_->orders().cancel_replay(owner, hook);
}

// -- how it goes, and why -----------------------------------------------------

result<delivery_state> engine::inspect(organizer_id owner, webhook_id hook) {
  return core_->orders().inspect(owner, hook);
}

result<webhook_health> engine::health(organizer_id owner, webhook_id hook) {
  return core_->inspection().health(owner, hook);
}

result<call_statistics> engine::call_counts(organizer_id owner, webhook_id hook,
                                            const statistics_query& which) {
  if (hook == 0) // no webhook has that number; below it means all of them
    return error{ec::not_found, "There is no such webhook.", "id"};
  return core_->inspection().call_counts(owner, hook, which);
}

result<call_statistics> engine::call_counts(organizer_id owner,
                                            const statistics_query& which) {
  return core_->inspection().call_counts(owner, 0, which);
}

result<std::vector<explanation>>
engine::explain(const notification& what, const explanation_query& which) {
  return core_->inspection().explain(what, which);
}

result<explanation> engine::explain(const notification& what, webhook_id hook) {
  return core_->inspection().explain(what, hook);
}

// -- state --------------------------------------------------------------------

bool engine::ready() const {
  return core_->inspection().ready();
}

bool engine::responds(std::chrono::milliseconds patience) {
  return core_->responds(patience);
}

engine_status engine::status(organizer_id owner, std::size_t worst) const {
  return core_->status().look(owner, worst);
}

engine_statistics engine::statistics() const {
  return core_->inspection().statistics();
}

std::vector<metric> engine::metrics() const {
  return core_->metrics();
}

result<std::vector<metric>> engine::metrics(organizer_id owner) const {
  return core_->metrics(owner);
}

result<void> engine::change_options(const engine_options& wanted) {
  return core_->change_options(wanted);
}

void engine::wake() {
  core_->wake();
}

// -- backup -------------------------------------------------------------------

result<void> engine::back_up(backup_sink& to, const backup_options& options) {
  return core_->backups().make(to, options);
}

result<void> engine::back_up(const std::filesystem::path& target,
                             const backup_options& options) {
  return core_->backups().make(target, options);
}

} // namespace fanfare
