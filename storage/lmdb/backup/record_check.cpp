// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/backup/record_check.hpp"

#include "storage/lmdb/replay/effects.hpp"
#include "storage/lmdb/tables/format.hpp"
#include "storage/lmdb/tables/records.hpp"

#include <algorithm>
#include <string>

namespace fanfare::storage::lmdb {

namespace {

constexpr std::string_view undecodable = "the record cannot be read";
constexpr std::string_view bad_key = "the key is of another kind than it "
                                     "should be";
constexpr std::string_view bad_value = "the value is of another kind than it "
                                       "should be";

/// Under a number: of what has its id as key.
template <class T, class Id = decltype(T::id)>
std::string_view decodes(bytes key, bytes value) {
  T record;
  const auto id = to_number<Id>(key);
  if (!id)
    return bad_key;
  record.id = *id;
  return decode(value, record) ? std::string_view{} : undecodable;
}

/// Under a number, of what does not know it.
template <class T, class Id>
std::string_view decodes_under(bytes key, bytes value) {
  T record;
  if (!to_number<Id>(key))
    return bad_key;
  return decode(value, record) ? std::string_view{} : undecodable;
}

template <class T>
std::string_view decodes(bytes value) {
  T record;
  return decode(value, record) ? std::string_view{} : undecodable;
}

std::string_view fault_of_meta(bytes key, bytes value) {
  if (key == meta_key::format)
    return {}; // it was read before anything else
  if (key == meta_key::checkpoint)
    return decodes<checkpoint>(value);
  if (key == meta_key::counters)
    return decodes<counters>(value);
  if (key == meta_key::log)
    return decodes<log_mark>(value);
  if (key == meta_key::runs)
    return decodes<run_times>(value);
  if (key == meta_key::counted)
    return decodes<counted_upto>(value);
  return "there is no such record in this version of Fanfare";
}

/// The body says whose it is.
std::string_view fault_of_notification(bytes key, bytes value) {
  notification n;
  const auto id = to_number<position>(key);
  if (!id)
    return bad_key;
  n.id = *id;
  if (!decode(value, n))
    return undecodable;
  const auto begin = R"({"notification_id": )" + std::to_string(*id);
  const bool whole = n.body.starts_with(begin) && n.body.ends_with('}')
                  && (n.body[begin.size()] == ','
                      || n.body[begin.size()] == '}');
  return whole ? std::string_view{}
               : "the body is not that of this notification";
}

std::string_view fault_of_tallies(bytes key, bytes value) {
  std::uint32_t row = 0;
  std::uint64_t subject = 0;
  if (!tally_key::read(key, row, subject))
    return bad_key;
  tally_walk walk{value};
  while (walk.next()) {}
  return walk.ok() ? std::string_view{} : undecodable;
}

template <class Id>
std::string_view fault_of_name(bytes key, bytes value, std::size_t prefix = 0) {
  if (key.size() <= prefix)
    return bad_key;
  return to_number<Id>(value) ? std::string_view{} : bad_value;
}

} // namespace

std::string_view fault_of(table in, bytes key, bytes value) {
  switch (in) {
    case table::meta: return fault_of_meta(key, value);
    case table::journal: return fault_of_notification(key, value);
    case table::journal_index: {
      position id = 0;
      action_type_id type = 0;
      event_id event_of = 0;
      if (!to_number<organizer_id>(key))
        return bad_key;
      return index_entry::read(value, id, type, event_of) ? std::string_view{}
                                                          : bad_value;
    }
    case table::calls: return decodes<logged_call>(key, value);
    case table::progress:
      return decodes_under<progress, webhook_id>(key, value);
    case table::behind:
      if (!to_number<webhook_id>(key))
        return bad_key;
      return to_number<position>(value) ? std::string_view{} : bad_value;
    case table::retries: {
      webhook_id hook = 0;
      retry r;
      if (!retry_key::read(key, hook, r.subject))
        return bad_key;
      return decode(value, r) ? std::string_view{} : undecodable;
    }
    case table::organizers: return decodes<organizer>(key, value);
    case table::organizer_slugs: return fault_of_name<organizer_id>(key, value);
    case table::events: return decodes<event>(key, value);
    case table::event_slugs:
      return fault_of_name<event_id>(key, value, sizeof(organizer_id));
    case table::tokens: return decodes<token>(key, value);
    case table::action_types: return decodes<action_type>(key, value);
    case table::action_type_names:
      return fault_of_name<action_type_id>(key, value);
    case table::webhooks: return decodes<webhook_record>(key, value);
    case table::organizer_webhooks: {
      webhook_id hook = 0;
      std::uint32_t enabled = 0;
      if (!to_number<organizer_id>(key))
        return bad_key;
      return webhook_entry::read(value, hook, enabled) && enabled <= 1
             ? std::string_view{}
             : bad_value;
    }
    case table::replays: return decodes_under<replay, webhook_id>(key, value);
    case table::idempotency:
      if (key.size() != std::tuple_size_v<idempotency_key>)
        return bad_key;
      return decodes<remembered>(value);
    case table::webhook_names:
      return fault_of_name<webhook_id>(key, value, sizeof(organizer_id));
    case table::idempotency_times:
      if (key.size()
          != std::tuple_size_v<idempotency_key> + sizeof(std::uint64_t))
        return bad_key;
      return value.empty() ? std::string_view{} : bad_value;
    case table::statistics:
    case table::older_statistics: return fault_of_tallies(key, value);
  }
  return bad_key;
}

std::string readable(table in, bytes key) {
  if (definition_of(in).by_number) {
    const auto narrow = to_number<std::uint32_t>(key);
    return std::to_string(narrow ? *narrow
                                 : to_number<std::uint64_t>(key).value_or(0));
  }
  if (in == table::retries) {
    webhook_id hook = 0;
    position subject = 0;
    if (retry_key::read(key, hook, subject))
      return "webhook " + std::to_string(hook) + ", notification "
           + std::to_string(subject);
  }
  if (in == table::statistics || in == table::older_statistics) {
    std::uint32_t row = 0;
    std::uint64_t subject = 0;
    if (tally_key::read(key, row, subject))
      return ((subject & of_organizer) != 0 ? "organizer " : "webhook ")
           + std::to_string(subject & ~of_organizer) + ", row "
           + std::to_string(row);
  }
  if ((in == table::event_slugs || in == table::webhook_names)
      && key.size() > sizeof(organizer_id))
    key.remove_prefix(sizeof(organizer_id));
  if (std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; }))
    return std::string{key};
  constexpr auto digits = "0123456789abcdef";
  std::string out;
  for (const auto c : key) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

void check_records(transaction& txn, const table_set& there,
                   fault_list& faults) {
  for (std::size_t i = 0; i < table_count; ++i) {
    if (!there.test(i))
      continue;
    const auto in = static_cast<table>(i);
    cursor at{txn, in};
    std::uint64_t looked_at = 0;
    for (auto more = at.first(); more; more = at.next()) {
      ++looked_at;
      if (const auto why = fault_of(in, at.key(), at.value()); !why.empty())
        faults.add(definition_of(in).name, readable(in, at.key()),
                   std::string{why});
    }
    faults.count(looked_at);
  }
}

namespace {

class group_reader final : public group_visitor {
public:
  void put(table in, bytes key, bytes value) override {
    fine_ = fine_ && fault_of(in, key, value).empty();
  }
  void erase(table /*in*/, bytes /*key*/, bytes /*value*/) override {}
  void checkpoint(const save_checkpoint& /*op*/,
                  const counters& /*last*/) override {}
  void count(call_id /*upto*/) override {}
  [[nodiscard]] bool ok() const override {
    return fine_;
  }

private:
  bool fine_ = true;
};

} // namespace

bool is_readable_group(bytes group) {
  group_reader to;
  return visit_group(group, to) && to.ok();
}

} // namespace fanfare::storage::lmdb
