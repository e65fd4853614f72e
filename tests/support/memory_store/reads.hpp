// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The reads of a store in memory, by role.

#include "storage/store.hpp"
#include "tests/support/memory_store/state.hpp"

namespace fanfare::test {

class memory_journal final : public storage::journal {
public:
  explicit memory_journal(const guarded_state& in) : in_(in) {}

  [[nodiscard]] position tail() const override;
  [[nodiscard]] result<notification_ptr> find(position at) const override;
  [[nodiscard]] result<std::vector<notification_ptr>>
  read(position after, position upto, std::size_t limit) const override;
  [[nodiscard]] result<storage::backlog>
  read_backlog(const webhook_record& hook, position after, position upto,
               std::size_t max_matches, std::size_t max_scan) const override;
  [[nodiscard]] result<std::vector<notification_ptr>>
  newest_matches(organizer_id owner, const subscription& sub, std::size_t limit,
                 std::size_t max_scan) const override;
  [[nodiscard]] result<found_notifications>
  search(organizer_id owner, const notification_search& wanted) const override;
  [[nodiscard]] result<newer_notifications>
  newer(organizer_id owner, position after,
        const feed_limits& within) const override;
  [[nodiscard]] result<position> last_before(timestamp t) const override;

private:
  const guarded_state& in_;
};

class memory_call_log final : public storage::call_log {
public:
  explicit memory_call_log(const guarded_state& in) : in_(in) {}

  [[nodiscard]] result<std::vector<call>>
  newest(webhook_id hook, call_id before, std::size_t limit) const override;
  [[nodiscard]] result<found_calls>
  search(organizer_id owner, const call_search& wanted) const override;
  [[nodiscard]] result<std::vector<call_tally>>
  count(const tally_query& which) const override;
  [[nodiscard]] result<newer_calls>
  newer(organizer_id owner, call_id after,
        const feed_limits& within) const override;
  [[nodiscard]] call_id last() const override;
  [[nodiscard]] result<call_id> last_before(timestamp t) const override;
  [[nodiscard]] result<call> find(webhook_id hook, call_id id) const override;

private:
  const guarded_state& in_;
};

class memory_deliveries final : public storage::deliveries {
public:
  explicit memory_deliveries(const guarded_state& in) : in_(in) {}

  [[nodiscard]] result<std::vector<retry>>
  retries(webhook_id hook) const override;
  [[nodiscard]] result<std::vector<retry>>
  retries(webhook_id hook, const storage::action_choice& which) const override;
  [[nodiscard]] result<storage::standing>
  find_standing(webhook_id hook, position at) const override;
  [[nodiscard]] result<storage::backlog_size>
  count_backlog(const webhook_record& hook,
                std::size_t max_scan) const override;
  [[nodiscard]] result<replay> find_replay(webhook_id hook) const override;
  [[nodiscard]] result<storage::selection>
  select(const webhook_record& hook, const replay& wanted) const override;

private:
  const guarded_state& in_;
};

class memory_registry final : public storage::registry {
public:
  explicit memory_registry(const guarded_state& in) : in_(in) {}

  [[nodiscard]] result<std::vector<organizer>> organizers() const override;
  [[nodiscard]] result<std::vector<event>> events() const override;
  [[nodiscard]] result<std::vector<token>> tokens() const override;
  [[nodiscard]] result<std::vector<action_type>> action_types() const override;
  [[nodiscard]] result<webhook_record>
  find_webhook(webhook_id id) const override;
  [[nodiscard]] result<webhook_record>
  find_webhook(organizer_id owner, std::string_view name) const override;
  [[nodiscard]] result<std::vector<webhook_record>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) const override;
  [[nodiscard]] result<std::size_t>
  count_webhooks(organizer_id owner,
                 std::optional<bool> enabled) const override;
  result<void> for_each_webhook(
    const std::function<bool(const webhook_record&)>& visit) const override;

private:
  const guarded_state& in_;
};

/// See `storage::store::plan_expiry`.
[[nodiscard]] storage::expiry_plan plan_expiry(const disk& of, timestamp cutoff,
                                               std::size_t limit,
                                               timestamp answers_cutoff);

} // namespace fanfare::test
