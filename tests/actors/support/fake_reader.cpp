// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/actors/support/fake_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace fanfare::test {

void fake_reader::read_backlog(webhook_actor who, webhook_id hook,
                               position after, position upto,
                               std::size_t limit) {
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

void fake_reader::fetch(webhook_actor who, std::vector<position> which) {
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

void fake_reader::select(webhook_actor who, webhook_id hook, replay wanted) {
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

void fake_reader::read_journal(router_actor who, position after, position upto,
                               std::size_t limit) {
  add([this, who, after, upto, limit] {
    auto answer = std::make_shared<journal_chunk>();
    answer->notifications = store_.journal().read(
      after, upto, std::min(limit, journal_limit));
    return [who, answer = journal_chunk_ptr{std::move(answer)}] {
      caf::anon_send(who, atom::chunk_v, answer);
    };
  });
}

bool fake_reader::step(std::size_t which) {
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

void fake_reader::drop_all() {
  tasks_.clear();
}

void fake_reader::add(std::function<std::function<void()>()> read) {
  tasks_.push_back({std::move(read), nullptr});
}

} // namespace fanfare::test
