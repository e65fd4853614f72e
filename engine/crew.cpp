// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/crew.hpp"

#include "actors/supervisor.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

namespace fanfare {

namespace {

template <class Actor, class... Ts>
typename Actor::handle_type
start_on(caf::actor_system& system, const station& at, Ts&&... xs) {
  if (at.home != nullptr)
    return spawn_on<Actor>(*at.home, std::forward<Ts>(xs)...);
  return system.spawn<Actor>(std::forward<Ts>(xs)...);
}

} // namespace

crew::crew(crew_parts parts, crew_settings settings)
  : parts_(std::move(parts)),
    settings_(std::move(settings)),
    writer_(writer_config()),
    outage_(parts_.clock, parts_.log, [this] { router_.send(atom::wake_v); }),
    resting_(std::max<std::size_t>(1, settings_.max_working / 16),
             [this] { router_.send(atom::rested_v); }) {
  keep_for(settings_.retention, settings_.retention_interval);
}

crew::~crew() = default;

// -- start --------------------------------------------------------------------

batch_writer_config crew::writer_config() {
  batch_writer_config config;
  config.store = &parts_.store;
  config.observe = parts_.observe;
  config.publish = [this](committed_ptr news) {
    router_.send(atom::route_v, std::move(news));
  };
  config.routed_upto = &figures_.routed_upto;
  config.max_unrouted = settings_.max_unrouted;
  if (parts_.figures != nullptr)
    config.figures = &parts_.figures->commits;
  config.watch = &parts_.watch;
  config.tracing = parts_.tracing;
  return config;
}

void crew::start(caf::actor_system& system, std::vector<station> on,
                 journal_reader& reader) {
  system_ = &system;
  runs_ = storage::started_again(parts_.store.recovered().runs,
                                 parts_.clock.now());
  stations_ = std::move(on);
  for (const auto& at : stations_)
    contexts_.push_back(context_of(at, reader));
  start_committer(system);
  // The router and the supervisor know each other before either gets a message.
  start_router(system, reader);
  start_supervisor(system, reader);
}

std::future<result<void>> crew::begin() {
  auto done = begun_.how.get_future();
  router_.send(atom::begin_v);
  return done;
}

std::shared_ptr<const webhook_context>
crew::context_of(const station& at, journal_reader& reader) {
  auto made = std::make_shared<webhook_context>(settings_.webhooks);
  made->wire = at.wire;
  made->gate = at.gate;
  made->make_timer = at.make_timer;
  made->commits = &commits_;
  made->reader = &reader;
  made->clock = &parts_.clock;
  made->in_flight = &figures_.in_flight;
  made->draining = &draining_;
  made->log = parts_.log;
  made->give_order = [this](webhook_id to, webhook_order_ptr what) {
    router_.send(atom::order_v, to, std::move(what));
  };
  made->off = runs_.off;
  made->shared.outage = &outage_;
  made->shared.holds = &holds_;
  made->shared.resting = &resting_;
  made->shared.seen_certificates = &certificates_;
  if (at.figures != nullptr)
    made->shared.board = &at.figures->work;
  if (parts_.figures != nullptr)
    made->shared.tallies = &parts_.figures->webhooks;
  made->shared.watch = &parts_.watch;
  made->shared.tracing = parts_.tracing;
  return made;
}

void crew::start_committer(caf::actor_system& system) {
  committer_config config;
  config.writer = &writer_;
  config.queue = &commits_;
  config.log = parts_.log;
  config.linger = settings_.commit_linger;
  config.retry_pause = settings_.commit_retry_pause;
  committer_ = settings_.detached_committer
               ? system.spawn<fanfare::committer, caf::detached>(
                 std::move(config))
               : system.spawn<fanfare::committer>(std::move(config));
  commits_.attach(committer_);
}

void crew::start_router(caf::actor_system& system, journal_reader& reader) {
  router_config config;
  config.store = &parts_.store;
  config.commits = &commits_;
  config.clock = &parts_.clock;
  config.draining = &draining_;
  config.reader = &reader;
  config.log = parts_.log;
  config.start_webhook = [this, &system](std::shared_ptr<webhook_slot> slot,
                                         position read_upto) {
    const auto i = slot->id % stations_.size();
    const auto& at = stations_[i];
    if (at.start_webhook)
      return at.start_webhook(contexts_[i], std::move(slot), read_upto);
    return start_on<webhook_worker>(system, at, contexts_[i], std::move(slot),
                                    read_upto);
  };
  config.watch = [this](webhook_id id, const webhook_actor& actor) {
    caf::anon_send(supervisor_, atom::watch_v, id,
                   caf::actor_cast<caf::strong_actor_ptr>(actor));
  };
  config.window = settings_.webhooks.queue.window;
  config.idle_checkpoints = settings_.idle_checkpoints;
  config.max_working = settings_.max_working;
  config.kept_active = settings_.kept_active;
  config.resting = &resting_;
  config.runs = runs_;
  config.begun = [this](const error* failure) {
    tell_begun(failure != nullptr ? result<void>{*failure} : result<void>{});
  };
  config.routed_upto = &figures_.routed_upto;
  config.registered_webhooks = &figures_.registered_webhooks;
  config.active_webhooks = &figures_.active_webhooks;
  config.waiting = &figures_.waiting;
  config.operators = &parts_.watch;
  routes_ = start_on<fanfare::router>(system, stations_.front(),
                                      std::move(config));
  router_.connect(routes_);
}

void crew::start_supervisor(caf::actor_system& system, journal_reader& reader) {
  supervisor_config config;
  config.log = parts_.log;
  config.vital = {
    {"committer", caf::actor_cast<caf::strong_actor_ptr>(committer_)},
    {"router", caf::actor_cast<caf::strong_actor_ptr>(routes_)}};
  config.escalate = [this](const std::string& why) { escalate(why); };
  config.revive = [this](webhook_id id) { router_.send(atom::revive_v, id); };
  config.abandon = [this](webhook_id id) { router_.send(atom::abandon_v, id); };
  config.start_janitor = [this, &system, &reader] {
    janitor_config clean;
    clean.commits = &commits_;
    clean.reader = &reader;
    clean.clock = &parts_.clock;
    clean.log = parts_.log;
    clean.events = &parts_.watch.events;
    clean.kept = &kept_;
    return start_on<janitor>(system, stations_.front(), std::move(clean),
                             std::ref(*stations_.front().io));
  };
  supervisor_ = start_on<supervisor>(system, stations_.front(),
                                     std::move(config),
                                     std::ref(*stations_.front().io));
}

void crew::escalate(const std::string& why) {
  parts_.log(log_level::error, why);
  // What cannot be written or routed any more is refused, not kept waiting.
  drain();
  commits_.set_failing(true);
  commits_.close();
  // Whoever waits for a router that has died before would wait for ever.
  tell_begun(error{ec::internal, why});
  parts_.on_fatal(why);
}

void crew::tell_begun(result<void> how) {
  if (!begun_.told.test_and_set())
    begun_.how.set_value(std::move(how));
}

// -- end ----------------------------------------------------------------------

bool crew::save_checkpoint(std::chrono::milliseconds patience) {
  bool saved = false;
  caf::scoped_actor self{*system_};
  self->request(routes_, patience, atom::checkpoint_v)
    .receive([&saved] { saved = true; }, [](const caf::error&) {});
  return saved;
}

bool crew::flush(std::chrono::milliseconds patience) {
  auto done = std::make_shared<std::promise<bool>>();
  auto flushed = done->get_future();
  commits_.push({.what = storage::barrier{},
                 .done = [done](storage::operation&, const error* failure) {
                   done->set_value(failure == nullptr);
                 }});
  return flushed.wait_for(patience) == std::future_status::ready
      && flushed.get();
}

std::future<void> crew::call_committer() {
  auto called = std::make_shared<std::promise<void>>();
  auto out = called->get_future();
  commits_.push({.what = storage::barrier{},
                 .done = [called](storage::operation&, const error*) {
                   called->set_value();
                 }});
  return out;
}

void crew::end(const std::function<void()>& close_wires) {
  commits_.close();
  commits_.wait_for_others();
  // From the outside in: nobody is started again, no new work, then those who
  // do it.
  const auto dismiss = [](const auto& actor) {
    if (actor)
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  };
  dismiss(supervisor_);
  dismiss(routes_);
  close_wires();
  dismiss(committer_);
  commits_.attach({});
  router_.disconnect();
  committer_ = nullptr;
  routes_ = nullptr;
  supervisor_ = nullptr;
}

} // namespace fanfare
