// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/journal_reader.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace fanfare {

namespace {

/// Index entries that one read may pass over, so that a webhook with rare
/// matches does not keep a reading thread from the others.
constexpr std::size_t max_scan = 65'536;

} // namespace

store_reader::store_reader(const storage::store& store, std::size_t threads)
  : store_(store),
    pool_(threads) {}

store_reader::~store_reader() {
  close();
}

void store_reader::close() {
  {
    std::lock_guard guard{closing_};
    closed_ = true;
  }
  pool_.join();
}

template <class Task>
void store_reader::read(Task task) {
  std::lock_guard guard{closing_};
  if (closed_)
    return;
  boost::asio::post(pool_, [this, task = std::move(task)] {
    if (!closed_)
      task();
  });
}

void store_reader::run(std::function<void()> task) {
  read(std::move(task));
}

notification_ptr store_reader::shared(notification_ptr n) {
  std::lock_guard guard{mutex_};
  if (alive_.size() >= sweep_at_) {
    std::erase_if(alive_,
                  [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(4'096, 2 * alive_.size());
  }
  auto& entry = alive_[n->id];
  if (auto known = entry.lock())
    return known;
  entry = n;
  return n;
}

void store_reader::read_backlog(webhook_actor who, webhook_id hook,
                                position after, position upto,
                                std::size_t limit) {
  read([this, who = std::move(who), hook, after, upto, limit] {
    auto answer = std::make_shared<backlog_chunk>();
    // Read here and not taken from the asker: an edit that was committed before
    // `upto` is in this copy for sure.
    if (auto current = store_.registry().find_webhook(hook); !current)
      answer->read = current.error();
    else
      answer->read = store_.journal().read_backlog(*current, after, upto, limit,
                                                   max_scan);
    if (answer->read)
      for (auto& n : answer->read->matches)
        n = shared(std::move(n));
    caf::anon_send(who, atom::refilled_v, backlog_chunk_ptr{std::move(answer)});
  });
}

void store_reader::fetch(webhook_actor who, std::vector<position> which) {
  read([this, who = std::move(who), which = std::move(which)] {
    auto answer = std::make_shared<fetched_retries>();
    std::vector<notification_ptr> found;
    found.reserve(which.size());
    std::optional<error> failed;
    for (auto p : which) {
      auto n = store_.journal().find(p);
      if (n)
        found.push_back(shared(std::move(*n)));
      else if (n.error().code == ec::not_found)
        found.push_back(nullptr);
      else
        failed = n.error();
    }
    if (failed)
      answer->notifications = *failed;
    else
      answer->notifications = std::move(found);
    caf::anon_send(who, atom::fetched_v,
                   fetched_retries_ptr{std::move(answer)});
  });
}

void store_reader::select(webhook_actor who, webhook_id hook, replay wanted) {
  read([this, who = std::move(who), hook, wanted = std::move(wanted)] {
    auto answer = std::make_shared<result<storage::selection>>(error{});
    if (auto current = store_.registry().find_webhook(hook); !current)
      *answer = current.error();
    else
      *answer = store_.deliveries().select(*current, wanted);
    caf::anon_send(who, atom::selected_v, selection_ptr{std::move(answer)});
  });
}

void store_reader::read_journal(router_actor who, position after, position upto,
                                std::size_t limit) {
  read([this, who = std::move(who), after, upto, limit] {
    auto answer = std::make_shared<journal_chunk>();
    answer->notifications = store_.journal().read(after, upto, limit);
    caf::anon_send(who, atom::chunk_v, journal_chunk_ptr{std::move(answer)});
  });
}

void store_reader::plan_expiry(janitor_actor who, timestamp cutoff,
                               std::size_t limit, timestamp answers_cutoff) {
  read([this, who = std::move(who), cutoff, limit, answers_cutoff] {
    auto answer = std::make_shared<const result<storage::expiry_plan>>(
      store_.plan_expiry(cutoff, limit, answers_cutoff));
    caf::anon_send(who, atom::planned_v, expiry_plan_ptr{std::move(answer)});
  });
}

} // namespace fanfare
