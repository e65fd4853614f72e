// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// CAF's scheduler for tests: nothing runs but when the test says so.

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <chrono>

namespace fanfare::test {

using namespace std::chrono_literals;

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
} // namespace fanfare::test
