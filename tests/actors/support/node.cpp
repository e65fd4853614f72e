// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/actors/support/node.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::test {

node::node(fake_clock& time, disk from, const node_options& options)
  : clock(time),
    store(std::move(from)),
    gate(admission::make(io, options.limits)),
    crew(parts(options), settings(options)) {
  crew.start(sys.system, {at()}, reader);
}

node::~node() {
  shut_down();
  // It has a timer of `io`.
  gate.reset();
}

void node::shut_down() {
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

// -- moving on ----------------------------------------------------------------

void node::begin_later() {
  begun_ = crew.begin();
}

void node::begin() {
  begin_later();
  run();
}

bool node::begun() {
  return begun_.valid() && begun_.wait_for(0s) == std::future_status::ready;
}

result<void> node::beginning() {
  return begun_.get();
}

void node::run() {
  bool more = true;
  while (more) {
    more = sys.sched.run() > 0;
    if (!hold_reads)
      while (reader.step())
        more = true;
    more = wire.run_script() || more;
  }
}

void node::advance(std::chrono::milliseconds by) {
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

void node::checkpoint() {
  crew.router().send(atom::checkpoint_v);
  run();
}

// -- what users do ------------------------------------------------------------

webhook_id node::add_webhook(webhook_record value) {
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

webhook_id node::add_webhook(std::string url) {
  webhook_record w;
  w.owner = 1;
  w.target_url = std::move(url);
  return add_webhook(std::move(w));
}

void node::edit_later(webhook_id id,
                      std::function<void(webhook_record&)> edit) {
  queue.push({.what = storage::change_webhook{.owner = 0,
                                              .id = id,
                                              .edit = [edit = std::move(edit)](
                                                        webhook_record& w)
                                                -> result<void> {
                                                edit(w);
                                                return {};
                                              }},
              .done = {}});
}

void node::edit(webhook_id id, std::function<void(webhook_record&)> edit) {
  edit_later(id, std::move(edit));
  run();
}

void node::publish_later(action_type_id type, organizer_id owner,
                         event_id about, std::string rest, std::string trace) {
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

position node::publish(std::size_t count, action_type_id type,
                       organizer_id owner, event_id about) {
  for (std::size_t i = 0; i < count; ++i)
    publish_later(type, owner, about);
  run();
  return store.journal().tail();
}

position node::publish_with(const std::string& members, std::string trace) {
  publish_later(1, 1, 0, ", " + members + "}", std::move(trace));
  run();
  return store.journal().tail();
}

// -- what is seen -------------------------------------------------------------

std::vector<call> node::calls(webhook_id of) const {
  auto newest_first = *store.call_log().newest(of, 0, 1'000'000);
  std::ranges::reverse(newest_first);
  return newest_first;
}

std::vector<retry> node::retries(webhook_id of) const {
  return *store.deliveries().retries(of);
}

// -- how it is made -----------------------------------------------------------

crew_parts node::parts(const node_options& options) {
  return {
    .store = store,
    .clock = clock,
    .log = [this](log_level, const std::string& text) { log.push_back(text); },
    .observe = [](const storage::operation&) {},
    .watch = watch,
    .on_fatal = [](const std::string&) {},
    .tracing = options.tracing};
}

crew_settings node::settings(const node_options& options) {
  crew_settings out;
  auto& all = out.webhooks;
  all.defaults.backoff = options.backoff;
  all.defaults.pace = options.pace;
  all.defaults.pace.cap = options.max_in_flight;
  all.defaults.vault = &vault;
  all.defaults.disable_after = options.disable_after;
  all.notify_owner = [this](const webhook_record& hook, std::string_view action,
                            std::string members) {
    told.push_back({hook.id, std::string{action}, std::move(members)});
    if (on_told)
      on_told();
  };
  all.queue.window = options.window;
  all.queue.max_ahead = options.max_ahead;
  all.queue.max_fetch = options.max_fetch;
  all.seed = options.seed;
  out.idle_checkpoints = options.idle_checkpoints;
  out.max_working = options.max_working;
  out.kept_active = options.kept_active;
  out.max_unrouted = options.max_unrouted;
  out.commit_linger = 0us;
  out.commit_retry_pause = 0ms;
  out.detached_committer = false;
  return out;
}

station node::at() {
  return {
    .io = &io,
    .wire = &wire,
    .gate = gate,
    .make_timer = [this](const webhook_actor& who) { return timers.make(who); },
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

} // namespace fanfare::test
