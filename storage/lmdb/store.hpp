// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The store over one LMDB file. See storage/store.hpp for what it promises.

#include "storage/embedded.hpp"
#include "storage/lmdb/file/directory.hpp"
#include "storage/lmdb/file/environment.hpp"
#include "storage/lmdb/read/call_log.hpp"
#include "storage/lmdb/read/deliveries.hpp"
#include "storage/lmdb/read/journal.hpp"
#include "storage/lmdb/read/registry.hpp"
#include "storage/lmdb/state/live_state.hpp"
#include "storage/lmdb/write/writer.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace fanfare::storage::lmdb {

class embedded_store final : public store {
public:
  static result<std::unique_ptr<embedded_store>>
  open(const std::filesystem::path& directory, const store_options& options);

  using store::commit;
  /// Waits for the disk: `done` is told before this returns, and so nothing is
  /// ever in flight that this could be behind.
  void commit(std::span<operation> operations, commit_listener& done,
              commit_place /*place*/) override {
    done.committed(writer_.commit(operations));
  }
  [[nodiscard]] const recovery& recovered() const override {
    return recovered_;
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
  [[nodiscard]] result<expiry_plan>
  plan_expiry(timestamp cutoff, std::size_t limit,
              timestamp answers_cutoff) const override;
  [[nodiscard]] store_statistics statistics() const override;

  /// Records looked at by all transactions so far: what reading has cost.
  [[nodiscard]] std::uint64_t records_visited() const noexcept {
    return env_->records_visited();
  }
  /// Webhooks that have changed since the last checkpoint. The writer's thread.
  [[nodiscard]] std::size_t changed_webhooks() const noexcept {
    return live_.changes().size();
  }

private:
  embedded_store(data_directory directory, std::unique_ptr<environment> env,
                 std::size_t max_size, recovered_state&& from);

  data_directory directory_; // its lock outlives the environment
  std::unique_ptr<environment> env_;
  recovery recovered_;
  live_state live_{*env_};
  lmdb::journal journal_{live_};
  lmdb::call_log call_log_{live_};
  lmdb::deliveries deliveries_{live_};
  lmdb::registry registry_{*env_};
  writer writer_;
};

} // namespace fanfare::storage::lmdb
