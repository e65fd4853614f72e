// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A store that takes its time: it has several commits in flight, and tells of
/// each from a thread of its own, when the test lets it. What is committed is
/// in a `memory_store`.

#include "tests/support/memory_store/store.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

namespace fanfare::test {

class late_store final : public storage::store {
public:
  explicit late_store(std::size_t ahead);
  /// Nothing may be in flight.
  ~late_store() override;

  /// What is committed. Its reads are this store's.
  [[nodiscard]] memory_store& below() {
    return below_;
  }

  // -- what the test decides. Any thread --------------------------------------

  /// From here on commits wait for `let_go`.
  void hold();
  /// Lets so many commits end.
  void let_go(std::size_t count = 1);
  /// Ends what hold() has begun.
  void let_all_go();
  /// Asked for each commit when it would end, counted from 1; an error is how
  /// it ends. Set before the first commit.
  std::function<result<void>(std::size_t number)> judge;

  // -- what the test sees. Any thread -----------------------------------------

  /// Waits until so many commits were given to the store. False: not in time.
  [[nodiscard]] bool
  wait_for_given(std::size_t count,
                 std::chrono::seconds patience = std::chrono::seconds{20});
  [[nodiscard]] std::size_t most_in_flight() const;

  // -- storage::store ---------------------------------------------------------

  using store::commit;
  void commit(std::span<storage::operation> operations,
              storage::commit_listener& done,
              storage::commit_place place) override;
  [[nodiscard]] std::size_t commits_ahead() const override {
    return ahead_;
  }
  [[nodiscard]] const storage::recovery& recovered() const override {
    return below_.recovered();
  }
  [[nodiscard]] const storage::journal& journal() const override {
    return below_.journal();
  }
  [[nodiscard]] const storage::call_log& call_log() const override {
    return below_.call_log();
  }
  [[nodiscard]] const storage::deliveries& deliveries() const override {
    return below_.deliveries();
  }
  [[nodiscard]] const storage::registry& registry() const override {
    return below_.registry();
  }
  [[nodiscard]] result<stored_answer_ptr>
  find_answer(const idempotency_key& key, timestamp now) const override {
    return below_.find_answer(key, now);
  }
  [[nodiscard]] result<storage::expiry_plan>
  plan_expiry(timestamp cutoff, std::size_t limit,
              timestamp answers_cutoff) const override {
    return below_.plan_expiry(cutoff, limit, answers_cutoff);
  }
  [[nodiscard]] storage::store_statistics statistics() const override {
    return below_.statistics();
  }

private:
  struct pending {
    std::span<storage::operation> operations;
    storage::commit_listener* done = nullptr;
    storage::commit_place place{};
  };

  void work();
  [[nodiscard]] result<void> end(const pending& which);

  memory_store below_;
  const std::size_t ahead_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<pending> waiting_; ///< in flight, but for the one that ends
  std::size_t in_flight_ = 0;
  std::size_t most_in_flight_ = 0;
  std::size_t given_ = 0;
  std::optional<std::size_t> allowed_; ///< to end; none: all
  bool stopping_ = false;
  // Of the thread alone.
  std::size_t ended_ = 0;
  std::optional<error> failed_; ///< what all behind it fail with
  std::thread thread_;
};

} // namespace fanfare::test
