// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The objects of one engine, wired together: behind the public face
/// (engine.cpp) and behind the REST server's view (rest_service.cpp).

#include "actors/watch.hpp"
#include "engine/announcer.hpp"
#include "engine/backup.hpp"
#include "engine/callbacks.hpp"
#include "engine/changes.hpp"
#include "engine/counters.hpp"
#include "engine/directory.hpp"
#include "engine/disk_watch.hpp"
#include "engine/feeds.hpp"
#include "engine/inspection.hpp"
#include "engine/networks.hpp"
#include "engine/options.hpp"
#include "engine/orders.hpp"
#include "engine/overview.hpp"
#include "engine/published_figures.hpp"
#include "engine/publisher.hpp"
#include "engine/registry.hpp"
#include "engine/runtime.hpp"
#include "engine/tracing/tracing.hpp"
#include "fanfare/clock.hpp"
#include "fanfare/error.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

class engine;

class engine_core {
public:
  engine_core(checked_options options, std::unique_ptr<storage::store> store);
  /// stop(0 s), unless already stopped.
  ~engine_core();
  engine_core(const engine_core&) = delete;
  engine_core& operator=(const engine_core&) = delete;

  /// Once, before anything else: recovers, and starts delivery. `who`
  /// identifies the engine in the program's metrics registry.
  result<void> begin(const engine* who);
  /// As engine::stop documents.
  void stop(std::chrono::milliseconds deadline) {
    runtime_.stop(deadline);
    if (tracing_)
      tracing_->stop();
    watch_.events.sum_up(true);
  }
  /// The same.
  [[nodiscard]] bool responds(std::chrono::milliseconds patience) {
    return runtime_.responds(patience);
  }

  // -- any thread, once it has begun ------------------------------------------

  [[nodiscard]] const wall_clock& clock() const {
    return *options_.given.clock;
  }
  [[nodiscard]] const protocol::vault& vault() const {
    return options_.vault;
  }
  [[nodiscard]] const storage::store& store() const {
    return *store_;
  }
  /// The most used part of the registry, in memory.
  [[nodiscard]] const directory& names() const {
    return names_;
  }
  [[nodiscard]] publisher& publishing() {
    return publisher_;
  }
  [[nodiscard]] fanfare::registry& registry() {
    return registry_;
  }
  [[nodiscard]] fanfare::orders& orders() {
    return orders_;
  }
  [[nodiscard]] fanfare::inspection& inspection() {
    return inspection_;
  }
  [[nodiscard]] std::vector<metric> metrics() const;
  result<std::vector<metric>> metrics(organizer_id owner) const;
  [[nodiscard]] const overview& status() const {
    return overview_;
  }
  /// What happens, for the operator.
  [[nodiscard]] event_log& events() {
    return watch_.events;
  }
  [[nodiscard]] backup_maker& backups() {
    return backups_;
  }
  [[nodiscard]] fanfare::feeds& feeds() {
    return feeds_;
  }
  void wake();
  /// As engine::change_options documents.
  result<void> change_options(const engine_options& wanted);

private:
  /// Those that change_options() changes.
  struct changeable_options {
    organizer_fences fences;
    std::mutex changing; ///< one at a time
    std::atomic<std::shared_ptr<const delivery_defaults>> defaults;
    std::vector<std::string> allow; ///< networks; under the mutex, as `deny`
    std::vector<std::string> deny;
  };

  /// What all webhooks share that follows from the options.
  [[nodiscard]] std::shared_ptr<const delivery_defaults>
  defaults_of(const engine_options& given);
  [[nodiscard]] webhook_rules rules_of(const engine_options& given) const;
  [[nodiscard]] crew_parts parts();
  [[nodiscard]] webhook_context context();
  void observe(const storage::operation& op);

  // In the order in which they need each other.
  checked_options options_;
  std::unique_ptr<storage::store> store_;
  callbacks program_;
  directory names_;
  engine_counters counters_;
  changeable_options changeable_;
  published_figures figures_;
  operator_watch watch_;
  disk_watch disk_;
  fanfare::feeds feeds_;
  std::unique_ptr<tracing> tracing_; ///< null: nothing is traced
  runtime runtime_;
  changes changes_;
  announcer announcer_;
  publisher publisher_;
  fanfare::registry registry_;
  fanfare::orders orders_;
  fanfare::inspection inspection_;
  overview overview_;
  backup_maker backups_;
};

/// Of a started engine.
[[nodiscard]] engine_core& core_of(engine& of);

} // namespace fanfare
