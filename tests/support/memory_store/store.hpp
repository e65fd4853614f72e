// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A store in memory that does what storage/store.hpp says: the model that
/// actors are tested against. tests/storage holds it to the same suite as the
/// store that the engine opens.

#include "storage/store.hpp"
#include "tests/support/memory_store/reads.hpp"
#include "tests/support/memory_store/state.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace fanfare::test {

class memory_store final : public storage::store {
public:
  /// Recovers from what was on disk.
  explicit memory_store(disk from = {});

  /// What is on disk so far: a test can take it at any moment and recover from
  /// it. While nobody else uses the store.
  [[nodiscard]] const disk& contents() const {
    return state_.now.stored;
  }
  [[nodiscard]] disk& contents() {
    return state_.now.stored;
  }
  /// As a restart does: forgets all that is not on disk and recovers.
  void reopen();
  /// Of a webhook that there is; with the retries of one that is disabled.
  [[nodiscard]] hook_standing standing_of(webhook_id id) const;
  [[nodiscard]] storage::progress progress_of(webhook_id id) const {
    return standing_of(id).upto;
  }

  /// Asked before each commit; an error is what the commit returns.
  std::function<result<void>()> on_commit;
  std::size_t commits = 0;
  std::size_t largest_commit = 0;
  /// Which operations were committed, by their place in `storage::operation`.
  std::vector<std::size_t> kinds;

  // -- storage::store ---------------------------------------------------------

  using store::commit;
  /// `done` is told before this returns.
  void commit(std::span<storage::operation> operations,
              storage::commit_listener& done,
              storage::commit_place place) override;
  [[nodiscard]] const storage::recovery& recovered() const override {
    return found_;
  }
  [[nodiscard]] const storage::journal& journal() const override {
    return journal_;
  }
  [[nodiscard]] const storage::call_log& call_log() const override {
    return call_log_;
  }
  [[nodiscard]] const storage::deliveries& deliveries() const override {
    return deliveries_;
  }
  [[nodiscard]] const storage::registry& registry() const override {
    return registry_;
  }
  [[nodiscard]] result<stored_answer_ptr>
  find_answer(const idempotency_key& key, timestamp now) const override;
  [[nodiscard]] result<storage::expiry_plan>
  plan_expiry(timestamp cutoff, std::size_t limit,
              timestamp answers_cutoff) const override;
  [[nodiscard]] storage::store_statistics statistics() const override;

private:
  result<void> try_commit(std::span<storage::operation> operations);
  void execute(std::span<storage::operation> operations);

  guarded_state state_;
  storage::recovery found_;
  memory_journal journal_{state_};
  memory_call_log call_log_{state_};
  memory_deliveries deliveries_{state_};
  memory_registry registry_{state_};
};

} // namespace fanfare::test
