// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/backup/summary.hpp"

#include "storage/lmdb/file/transaction.hpp"
#include "storage/lmdb/state/progress_tables.hpp"
#include "storage/lmdb/state/recovery.hpp"
#include "storage/lmdb/tables/format.hpp"
#include "storage/lmdb/tables/records.hpp"

namespace fanfare::storage::lmdb {

namespace {

void count_webhooks(transaction& txn, is_sealed sealed, data_summary& found) {
  cursor at{txn, table::webhooks};
  for (auto more = at.first(); more; more = at.next()) {
    webhook_record hook;
    hook.id = to_number<webhook_id>(at.key()).value_or(0);
    if (!decode_or_fail(txn, at.value(), hook, "webhook", hook.id))
      break;
    found.webhooks += hook.is_removed() ? 0U : 1U;
    const auto note = [&](std::string_view text) {
      if (!text.empty())
        ++(sealed(text) ? found.sealed_secrets : found.plain_secrets);
    };
    for (const auto& secret : hook.secrets)
      note(secret.sealed);
    for (const auto& header : hook.delivery.headers)
      note(header.value.bytes());
    if (hook.delivery.tls)
      note(hook.delivery.tls->key.bytes());
    note(hook.delivery.proxy.bytes());
  }
}

void find_newest(transaction& txn, data_summary& found) {
  found.last_notification = read_counters(txn, read_checkpoint(txn)).tail;
  cursor at{txn, table::journal};
  if (!at.last())
    return;
  notification_head head;
  const auto id = to_number<position>(at.key()).value_or(0);
  if (decode_or_fail(txn, at.value(), head, "notification", id))
    found.last_published = head.published;
}

} // namespace

result<data_summary> summarize(environment& env, const table_set& there,
                               is_sealed sealed) {
  read_transaction txn{env, result<void>{}};
  const auto count = [&](table in) -> std::uint64_t {
    return there.test(static_cast<std::size_t>(in)) ? txn.count(in) : 0;
  };
  data_summary found{.size = env.bytes_allocated()};
  found.organizers = count(table::organizer_slugs); // without removed ones
  found.notifications = count(table::journal);
  found.calls = count(table::calls);
  count_webhooks(txn, sealed, found);
  find_newest(txn, found);
  found.format = read_format(txn).value_or(0);
  if (!txn.ok())
    return txn.failure();
  return found;
}

result<table_set> open_known(environment& env, std::uint32_t& format) {
  const auto there = env.open_existing();
  if (!there)
    return there;
  const auto has = [&](table which) {
    return there->test(static_cast<std::size_t>(which));
  };
  if (!has(table::meta))
    return error{ec::store_foreign, "It holds the database of another program "
                                    "than Fanfare."};
  read_transaction txn{env, result<void>{}};
  const auto version = read_format(txn);
  if (!txn.ok())
    return txn.failure();
  if (!version)
    return error{ec::store_foreign, "It holds the database of another program "
                                    "than Fanfare."};
  if (auto fine = check_format(*version); !fine)
    return fine.error();
  format = *version;
  for (const auto& [name, since] :
       {std::pair{table::replays, 2U}, std::pair{table::idempotency, 2U},
        std::pair{table::idempotency_times, 2U},
        std::pair{table::statistics, 6U},
        std::pair{table::older_statistics, 6U},
        std::pair{table::webhook_names, 6U}})
    if (!has(name) && format >= since)
      return error{
        ec::store_damaged,
        std::string{"The store is damaged: the table "}
          + definition_of(name).name
          + " is missing. Restore the data directory from a backup."};
  for (std::size_t i = 0; i < static_cast<std::size_t>(table::replays); ++i)
    if (!there->test(i))
      return error{
        ec::store_damaged,
        std::string{"The store is damaged: the table "}
          + table_definitions[i].name
          + " is missing. Restore the data directory from a backup."};
  return there;
}

} // namespace fanfare::storage::lmdb
