// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads of the journal that happen, and are answered, when the test says so.

#include "actors/interfaces.hpp"
#include "actors/journal_reader.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

namespace fanfare::test {

/// Reads from a store when told to.
class fake_reader final : public journal_reader {
public:
  explicit fake_reader(const storage::store& from) : store_(from) {}

  void read_backlog(webhook_actor who, webhook_id hook, position after,
                    position upto, std::size_t limit) override;

  void fetch(webhook_actor who, std::vector<position> which) override;

  void select(webhook_actor who, webhook_id hook, replay wanted) override;

  void read_journal(router_actor who, position after, position upto,
                    std::size_t limit) override;

  void plan_expiry(janitor_actor, timestamp, std::size_t, timestamp) override {}

  /// Does one step of what was asked for: the reading, or the answering.
  bool step(std::size_t which = 0);

  void drop_all();
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

  void add(std::function<std::function<void()>()> read);

  const storage::store& store_;
  std::deque<task> tasks_;
};
} // namespace fanfare::test
