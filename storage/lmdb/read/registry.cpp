// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/read/registry.hpp"

#include "storage/lmdb/tables/records.hpp"
#include "storage/lmdb/tables/refusals.hpp"

#include <utility>

namespace fanfare::storage::lmdb {

namespace {

template <class T>
using id_of = decltype(T::id);

/// At an organizer's first webhook, if it has any.
bool seek_owner(cursor& at, organizer_id owner) {
  return at.seek(as_key(owner), webhook_entry{0, 0U}.view());
}

bool is_wanted(bytes entry, std::optional<bool> enabled, webhook_id& id) {
  std::uint32_t flag = 0;
  return webhook_entry::read(entry, id, flag)
      && (!enabled || *enabled == (flag != 0));
}

} // namespace

// -- lists --------------------------------------------------------------------

template <class T>
result<std::vector<T>>
registry::read_all(table in, std::string_view name) const {
  std::vector<T> found;
  read_transaction txn{env_};
  cursor at{txn, in};
  for (auto more = at.first(); more; more = at.next()) {
    auto& value = found.emplace_back();
    value.id = to_number<id_of<T>>(at.key()).value_or(0);
    if (!decode_or_fail(txn, at.value(), value, name, value.id))
      break;
  }
  if (!txn.ok())
    return txn.failure();
  return found;
}

result<std::vector<organizer>> registry::organizers() const {
  return read_all<organizer>(table::organizers, "organizer");
}

result<std::vector<event>> registry::events() const {
  return read_all<event>(table::events, "event");
}

result<std::vector<token>> registry::tokens() const {
  return read_all<token>(table::tokens, "token");
}

result<std::vector<action_type>> registry::action_types() const {
  return read_all<action_type>(table::action_types, "action type");
}

// -- webhooks -----------------------------------------------------------------

result<webhook_record> registry::find_webhook(webhook_id id) const {
  read_transaction txn{env_};
  webhook_record hook;
  hook.id = id;
  const bool found = find_record(txn, table::webhooks, as_key(id), hook,
                                 "webhook", id);
  if (!txn.ok())
    return txn.failure();
  if (!found)
    return not_found("webhook");
  return hook;
}

result<webhook_record> registry::find_webhook(organizer_id owner,
                                              std::string_view name) const {
  read_transaction txn{env_};
  webhook_record hook;
  const auto id = txn.get(table::webhook_names, owned_key(owner, name));
  if (id)
    hook.id = to_number<webhook_id>(*id).value_or(0);
  if (id
      && !find_record(txn, table::webhooks, as_key(hook.id), hook, "webhook",
                      hook.id))
    txn.damaged("webhook", hook.id); // also if there is none
  if (!txn.ok())
    return txn.failure();
  if (!id)
    return not_found("webhook");
  return hook;
}

result<std::vector<webhook_record>>
registry::webhooks(organizer_id owner, std::optional<bool> enabled,
                   std::size_t offset, std::size_t limit) const {
  std::vector<webhook_record> found;
  read_transaction txn{env_};
  cursor at{txn, table::organizer_webhooks};
  for (auto more = limit > 0 && seek_owner(at, owner); more;
       more = found.size() < limit && at.next_value()) {
    webhook_record hook;
    if (!is_wanted(at.value(), enabled, hook.id))
      continue;
    if (offset > 0) {
      --offset;
      continue;
    }
    if (!find_record(txn, table::webhooks, as_key(hook.id), hook, "webhook",
                     hook.id)) {
      txn.damaged("webhook", hook.id); // also if there is none
      break;
    }
    found.push_back(std::move(hook));
  }
  if (!txn.ok())
    return txn.failure();
  return found;
}

result<std::size_t>
registry::count_webhooks(organizer_id owner,
                         std::optional<bool> enabled) const {
  std::size_t n = 0;
  read_transaction txn{env_};
  cursor at{txn, table::organizer_webhooks};
  auto more = seek_owner(at, owner);
  if (more && !enabled)
    n = at.count();
  else
    for (webhook_id id = 0; more; more = at.next_value())
      n += is_wanted(at.value(), enabled, id) ? 1U : 0U;
  if (!txn.ok())
    return txn.failure();
  return n;
}

result<void> registry::for_each_webhook(
  const std::function<bool(const webhook_record&)>& visit) const {
  // No transaction is open while somebody else's code runs.
  constexpr std::size_t portion_size = 256;
  std::vector<webhook_record> portion;
  portion.reserve(portion_size);
  webhook_id next = 1;
  for (;;) {
    portion.clear();
    {
      read_transaction txn{env_};
      cursor at{txn, table::webhooks};
      for (auto more = at.seek(as_key(next));
           more && portion.size() < portion_size; more = at.next()) {
        auto& hook = portion.emplace_back();
        hook.id = to_number<webhook_id>(at.key()).value_or(0);
        if (!decode_or_fail(txn, at.value(), hook, "webhook", hook.id))
          break;
      }
      if (!txn.ok())
        return txn.failure();
    }
    for (const auto& hook : portion)
      if (!visit(hook))
        return {};
    if (portion.size() < portion_size)
      return {};
    next = portion.back().id + 1;
  }
}

} // namespace fanfare::storage::lmdb
