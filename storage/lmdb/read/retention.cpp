// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/read/retention.hpp"

#include "storage/lmdb/state/progress_tables.hpp"
#include "storage/lmdb/tables/records.hpp"

#include <algorithm>
#include <vector>

namespace fanfare::storage::lmdb {

namespace {

/// Drops the positions that are in some webhook's retry set. `candidates`
/// ascend and are not empty.
void drop_retried(transaction& txn, std::vector<position>& candidates) {
  std::vector<position> kept;
  cursor at{txn, table::retries};
  auto more = at.first();
  while (more) {
    webhook_id hook = 0;
    position subject = 0;
    if (!retry_key::read(at.key(), hook, subject)) {
      txn.damaged("a retry");
      return;
    }
    // Of each webhook only the part that matters is looked at.
    if (subject < candidates.front()) {
      more = at.seek(retry_key{hook, candidates.front()}.view());
    } else if (subject > candidates.back()) {
      more = seek_next_webhook(at, hook);
    } else {
      kept.push_back(subject);
      more = at.next();
    }
  }
  if (kept.empty())
    return;
  std::ranges::sort(kept);
  std::erase_if(candidates, [&](position p) {
    return std::ranges::binary_search(kept, p);
  });
}

/// The last position that neither recovery nor a webhook that is behind comes
/// back to.
position settled_upto(transaction& txn, const checkpoint& start) {
  auto settled = start.routed_upto;
  cursor at{txn, table::behind};
  for (auto more = at.first(); more; more = at.next())
    settled = std::min(settled, to_number<position>(at.value()).value_or(0));
  return settled;
}

/// Up to `limit` candidates from where `at` stands, which is then at the one
/// after them; false if there is none after them.
bool take_candidates(transaction& txn, cursor& at, position settled,
                     timestamp cutoff, std::size_t limit,
                     std::vector<position>& candidates) {
  for (;;) {
    const auto id = to_number<position>(at.key()).value_or(0);
    notification_head head;
    if (!decode_or_fail(txn, at.value(), head, "notification", id)
        || id > settled || head.published >= cutoff)
      return false;
    if (candidates.size() == limit)
      return true;
    candidates.push_back(id);
    if (!at.next())
      return false;
  }
}

void plan_notifications(transaction& txn, position settled, timestamp cutoff,
                        std::size_t limit, expiry_plan& plan) {
  cursor at{txn, table::journal};
  auto more = at.first();
  while (more && plan.notifications.size() < limit) {
    std::vector<position> candidates;
    more = take_candidates(txn, at, settled, cutoff, limit, candidates);
    if (candidates.empty() || !txn.ok())
      break;
    drop_retried(txn, candidates);
    for (auto id : candidates) {
      if (plan.notifications.size() == limit) {
        more = true;
        break;
      }
      plan.notifications.push_back(id);
    }
  }
  plan.more = plan.more || more;
}

void plan_calls(transaction& txn, call_id last, timestamp cutoff,
                std::size_t limit, expiry_plan& plan) {
  cursor at{txn, table::calls};
  std::size_t count = 0;
  for (auto more = at.first(); more; more = at.next()) {
    logged_call c;
    c.id = to_number<call_id>(at.key()).value_or(0);
    if (!decode_facts(at.value(), c)) {
      txn.damaged("call", c.id);
      break;
    }
    if (c.id > last || c.time >= cutoff)
      break;
    if (count == limit) {
      plan.more = true;
      break;
    }
    plan.calls_upto = c.id;
    ++count;
  }
}

void plan_answers(transaction& txn, timestamp cutoff, std::size_t limit,
                  expiry_plan& plan) {
  const auto end = answer_time_key(cutoff, {});
  cursor at{txn, table::idempotency_times};
  auto more = at.first();
  plan.answers = more && at.key() < end;
  for (std::size_t count = 0; more && count < limit && at.key() < end; ++count)
    more = at.next();
  plan.more = plan.more || (more && at.key() < end);
}

} // namespace

expiry_plan plan_expiry(transaction& txn, timestamp cutoff, std::size_t limit,
                        timestamp answers_cutoff) {
  expiry_plan plan;
  if (limit == 0)
    return plan;
  const auto start = read_checkpoint(txn);
  plan_notifications(txn, settled_upto(txn, start), cutoff, limit, plan);
  plan_calls(txn, start.last_call, cutoff, limit, plan);
  plan_answers(txn, answers_cutoff, limit, plan);
  return plan;
}

} // namespace fanfare::storage::lmdb
