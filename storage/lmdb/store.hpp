// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The store of this machine: a log of commits, and tables in one LMDB file,
/// which are made from it. See storage/store.hpp for what it promises.

#include "storage/embedded.hpp"
#include "storage/lmdb/file/directory.hpp"
#include "storage/lmdb/file/environment.hpp"
#include "storage/lmdb/read/call_log.hpp"
#include "storage/lmdb/read/deliveries.hpp"
#include "storage/lmdb/read/journal.hpp"
#include "storage/lmdb/read/registry.hpp"
#include "storage/lmdb/state/live_state.hpp"
#include "storage/lmdb/state/recovery.hpp"
#include "storage/lmdb/write/applier.hpp"
#include "storage/lmdb/write/writer.hpp"
#include "storage/log/file_log.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace fanfare::storage::lmdb {

class embedded_store final : public store {
public:
  ~embedded_store() override;

  static result<std::unique_ptr<embedded_store>>
  open(const std::filesystem::path& directory, const store_options& options);

  using store::commit;
  /// Waits for the log: `done` is told before this returns, and so nothing is
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
  result<void> back_up(backup_sink& to,
                       const backup_options& options) const override;

  /// Records looked at by all transactions so far: what reading has cost.
  [[nodiscard]] std::uint64_t records_visited() const noexcept {
    return env_->records_visited();
  }
  /// Webhooks that have changed since the last checkpoint.
  [[nodiscard]] std::size_t changed_webhooks() const;
  /// Waits until the tables have all that was committed.
  void settle() const;
  /// As if the process died: what the tables do not have is only in the log.
  /// For tests; nothing may be committed afterwards.
  void abandon() {
    tables_->abandon();
  }

private:
  /// The same, but may throw for want of threads.
  static result<std::unique_ptr<embedded_store>>
  open_or_throw(const std::filesystem::path& directory,
                const store_options& options);
  embedded_store(data_directory directory, std::unique_ptr<environment> env,
                 std::unique_ptr<log::file_log> log, std::size_t max_size,
                 const log_mark& mark, recovered_state&& from);

  data_directory directory_; // its lock outlives the environment
  std::unique_ptr<environment> env_;
  std::unique_ptr<log::file_log> log_;
  std::size_t max_size_;
  recovery recovered_;
  live_state live_;
  lmdb::journal journal_{live_};
  lmdb::call_log call_log_{live_};
  lmdb::deliveries deliveries_{live_};
  lmdb::registry registry_{*env_};
  std::unique_ptr<applier> tables_;
  writer writer_;
};

} // namespace fanfare::storage::lmdb
