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
  std::size_t max_working = 4'096;
  std::size_t kept_active = 0;
  std::size_t idle_checkpoints = 15;
  std::size_t max_unrouted = 20'000;
  admission_limits limits = {};
  backoff_policy backoff = {};
  pace_policy pace = {.breaker_failures = 0}; ///< most tests fail on purpose
  std::chrono::milliseconds disable_after = std::chrono::days{5};
  std::uint64_t seed = 1;
  tracer* tracing = nullptr;
};

/// A node without threads, sockets and time of its own.
class node {
public:
  explicit node(fake_clock& time, disk from = {},
                const node_options& options = {});
  node(const node&) = delete;
  node& operator=(const node&) = delete;
  ~node();

  /// Ends all actors.
  void shut_down();

  // -- moving on --------------------------------------------------------------

  /// Has the router begin; nothing runs yet.
  void begin_later();
  void begin();
  /// Whether the router routes.
  [[nodiscard]] bool begun();
  /// How the router has begun, once.
  [[nodiscard]] result<void> beginning();

  /// Everything that can happen without time passing.
  void run();
  /// Moves the clock, stopping where a timer is due.
  void advance(std::chrono::milliseconds by);
  void checkpoint();

  // -- what users do ----------------------------------------------------------

  webhook_id add_webhook(webhook_record value);
  webhook_id add_webhook(std::string url = "http://a.example/");
  void edit_later(webhook_id id, std::function<void(webhook_record&)> edit);
  void edit(webhook_id id, std::function<void(webhook_record&)> edit);

  void publish_later(action_type_id type = 1, organizer_id owner = 1,
                     event_id about = 0, std::string rest = "}",
                     std::string trace = {});
  /// Publishes; returns the last position.
  position publish(std::size_t count = 1, action_type_id type = 1,
                   organizer_id owner = 1, event_id about = 0);
  /// Publishes one with these further members of its body; its position.
  position publish_with(const std::string& members, std::string trace = {});

  // -- what is seen -----------------------------------------------------------

  [[nodiscard]] std::vector<call> calls(webhook_id of) const;
  [[nodiscard]] std::vector<retry> retries(webhook_id of) const;

  struct told_entry {
    webhook_id hook;
    std::string action;
    std::string members;
  };
  /// What the engine would publish about its webhooks.
  std::vector<told_entry> told;
  protocol::vault vault;
  fake_clock& clock;
  std::vector<std::string> log;
  operator_watch watch{
    .events = {
      [this](log_level, const std::string& text) { log.push_back(text); },
      clock,
      [](organizer_id id) { return "organizer " + std::to_string(id); }}};
  memory_store store;
  fake_timers timers;
  fake_wire wire{clock};
  fake_reader reader{store};
  bool hold_reads = false;
  bool fail_starts = false;      ///< webhooks' actors cannot be started
  std::function<void()> on_told; ///< called with each entry of `told`
  std::size_t starts = 0;
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
  crew_parts parts(const node_options& options);
  crew_settings settings(const node_options& options);
  station at();

  std::future<result<void>> begun_;
};

} // namespace fanfare::test
