// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_store/store.hpp"

#include "tests/support/memory_store/writer.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace fanfare::test {

namespace {

/// Whether it runs somebody else's code, which may throw.
bool edits(const storage::operation& op) {
  return std::holds_alternative<storage::change_webhook>(op)
      || std::holds_alternative<storage::change_organizer>(op);
}

} // namespace

memory_store::memory_store(disk from) {
  state_.now.stored = std::move(from);
  reopen();
}

void memory_store::reopen() {
  std::lock_guard lock{state_.mutex};
  found_ = state_.now.recover();
}

hook_standing memory_store::standing_of(webhook_id id) const {
  std::lock_guard lock{state_.mutex};
  return state_.now.standing(state_.now.stored.hooks.at(id).hook);
}

void memory_store::commit(std::span<storage::operation> operations,
                          storage::commit_listener& done,
                          storage::commit_place /*place*/) {
  done.committed(try_commit(operations));
}

result<void>
memory_store::try_commit(std::span<storage::operation> operations) {
  if (on_commit)
    if (auto fine = on_commit(); !fine)
      return fine;
  std::lock_guard lock{state_.mutex};
  if (std::ranges::any_of(operations, edits)) {
    auto before = state_.now;
    try {
      execute(operations);
    } catch (...) {
      state_.now = std::move(before);
      throw;
    }
  } else {
    execute(operations);
  }
  ++commits;
  largest_commit = std::max(largest_commit, operations.size());
  for (const auto& op : operations)
    kinds.push_back(op.index());
  return {};
}

void memory_store::execute(std::span<storage::operation> operations) {
  memory_writer to{state_.now};
  for (auto& op : operations)
    std::visit([&to](auto& o) { to.execute(o); }, op);
}

result<stored_answer_ptr> memory_store::find_answer(const idempotency_key& key,
                                                    timestamp now) const {
  std::lock_guard lock{state_.mutex};
  const auto& answers = state_.now.stored.answers;
  const auto i = answers.find(key);
  if (i == answers.end() || !i->second.is_live(now))
    return stored_answer_ptr{};
  return stored_answer_ptr{std::make_shared<stored_answer>(i->second.answer)};
}

result<storage::expiry_plan>
memory_store::plan_expiry(timestamp cutoff, std::size_t limit,
                          timestamp answers_cutoff) const {
  std::lock_guard lock{state_.mutex};
  return test::plan_expiry(state_.now.stored, cutoff, limit, answers_cutoff);
}

storage::store_statistics memory_store::statistics() const {
  std::lock_guard lock{state_.mutex};
  const auto& d = state_.now.stored;
  std::size_t retries = 0;
  for (const auto& [hook, standing] : d.saved)
    retries += standing.retries.by_subject.size();
  return {.first = d.journal.empty() ? 0 : d.journal.front()->id,
          .tail = d.tail(),
          .last_call = d.last_call,
          .retries = retries};
}

} // namespace fanfare::test
