// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the tests of actors share: CAF's test scheduler, so that nothing runs
/// but when the test says so; a clock that the test moves; a wire that records
/// what is sent and answers as scripted; and a node made of these, the
/// real actors and a store in memory.

#include "actors/admission.hpp"
#include "actors/batch_writer.hpp"
#include "actors/commit_queue.hpp"
#include "actors/committer.hpp"
#include "actors/router.hpp"
#include "actors/webhook/webhook.hpp"
#include "protocol/target/target.hpp"
#include "tests/support/memory_store/store.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace fanfare {

inline void PrintTo(const outcome& o, std::ostream* out) {
  *out << static_cast<int>(o);
}

} // namespace fanfare

namespace fanfare::test {

using namespace std::chrono_literals;

class fake_clock final : public wall_clock {
public:
  [[nodiscard]] timestamp now() const override {
    now_ += tick;
    return now_;
  }
  void set(timestamp to) {
    now_ = to;
  }

  std::chrono::milliseconds tick{0}; ///< passes with each look

private:
  mutable timestamp now_{std::chrono::milliseconds{1'000'000'000}};
};

/// All wake timers of a test.
class fake_timers {
public:
  std::unique_ptr<wake_timer> make(const webhook_actor& who) {
    return std::make_unique<timer>(*this, who.address());
  }

  [[nodiscard]] std::optional<timestamp> next() const {
    return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
  }

  /// Wakes whoever is due at `now`.
  void fire(timestamp now) {
    while (!due_.empty() && due_.begin()->first <= now) {
      auto* t = due_.begin()->second;
      due_.erase(due_.begin());
      t->armed = false;
      if (auto who = caf::actor_cast<webhook_actor>(t->who))
        caf::anon_send(who, atom::wake_v);
    }
  }

  [[nodiscard]] std::size_t size() const {
    return due_.size();
  }

private:
  struct timer final : wake_timer {
    timer(fake_timers& o, caf::actor_addr w) : owner(o), who(std::move(w)) {}
    ~timer() override {
      disarm();
    }
    void set(timestamp due) override {
      disarm();
      place = owner.due_.emplace(due, this);
      armed = true;
    }
    void cancel() override {
      disarm();
    }
    void disarm() {
      if (std::exchange(armed, false))
        owner.due_.erase(place);
    }
    fake_timers& owner;
    caf::actor_addr who;
    std::multimap<timestamp, timer*>::iterator place;
    bool armed = false;
  };

  std::multimap<timestamp, timer*> due_;
};

inline protocol::exchange_result status(std::uint16_t code) {
  protocol::exchange_result r;
  r.status = code;
  return r;
}

/// Records what is sent. Answers by `script`, or leaves it open for `answer`.
class fake_wire final : public protocol::transport {
public:
  struct exchange {
    std::string url;
    notification_ptr what;
    protocol::exchange_limits limits;
    std::string head; ///< the request line and all headers so far
    timestamp when;
    protocol::exchange_completion done; ///< null once answered
  };

  explicit fake_wire(const wall_clock& clock) : clock_(clock) {}

  void send(protocol::exchange_request request,
            protocol::exchange_completion done) override {
    sent.push_back({.url = request.to->masked_url(),
                    .what = request.what,
                    .limits = request.limits,
                    .head = request.to->head() + request.extra_head,
                    .when = clock_.now(),
                    .done = std::move(done)});
    open.push_back(sent.size() - 1);
    if (on_send)
      on_send(sent.back());
  }

  void answer(std::size_t i, protocol::exchange_result r) {
    std::erase(open, i);
    if (auto done = std::exchange(sent[i].done, nullptr))
      done(std::move(r));
  }

  /// Answers what the script has an answer for. True if there was any.
  bool run_script() {
    if (!script)
      return false;
    bool any = false;
    for (auto i : std::vector<std::size_t>{open.begin(), open.end()})
      if (auto r = script(sent[i])) {
        answer(i, std::move(*r));
        any = true;
      }
    return any;
  }

  void close() {
    script = [](const exchange&) { return std::optional{status(0)}; };
    run_script();
  }

  [[nodiscard]] std::vector<position> ids() const {
    std::vector<position> all;
    for (const auto& e : sent)
      all.push_back(e.what->id);
    return all;
  }

  std::deque<exchange> sent;
  std::deque<std::size_t> open;
  /// None: the receiver hangs.
  std::function<std::optional<protocol::exchange_result>(const exchange&)>
    script;
  std::function<void(const exchange&)> on_send;

private:
  const wall_clock& clock_;
};

/// Reads from a store when told to.
class fake_reader final : public journal_reader {
public:
  explicit fake_reader(const storage::store& from) : store_(from) {}

  void read_backlog(webhook_actor who, webhook_id hook, position after,
                    position upto, std::size_t limit) override {
    ++backlog_reads;
    largest_limit = std::max(largest_limit, limit);
    add([this, who, hook, after, upto, limit] {
      auto answer = std::make_shared<backlog_chunk>();
      if (failing)
        answer->read = error{ec::io_error, "the disk is broken"};
      else if (auto found = store_.registry().find_webhook(hook); !found)
        answer->read = found.error();
      else
        answer->read = store_.journal().read_backlog(*found, after, upto, limit,
                                                     max_scan);
      return [who, answer = backlog_chunk_ptr{std::move(answer)}] {
        caf::anon_send(who, atom::refilled_v, answer);
      };
    });
  }

  void fetch(webhook_actor who, std::vector<position> which) override {
    largest_fetch = std::max(largest_fetch, which.size());
    add([this, who, which] {
      auto answer = std::make_shared<fetched_retries>();
      std::vector<notification_ptr> found;
      for (auto p : which) {
        auto n = store_.journal().find(p);
        found.push_back(n ? *n : nullptr);
      }
      if (failing)
        answer->notifications = error{ec::io_error, "the disk is broken"};
      else
        answer->notifications = std::move(found);
      return [who, answer = fetched_retries_ptr{std::move(answer)}] {
        caf::anon_send(who, atom::fetched_v, answer);
      };
    });
  }

  void select(webhook_actor who, webhook_id hook, replay wanted) override {
    add([this, who, hook, wanted] {
      auto answer = std::make_shared<result<storage::selection>>(error{});
      if (failing)
        *answer = error{ec::io_error, "the disk is broken"};
      else if (auto found = store_.registry().find_webhook(hook); !found)
        *answer = found.error();
      else
        *answer = store_.deliveries().select(*found, wanted);
      return [who, answer = selection_ptr{std::move(answer)}] {
        caf::anon_send(who, atom::selected_v, answer);
      };
    });
  }

  void read_journal(router_actor who, position after, position upto,
                    std::size_t limit) override {
    add([this, who, after, upto, limit] {
      auto answer = std::make_shared<journal_chunk>();
      answer->notifications = store_.journal().read(
        after, upto, std::min(limit, journal_limit));
      return [who, answer = journal_chunk_ptr{std::move(answer)}] {
        caf::anon_send(who, atom::chunk_v, answer);
      };
    });
  }

  void plan_expiry(janitor_actor, timestamp, std::size_t, timestamp) override {}

  /// Does one step of what was asked for: the reading, or the answering.
  bool step(std::size_t which = 0) {
    if (tasks_.empty())
      return false;
    const auto i = tasks_.begin()
                 + static_cast<std::ptrdiff_t>(which % tasks_.size());
    if (i->answer) {
      auto answer = std::move(i->answer);
      tasks_.erase(i);
      answer();
    } else {
      i->answer = i->read();
    }
    return true;
  }

  void drop_all() {
    tasks_.clear();
  }
  [[nodiscard]] std::size_t waiting() const {
    return tasks_.size();
  }

  bool failing = false;
  std::size_t backlog_reads = 0;
  std::size_t largest_limit = 0;
  std::size_t largest_fetch = 0;
  std::size_t max_scan = 1'000;
  std::size_t journal_limit = 1'000;

private:
  struct task {
    std::function<std::function<void()>()> read;
    std::function<void()> answer;
  };

  void add(std::function<std::function<void()>()> read) {
    tasks_.push_back({std::move(read), nullptr});
  }

  const storage::store& store_;
  std::deque<task> tasks_;
};

struct test_system_config : caf::actor_system_config {
  test_system_config() {
    set("scheduler.policy", caf::atom("testing"));
  }
};

/// An actor system whose actors run when the test says so.
struct test_system {
  test_system_config config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator&
    sched = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());

  test_system() {
    sched.clock().current_time += std::chrono::hours(1);
  }
};

struct node_options {
  std::size_t window = 256;
  std::size_t max_in_flight = 8;
  std::size_t max_ahead = 4'096;
  std::size_t max_fetch = 32;
  std::size_t idle_checkpoints = 15;
  std::size_t max_unrouted = 20'000;
  admission_limits limits = {};
  backoff_policy backoff = {};
  pace_policy pace = {.breaker_failures = 0}; ///< most tests fail on purpose
  std::chrono::milliseconds disable_after = std::chrono::days{5};
  std::uint64_t seed = 1;
};

/// A node without threads, sockets and time of its own.
class node {
public:
  explicit node(fake_clock& time, disk from = {}, node_options options = {})
    : options_(options),
      clock(time),
      store(std::move(from)) {
    auto context = std::make_shared<webhook_context>();
    context->defaults.backoff = options.backoff;
    context->defaults.pace = options.pace;
    context->defaults.pace.cap = options.max_in_flight;
    context->defaults.vault = &vault;
    context->disable_after = options.disable_after;
    context->notify_owner = [this](const webhook_record& hook,
                                   std::string_view action,
                                   std::string members) {
      told.push_back({hook.id, std::string{action}, std::move(members)});
    };
    context->window = options.window;
    context->max_ahead = options.max_ahead;
    context->max_fetch = options.max_fetch;
    context->wire = &wire;
    context->gate = gate;
    context->make_timer = [this](const webhook_actor& who) {
      return timers.make(who);
    };
    context->commits = &queue;
    context->reader = &reader;
    context->clock = &clock;
    context->in_flight = &in_flight;
    context->draining = &draining;
    context->seed = options.seed;
    context_ = context;

    batch_writer_config write;
    write.store = &store;
    write.observe = [](const storage::operation&) {};
    write.publish = [this](committed_ptr news) {
      caf::anon_send(router_handle, atom::route_v, std::move(news));
    };
    write.routed_upto = &routed_upto;
    write.max_unrouted = options.max_unrouted;
    writer.emplace(std::move(write));

    committer_config commit;
    commit.writer = &*writer;
    commit.queue = &queue;
    commit.log = [this](log_level, const std::string& t) { log.push_back(t); };
    commit.linger = 0us;
    commit.retry_pause = 0ms;
    committer_handle = sys.system.spawn<committer>(std::move(commit));
    queue.attach(committer_handle);

    router_config route;
    route.store = &store;
    route.commits = &queue;
    route.clock = &clock;
    route.draining = &draining;
    route.reader = &reader;
    route.log = [this](log_level, const std::string& t) { log.push_back(t); };
    route.start_webhook = [this](std::shared_ptr<webhook_slot> slot,
                                 position read_upto) {
      ++starts;
      const auto id = slot->id;
      slots[id] = slot;
      auto made = sys.system.spawn<webhook_worker>(
        std::shared_ptr<const webhook_context>{context_}, std::move(slot),
        read_upto);
      workers[id] = made;
      return made;
    };
    route.watch = [](webhook_id, const webhook_actor&) {};
    route.window = options.window;
    route.idle_checkpoints = options.idle_checkpoints;
    route.begun = [this](const error* failure) { begun = failure == nullptr; };
    route.routed_upto = &routed_upto;
    route.active_webhooks = &active_webhooks;
    router_handle = sys.system.spawn<router>(std::move(route));
  }

  ~node() {
    shut_down();
    // The gate has a timer of `io`.
    context_.reset();
    gate.reset();
  }

  /// Ends all actors. The store keeps what they commit meanwhile.
  void shut_down() {
    if (!router_handle)
      return;
    store.on_commit = nullptr;
    caf::anon_send_exit(router_handle, caf::exit_reason::user_shutdown);
    for (auto& [id, w] : workers)
      caf::anon_send_exit(w, caf::exit_reason::user_shutdown);
    gate->close();
    reader.drop_all();
    sys.sched.run();
    wire.close();
    sys.sched.run();
    reader.drop_all(); // they refer to who asked
    workers.clear();
    caf::anon_send_exit(committer_handle, caf::exit_reason::user_shutdown);
    sys.sched.run();
    queue.attach({});
    committer_handle = nullptr;
    router_handle = nullptr;
    sys.sched.run();
  }

  // -- moving on --------------------------------------------------------------

  void begin() {
    caf::anon_send(router_handle, atom::begin_v);
    run();
  }

  /// Everything that can happen without time passing.
  void run() {
    bool more = true;
    while (more) {
      more = sys.sched.run() > 0;
      if (!hold_reads)
        while (reader.step())
          more = true;
      more = wire.run_script() || more;
    }
  }

  /// Moves the clock, stopping where a timer is due.
  void advance(std::chrono::milliseconds by) {
    const auto until = clock.now() + by;
    run();
    for (auto next = timers.next(); next && *next <= until;
         next = timers.next()) {
      clock.set(std::max(*next, clock.now()));
      timers.fire(clock.now());
      run();
    }
    clock.set(until);
    run();
  }

  void checkpoint() {
    caf::anon_send(router_handle, atom::checkpoint_v);
    run();
  }

  // -- what users do ----------------------------------------------------------

  webhook_id add_webhook(webhook_record value) {
    if (value.versions.empty())
      value.versions.push_back({.from = 0, .value = {.types = {1}}});
    webhook_id added = 0;
    queue.push({.what = storage::add_webhook{.value = std::move(value)},
                .done = [&added](storage::operation& op, const error*) {
                  added = std::get<storage::add_webhook>(op).done->id;
                }});
    run();
    return added;
  }

  webhook_id add_webhook(std::string url = "http://a.example/") {
    webhook_record w;
    w.owner = 1;
    w.target_url = std::move(url);
    return add_webhook(std::move(w));
  }

  void edit_later(webhook_id id, std::function<void(webhook_record&)> edit) {
    queue.push(
      {.what = storage::change_webhook{.owner = 0,
                                       .id = id,
                                       .edit =
                                         [edit = std::move(edit)](
                                           webhook_record& w) -> result<void> {
                                         edit(w);
                                         return {};
                                       }},
       .done = {}});
  }

  void edit(webhook_id id, std::function<void(webhook_record&)> edit) {
    edit_later(id, std::move(edit));
    run();
  }

  void publish_later(action_type_id type = 1, organizer_id owner = 1,
                     event_id about = 0, std::string rest = "}",
                     std::string trace = {}) {
    storage::append_notifications append;
    append.published = clock.now();
    append.drafts.push_back({.owner = owner,
                             .event = about,
                             .new_event = {},
                             .type = type,
                             .action = "a.b.c",
                             .rest = std::move(rest),
                             .trace = std::move(trace)});
    publish_request request{
      .append = std::move(append), .done = {}, .bytes = 100};
    ASSERT_TRUE(queue.try_push(request, patience::none));
  }

  /// Publishes; returns the last position.
  position publish(std::size_t count = 1, action_type_id type = 1,
                   organizer_id owner = 1, event_id about = 0) {
    for (std::size_t i = 0; i < count; ++i)
      publish_later(type, owner, about);
    run();
    return store.journal().tail();
  }

  /// Publishes one with these further members of its body; its position.
  position publish_with(const std::string& members, std::string trace = {}) {
    publish_later(1, 1, 0, ", " + members + "}", std::move(trace));
    run();
    return store.journal().tail();
  }

  // -- what is seen -----------------------------------------------------------

  [[nodiscard]] std::vector<call> calls(webhook_id of) const {
    auto newest_first = *store.call_log().newest(of, 0, 1'000'000);
    std::ranges::reverse(newest_first);
    return newest_first;
  }

  [[nodiscard]] std::vector<retry> retries(webhook_id of) const {
    return *store.deliveries().retries(of);
  }

private:
  node_options options_;
  std::shared_ptr<const webhook_context> context_;

public:
  struct told_entry {
    webhook_id hook;
    std::string action;
    std::string members;
  };
  /// What the engine would publish about its webhooks.
  std::vector<told_entry> told;
  protocol::vault vault;
  fake_clock& clock;
  memory_store store;
  fake_timers timers;
  fake_wire wire{clock};
  fake_reader reader{store};
  commit_queue queue;
  std::optional<batch_writer> writer;
  boost::asio::io_context io;
  std::atomic<position> routed_upto{0};
  std::atomic<std::size_t> active_webhooks{0};
  std::atomic<std::size_t> in_flight{0};
  std::atomic<bool> draining{false};
  bool begun = false;
  bool hold_reads = false;
  std::size_t starts = 0;
  std::vector<std::string> log;
  std::map<webhook_id, std::shared_ptr<webhook_slot>> slots;
  test_system sys;
  std::map<webhook_id, webhook_actor> workers;
  committer_actor committer_handle;
  router_actor router_handle;
  std::shared_ptr<admission> gate = admission::make(io, options_.limits);
};

/// A node with a receiver that answers 200 unless told otherwise.
class NodeTest : public ::testing::Test {
protected:
  NodeTest() {
    restart({}, {});
  }

  void restart(disk from, node_options options) {
    node_.reset();
    node_ = std::make_unique<node>(clock_, std::move(from), options);
    node_->wire.script = [this](const fake_wire::exchange&) {
      return std::optional{status(code_)};
    };
    node_->begin();
  }

  void start(node_options options) {
    restart({}, options);
  }

  /// The process dies and comes back with what is on disk.
  void restart(node_options options = {}) {
    auto left = node_->store.contents();
    restart(std::move(left), options);
  }

  void hang() {
    node_->wire.script = nullptr;
  }

  fake_clock clock_;
  std::uint16_t code_ = 200;
  std::unique_ptr<node> node_;
};

} // namespace fanfare::test
