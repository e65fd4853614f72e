// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The store over one LMDB file. See storage/store.hpp for what it promises.

#include "storage/embedded.hpp"
#include "storage/lmdb/batch.hpp"
#include "storage/lmdb/directory.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace fanfare::storage::lmdb {

class embedded_store final : public store,
                             private storage::journal,
                             private storage::call_log,
                             private storage::deliveries,
                             private storage::registry {
public:
  static result<std::unique_ptr<embedded_store>>
  open(const std::filesystem::path& directory, const store_options& options);

  result<void> commit(std::span<operation> operations) override;
  [[nodiscard]] const recovery& recovered() const override {
    return recovered_;
  }

  [[nodiscard]] const storage::journal& journal() const override {
    return *this;
  }
  [[nodiscard]] const storage::call_log& call_log() const override {
    return *this;
  }
  [[nodiscard]] const storage::deliveries& deliveries() const override {
    return *this;
  }
  [[nodiscard]] const storage::registry& registry() const override {
    return *this;
  }
  [[nodiscard]] store_statistics statistics() const override;

  result<stored_answer_ptr> find_answer(const idempotency_key& key,
                                        timestamp now) const override;
  result<expiry_plan> plan_expiry(timestamp cutoff, std::size_t limit,
                                  timestamp answers_cutoff) const override;

  /// Records looked at by all transactions so far: what reading has cost.
  [[nodiscard]] std::uint64_t records_visited() const noexcept {
    return env_->records_visited();
  }
  /// Webhooks that have changed since the last checkpoint. The writer's thread.
  [[nodiscard]] std::size_t changed_webhooks() const noexcept {
    return changes_.size();
  }

private:
  [[nodiscard]] position tail() const override {
    return tail_.load(std::memory_order_acquire);
  }
  result<notification_ptr> find(position at) const override;
  result<std::vector<notification_ptr>> read(position after, position upto,
                                             std::size_t limit) const override;
  result<backlog> read_backlog(const webhook_record& hook, position after,
                               position upto, std::size_t max_matches,
                               std::size_t max_scan) const override;

  result<std::vector<call>> newest(webhook_id hook, call_id before,
                                   std::size_t limit) const override;
  result<call> find(webhook_id hook, call_id id) const override;
  result<std::vector<retry>> retries(webhook_id hook) const override;

  result<standing> find_standing(webhook_id hook, position at) const override;
  result<std::vector<notification_ptr>>
  newest_matches(organizer_id owner, const subscription& sub, std::size_t limit,
                 std::size_t max_scan) const override;
  result<backlog_size> count_backlog(const webhook_record& hook,
                                     std::size_t max_scan) const override;
  result<replay> find_replay(webhook_id hook) const override;
  result<selection> select(const webhook_record& hook,
                           const replay& wanted) const override;

  result<std::vector<organizer>> organizers() const override;
  result<std::vector<event>> events() const override;
  result<std::vector<token>> tokens() const override;
  result<std::vector<action_type>> action_types() const override;
  result<webhook_record> find_webhook(webhook_id id) const override;
  result<std::vector<webhook_record>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) const override;
  result<std::size_t>
  count_webhooks(organizer_id owner,
                 std::optional<bool> enabled) const override;
  result<void> for_each_webhook(
    const std::function<bool(const webhook_record&)>& visit) const override;

  /// How much more may be written.
  struct room {
    std::size_t publishing = 0; ///< bytes
    bool growing = false; ///< whether anything but making room is possible
  };

  embedded_store(data_directory directory, std::unique_ptr<environment> env,
                 std::size_t max_size);

  result<void> recover();
  void find_unsettled(transaction& txn, change_layer& layer);

  [[nodiscard]] room measure(std::span<const operation> operations) const;
  result<void> try_commit(std::span<operation> operations,
                          std::size_t publishing_room);
  /// Once, without a second try. `code` is that of the error.
  result<void> commit_once(std::span<operation> operations,
                           std::size_t publishing_room, int& code);

  /// Begins a transaction in `txn` and calls `look` with the changes that
  /// belong to the state it reads.
  template <class Look>
  void begin(std::optional<read_transaction>& txn, Look&& look) const;
  /// The webhook's progress in `txn`, with what `in` has of it.
  progress read_current(transaction& txn, const change* in,
                        const webhook_record& hook) const;
  /// `passes`, for what the index knows only by its place.
  bool passes_at(transaction& txn, const subscription& sub, position at) const;
  /// The first position published at `t` or later, as far as times ascend.
  position first_since(transaction& txn, timestamp t) const;
  /// Of the webhook's calls from `newest` backwards: notes whom they were
  /// about, and takes those that were delivered out of `chosen`.
  void drop_delivered(transaction& txn, call_id newest, const replay& wanted,
                      position_set& chosen, position_set& called) const;
  template <class T>
  result<std::vector<T>> read_all(table in, std::string_view what) const;

  data_directory directory_; // its lock outlives the environment
  std::unique_ptr<environment> env_;
  tables tables_;
  const std::size_t max_size_;
  const std::size_t reserve_;
  recovery recovered_;

  // -- the writer's; also read by others under mutex_ -------------------------

  changes changes_;
  /// The commit that changes_ belongs to.
  std::size_t merged_ = 0;
  bool incomplete_ = false; ///< taking over has thrown
  mutable std::mutex mutex_;
  mutable std::condition_variable has_merged_;

  // -- the writer's -----------------------------------------------------------

  counters last_;
  checkpoint checkpoint_;

  // -- any thread -------------------------------------------------------------

  std::atomic<position> tail_{0};
  std::atomic<call_id> last_call_{0};
};

} // namespace fanfare::storage::lmdb
