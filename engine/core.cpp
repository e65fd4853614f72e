// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/core.hpp"

#include "engine/figures.hpp"

#include <random>
#include <utility>
#include <variant>

namespace fanfare {

namespace {

delivery_defaults defaults_from(const engine_options& given) {
  delivery_defaults d;
  if (!given.retries.schedule.empty())
    d.backoff.schedule = given.retries.schedule;
  d.backoff.max_age = given.retries.max_age;
  d.limits.dns = given.timeouts.dns;
  d.limits.connect = given.timeouts.connect;
  d.limits.tls = given.timeouts.tls;
  d.limits.first_byte = given.timeouts.first_byte;
  d.limits.total = given.timeouts.total;
  d.pace.cap = given.concurrency.max_in_flight;
  d.pace.breaker_failures = given.retries.breaker_failures;
  d.pace.breaker_pause = given.retries.breaker_pause;
  d.pace.breaker_longest = given.retries.breaker_longest;
  d.disable_after = given.retries.disable_after;
  return d;
}

crew_settings settings_of(const engine_options& options,
                          webhook_context webhooks) {
  crew_settings out;
  out.webhooks = std::move(webhooks);
  out.idle_checkpoints = options.store.idle_checkpoints;
  out.retention = options.store.retention;
  out.retention_interval = options.store.retention_interval;
  out.commit_linger = options.store.commit_linger;
  return out;
}

/// Of an organizer, that have figures of their own.
constexpr std::size_t most_webhooks_shown = 1'000;

} // namespace

engine_core::engine_core(checked_options options,
                         std::unique_ptr<storage::store> store)
  : options_(std::move(options)),
    store_(std::move(store)),
    program_(options_.given.log),
    counters_(options_.given.threads),
    changeable_{.fences = organizer_fences{options_.policy},
                .changing = {},
                .defaults = defaults_of(options_.given),
                .allow = options_.given.network.allow,
                .deny = options_.given.network.deny},
    watch_{
      .events = {options_.given.log, clock(),
                 [this](organizer_id id) { return names_.find_slug(id); }}},
    disk_(*store_, options_.given.data, watch_.events),
    feeds_(*store_, watch_, clock()),
    tracing_(tracing::make(options_, names_)),
    runtime_(options_, parts(), settings_of(options_.given, context()),
             {.save = [this] { registry_.save_token_uses(); },
              .look =
                [this] {
                  watch_.events.sum_up();
                  disk_.look();
                },
              .stopping = [this] { figures_.remove(); }}),
    changes_(runtime_.actors().commits(), runtime_.life()),
    announcer_(names_, watch_.events, runtime_.actors().router()),
    publisher_({.life = runtime_.life(),
                .names = names_,
                .clock = clock(),
                .program = program_,
                .commits = runtime_.actors().commits(),
                .writer = runtime_.actors().writer(),
                .counters = counters_,
                .patience = options_.given.publish_patience}),
    registry_({.store = *store_,
               .names = names_,
               .vault = options_.vault,
               .clock = clock(),
               .commits = runtime_.actors().commits(),
               .edits = changes_,
               .news = announcer_,
               .watch = watch_,
               .rules = rules_of(options_.given)}),
    orders_({.life = runtime_.life(),
             .store = *store_,
             .names = names_,
             .clock = clock(),
             .program = program_,
             .commits = runtime_.actors().commits(),
             .edits = changes_,
             .router = runtime_.actors().router()}),
    inspection_({.life = runtime_.life(),
                 .store = *store_,
                 .names = names_,
                 .vault = options_.vault,
                 .clock = clock(),
                 .actors = runtime_.actors(),
                 .asks = orders_}),
    overview_({.store = *store_,
               .names = names_,
               .clock = clock(),
               .actors = runtime_.actors(),
               .state = inspection_,
               .disk = disk_,
               .watch = watch_,
               .commits = counters_.figures().commits,
               .asks = orders_}),
    backups_(*store_, runtime_.life(), watch_.events) {}

engine_core::~engine_core() {
  stop({});
}

void engine_core::wake() {
  runtime_.actors().router().send(atom::wake_v);
}

std::vector<metric> engine_core::metrics() const {
  return figures_of({.counted = counters_,
                     .crew = runtime_.actors().figures(),
                     .stored = store_->statistics(),
                     .now = clock().now(),
                     .ready = inspection_.ready(),
                     .traced = tracing_ ? &tracing_->counts() : nullptr});
}

result<std::vector<metric>> engine_core::metrics(organizer_id owner) const {
  const auto slug = names_.find_slug(owner);
  if (slug.empty())
    return error{ec::not_found, "There is no such organizer.", "organizer"};
  const auto count = store_->registry().count_webhooks(owner, std::nullopt);
  if (!count)
    return count.error();
  const auto hooks = store_->registry().webhooks(owner, std::nullopt, 0,
                                                 most_webhooks_shown);
  if (!hooks)
    return hooks.error();
  return figures_of(slug, *hooks, *count, counters_.figures().webhooks);
}

crew_parts engine_core::parts() {
  return {.store = *store_,
          .clock = clock(),
          .log = options_.given.log,
          .observe = [this](const storage::operation& op) { observe(op); },
          .watch = watch_,
          .on_fatal = options_.given.on_fatal,
          .figures = &counters_.figures(),
          .tracing = tracing_ ? &tracing_->spans() : nullptr};
}

std::shared_ptr<const delivery_defaults>
engine_core::defaults_of(const engine_options& given) {
  auto made = std::make_shared<delivery_defaults>(defaults_from(given));
  made->vault = &options_.vault;
  made->proxies_resolve = options_.given.network.proxy_resolves;
  made->fence_of = [this](organizer_id id) {
    return changeable_.fences.of(id);
  };
  return made;
}

webhook_rules engine_core::rules_of(const engine_options& given) const {
  return {.total_timeout = given.timeouts.total,
          .local_names = !given.network.allow.empty(),
          .proxies_resolve = options_.given.network.proxy_resolves};
}

result<void> engine_core::change_options(const engine_options& wanted) {
  const std::lock_guard guard{changeable_.changing};
  auto policy = check_changeable(wanted);
  if (!policy)
    return policy.error();
  changeable_.defaults = defaults_of(wanted);
  registry_.change_rules(rules_of(wanted));
  runtime_.actors().keep_for(wanted.store.retention,
                             wanted.store.retention_interval);
  // Last, as both tell webhooks to look at all of it. Connections are not
  // reused after a change of networks.
  if (wanted.network.allow != changeable_.allow
      || wanted.network.deny != changeable_.deny) {
    changeable_.allow = wanted.network.allow;
    changeable_.deny = wanted.network.deny;
    changeable_.fences.replace_common(std::move(*policy));
  } else {
    changeable_.fences.note_change();
  }
  wake();
  return {};
}

webhook_context engine_core::context() {
  webhook_context made;
  made.defaults = *changeable_.defaults.load();
  made.newest_defaults = [this] { return changeable_.defaults.load(); };
  made.queue.window = options_.given.concurrency.window;
  made.seed = std::random_device{}();
  made.fences = &changeable_.fences.changes();
  made.notify_owner = [this](const webhook_record& hook,
                             std::string_view action,
                             const std::string& members) {
    announcer_.announce(hook, action, members);
  };
  return made;
}

void engine_core::observe(const storage::operation& op) {
  names_.observe(op);
  counters_.observe(op);
  feeds_.observe(op);
  if (const auto* publish = std::get_if<storage::append_notifications>(&op);
      publish != nullptr && !publish->done
      && publish->done.error().code == ec::store_full)
    disk_.note_refusal();
  if (const auto* call = std::get_if<storage::append_call>(&op))
    for (const auto& observer : options_.given.call_observers)
      program_.run("A call observer", [&] { observer(call->entry); });
  if (const auto* changed = std::get_if<storage::change_organizer>(&op);
      changed != nullptr && changed->done)
    (void)changeable_.fences.update(
      *changed->done); // was checked before it was stored
}

result<void> engine_core::begin(const engine* who) {
  if (auto added = add_first_types(*store_, options_.given.builtin_types);
      !added)
    return added;
  if (auto finished = finish_removals(*store_, clock().now()); !finished)
    return finished;
  if (auto loaded = names_.load(store_->registry()); !loaded)
    return loaded;
  for (const auto& o : names_.organizers())
    if (auto fenced = changeable_.fences.update(o); !fenced)
      return fenced;
  if (auto readable = check_secrets(*store_, options_.vault); !readable)
    return readable;
  if (!options_.vault.encrypts())
    options_.given.log(
      log_level::warning,
      "signing secrets are kept unencrypted in the data directory: set "
      "secrets.key_file (--secret-key-file) or secrets.keys "
      "(FANFARE_SECRET_KEY)");
  if (auto started = runtime_.start(); !started)
    return started;
  disk_.look();
  return figures_.add(options_.given.metrics, who,
                      [this] { return metrics(); });
}

} // namespace fanfare
