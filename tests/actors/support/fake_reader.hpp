// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads of the journal that happen, and are answered, when the test says so.

#include "actors/interfaces.hpp"
#include "actors/journal_reader.hpp"
#include "storage/store.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace fanfare::test {

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
} // namespace fanfare::test
