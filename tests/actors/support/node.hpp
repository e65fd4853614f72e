// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The actors of an engine as the engine wires them, on a store in memory, with
/// the scheduler, clock, wire and reads of a test.

#include "engine/crew.hpp"
#include "tests/actors/support/fake_clock.hpp"
#include "tests/actors/support/fake_reader.hpp"
#include "tests/actors/support/fake_wire.hpp"
#include "tests/actors/support/test_system.hpp"
#include "tests/support/memory_store/store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

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
  explicit node(fake_clock& time, disk from = {},
                const node_options& options = {})
    : clock(time),
      store(std::move(from)),
      gate(admission::make(io, options.limits)),
      crew(parts(), settings(options)) {
    crew.start(sys.system, {at()}, reader);
  }

  ~node() {
    shut_down();
    // It has a timer of `io`.
    gate.reset();
  }

  /// Ends all actors.
  void shut_down() {
    if (!crew.started())
      return;
    store.on_commit = nullptr;
    crew.end([this] {
      sys.sched.run();
      gate->close();
      reader.drop_all();
      wire.close();
      sys.sched.run();
      reader.drop_all(); // they refer to who asked
    });
    sys.sched.run();
    workers.clear();
    crew.leave_stations();
    io.poll(); // what waited for a timer
    sys.sched.run();
  }

  // -- moving on --------------------------------------------------------------

  /// Has the router begin; nothing runs yet.
  void begin_later() {
    begun_ = crew.begin();
  }
  void begin() {
    begin_later();
    run();
  }
  /// Whether the router routes.
  [[nodiscard]] bool begun() {
    return begun_.valid() && begun_.wait_for(0s) == std::future_status::ready;
  }

  /// How the router has begun, once.
  [[nodiscard]] result<void> beginning() {
    return begun_.get();
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
    crew.router().send(atom::checkpoint_v);
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
  bool hold_reads = false;
  bool fail_starts = false;      ///< webhooks' actors cannot be started
  std::function<void()> on_told; ///< called with each entry of `told`
  std::size_t starts = 0;
  std::vector<std::string> log;
  std::map<webhook_id, std::shared_ptr<webhook_slot>> slots;
  boost::asio::io_context io; ///< nothing waits for it to run
  std::shared_ptr<admission> gate;
  fanfare::crew crew;
  commit_queue& queue = crew.commits();
  batch_writer* writer = &crew.writer();
  const std::atomic<position>& routed_upto = crew.figures().routed_upto;
  const std::atomic<std::size_t>& active_webhooks = crew.figures()
                                                      .active_webhooks;
  const std::atomic<std::size_t>& in_flight = crew.figures().in_flight;
  test_system sys;
  std::map<webhook_id, webhook_actor> workers;

private:
  crew_parts parts() {
    return {.store = store,
            .clock = clock,
            .log = [this](log_level,
                          const std::string& text) { log.push_back(text); },
            .observe = [](const storage::operation&) {},
            .on_fatal = [](const std::string&) {}};
  }

  crew_settings settings(const node_options& options) {
    crew_settings out;
    auto& all = out.webhooks;
    all.defaults.backoff = options.backoff;
    all.defaults.pace = options.pace;
    all.defaults.pace.cap = options.max_in_flight;
    all.defaults.vault = &vault;
    all.disable_after = options.disable_after;
    all.notify_owner = [this](const webhook_record& hook,
                              std::string_view action, std::string members) {
      told.push_back({hook.id, std::string{action}, std::move(members)});
      if (on_told)
        on_told();
    };
    all.queue.window = options.window;
    all.queue.max_ahead = options.max_ahead;
    all.queue.max_fetch = options.max_fetch;
    all.seed = options.seed;
    out.idle_checkpoints = options.idle_checkpoints;
    out.max_unrouted = options.max_unrouted;
    out.commit_linger = 0us;
    out.commit_retry_pause = 0ms;
    out.detached_committer = false;
    return out;
  }

  station at() {
    return {.io = &io,
            .wire = &wire,
            .gate = gate,
            .make_timer =
              [this](const webhook_actor& who) { return timers.make(who); },
            .start_webhook =
              [this](std::shared_ptr<const webhook_context> context,
                     std::shared_ptr<webhook_slot> slot, position read_upto) {
                ++starts;
                if (fail_starts)
                  throw std::runtime_error{"out of something"};
                const auto id = slot->id;
                slots[id] = slot;
                auto made = sys.system.spawn<webhook_worker>(
                  std::move(context), std::move(slot), read_upto);
                workers[id] = made;
                return made;
              }};
  }

  std::future<result<void>> begun_;
};

} // namespace fanfare::test
