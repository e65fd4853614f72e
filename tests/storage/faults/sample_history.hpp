// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Commits of all kinds, each of which is one group of the log, and what a
/// store in memory knows after each of them.

#include "tests/storage/same_answers.hpp"
#include "tests/storage/store_steps.hpp"
#include "tests/support/memory_store/store.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

class sample_history {
public:
  /// `largest_text`: bytes of a body.
  sample_history(std::uint64_t seed, std::size_t commits,
                 std::size_t largest_text)
    : random_(seed),
      largest_text_(largest_text) {
    states_.push_back(model_.contents());
    add_first();
    while (commits_.size() < commits)
      add_one();
  }

  [[nodiscard]] std::size_t size() const {
    return commits_.size();
  }
  /// A copy of its operations, to be carried out.
  [[nodiscard]] std::vector<operation> commit(std::size_t which) const {
    return commits_[which];
  }
  /// What is known after so many commits.
  [[nodiscard]] const disk& state(std::size_t commits) const {
    return states_[commits];
  }

  /// Whether the store, just opened, is in the state after so many commits.
  void expect_state(store& opened, std::size_t commits) const {
    SCOPED_TRACE("after " + std::to_string(commits) + " commits");
    memory_store expected{state(commits)};
    std::mt19937_64 random{commits};
    twin_reader twins{opened, expected, random};
    twins.compare_recovered();
    twins.compare_all(at_ms(clock_));
  }

  /// The same, of a store that was opened a moment ago in a folder.
  void expect_state_in(const std::filesystem::path& data, std::size_t commits,
                       const store_options& options = {}) const {
    const auto opened = open_embedded(data, options);
    ASSERT_TRUE(opened) << opened.error().detail;
    expect_state(**opened, commits);
  }

private:
  std::size_t below(std::size_t n) {
    return random_() % n;
  }
  bool chance(int percent) {
    return below(100) < static_cast<std::size_t>(percent);
  }

  void add(std::vector<operation> batch) {
    commits_.push_back(batch);
    EXPECT_TRUE(model_.commit(batch));
    states_.push_back(model_.contents());
  }

  void add_first() {
    std::vector<operation> batch;
    batch.emplace_back(add_organizer{.slug = "a", .name = "A"});
    batch.emplace_back(add_event{.owner = 1, .slug = "e", .name = "E"});
    batch.emplace_back(add_action_type{.name = "a.b"});
    batch.emplace_back(add_webhook{.value = hook_of(1, {1, 2})});
    batch.emplace_back(add_webhook{.value = hook_of(1, {2, 3})});
    batch.emplace_back(publish());
    add(std::move(batch));
  }

  void add_one() {
    std::vector<operation> batch;
    ++clock_;
    for (auto n = below(3); n > 0; --n)
      add_other(batch);
    if (chance(60))
      add_calls(batch);
    if (chance(20))
      add_checkpoint(batch);
    batch.emplace_back(publish());
    add(std::move(batch));
  }

  append_notifications publish() {
    append_notifications op;
    op.published = at_ms(++clock_);
    for (auto n = 1 + below(3); n > 0; --n)
      op.drafts.push_back(draft_of(static_cast<action_type_id>(1 + below(3)), 1,
                                   std::string(below(largest_text_), 'x')));
    return op;
  }

  /// Attempts at the next few of what a webhook is to get, in order.
  void add_calls(std::vector<operation>& batch) {
    const auto hook = 1 + below(2);
    for (auto n = 1 + below(3); n > 0; --n) {
      const auto subject = ++called_[hook];
      if (subject > model_.contents().tail()) {
        --called_[hook];
        return;
      }
      auto c = call_of(hook, subject,
                       chance(40) ? outcome::retried : outcome::delivered,
                       subject);
      if (chance(20)) // other 5 minutes
        clock_ += 300'000;
      c.time = at_ms(++clock_);
      c.response_body = std::string(below(20), 'y');
      batch.emplace_back(append_call{std::move(c)});
    }
  }

  void add_checkpoint(std::vector<operation>& batch) {
    const auto upto = model_.contents().tail();
    save_checkpoint op{.routed_upto = upto, .behind = {}};
    for (const auto& [hook, last] : called_)
      if (last < upto && model_.contents().hooks.contains(hook))
        op.behind.push_back({.hook = hook, .cursor = last});
    batch.emplace_back(std::move(op));
  }

  void add_other(std::vector<operation>& batch) {
    const auto name = "n" + std::to_string(commits_.size());
    switch (below(9)) {
      case 0:
        batch.emplace_back(add_organizer{.slug = name, .name = ""});
        break;
      case 1: {
        token added;
        added.owner = 1;
        added.name = name;
        batch.emplace_back(add_token{.value = added});
        batch.emplace_back(touch_tokens{{{1, at_ms(clock_)}}});
        break;
      }
      case 2:
        batch.emplace_back(
          change_of(1, [name](webhook_record& hook) { hook.comment = name; }));
        break;
      case 3:
        batch.emplace_back(change_of(2, [](webhook_record& hook) {
          hook.current().enabled = !hook.current().enabled;
        }));
        break;
      case 4: {
        remember_answer op;
        op.key = key_of(static_cast<char>('a' + below(5)));
        op.now = at_ms(clock_);
        op.answer = answer_of(name);
        batch.emplace_back(std::move(op));
        break;
      }
      case 5:
        batch.emplace_back(
          once(static_cast<char>('a' + below(5)), at_ms(clock_)));
        break;
      case 6:
        batch.emplace_back(drop_retries{2});
        batch.emplace_back(amend_progress{.hook = 2,
                                          .off_since = at_ms(clock_ - 1),
                                          .off_until = at_ms(clock_)});
        break;
      case 7: {
        start_replay op;
        op.owner = 1;
        op.hook = 1 + below(2);
        op.value->started = at_ms(clock_);
        op.value->upto = model_.contents().tail();
        batch.emplace_back(std::move(op));
        break;
      }
      default: {
        const auto plan = model_.plan_expiry(at_ms(clock_ - 30), 5, {});
        ASSERT_TRUE(plan);
        batch.emplace_back(expire{.notifications = plan->notifications,
                                  .calls_upto = plan->calls_upto});
      }
    }
  }

  std::mt19937_64 random_;
  std::size_t largest_text_;
  std::int64_t clock_ = 1'000;
  std::map<webhook_id, position> called_{{1, 0}, {2, 0}};
  memory_store model_;
  std::vector<std::vector<operation>> commits_;
  std::vector<disk> states_; ///< before the first, after each
};

} // namespace fanfare::test
