// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/backup/index_check.hpp"

#include "storage/lmdb/backup/record_check.hpp"
#include "storage/lmdb/state/progress_tables.hpp"
#include "storage/lmdb/state/recovery.hpp"
#include "storage/lmdb/tables/records.hpp"

#include <concepts>
#include <string>

namespace fanfare::storage::lmdb {

namespace {

class index_walk {
public:
  index_walk(transaction& txn, const table_set& there, fault_list& faults)
    : txn_(txn),
      there_(there),
      faults_(faults),
      last_(read_counters(txn, read_checkpoint(txn))),
      first_call_(first_id<call_id>(txn, table::calls)) {}

  void check() {
    check_registry();
    check_webhooks();
    check_journal();
    check_calls();
    check_standing();
    check_statistics();
    check_answers();
  }

private:
  template <class Visit>
  void each(table in, Visit&& visit) {
    if (!there_.test(static_cast<std::size_t>(in)))
      return;
    cursor at{txn_, in};
    for (auto more = at.first(); more; more = at.next())
      visit(at.key(), at.value());
  }
  void fault(table in, bytes key, const std::string& what) {
    faults_.add(definition_of(in).name, readable(in, key), what);
  }
  [[nodiscard]] bool has(table in, bytes key) {
    return txn_.get(in, key).has_value();
  }
  [[nodiscard]] bool has(table in, bytes key, bytes value) {
    cursor at{txn_, in};
    return at.seek(key, value) && at.value() == value;
  }
  template <std::unsigned_integral Id>
  void expect(table in, bytes key, table other, Id id, const char* what) {
    if (!has(other, as_key(id)))
      fault(in, key,
            std::string{"it names "} + what + " " + std::to_string(id)
              + ", which does not exist");
  }

  // -- names ------------------------------------------------------------------

  /// Each record has its name in the index, and each name leads to its record.
  /// An empty one needs none.
  template <class T, class Name>
  void check_names(table records, table names, Name&& name_of) {
    using id_type = decltype(T::id);
    each(records, [&](bytes key, bytes value) {
      T record;
      record.id = to_number<id_type>(key).value_or(0);
      (void)decode(value, record);
      const auto name = name_of(record);
      if (name.empty())
        return; // it was removed
      const auto found = txn_.get(names, name);
      if (!found || *found != key)
        fault(records, key, "its name does not lead to it");
    });
    each(names, [&](bytes key, bytes value) {
      T record;
      record.id = to_number<id_type>(value).value_or(0);
      const auto found = txn_.get(records, value);
      if (!found || !decode(*found, record) || name_of(record) != key)
        fault(names, key, "the name does not lead to what has it");
    });
  }

  void check_registry() {
    check_names<organizer>(table::organizers, table::organizer_slugs,
                           [](const organizer& o) { return o.slug; });
    check_names<event>(table::events, table::event_slugs, [](const event& e) {
      return e.slug.empty() ? std::string{} : owned_key(e.owner, e.slug);
    });
    check_names<webhook_record>(
      table::webhooks, table::webhook_names, [](const webhook_record& w) {
        const auto& name = w.delivery.name;
        return name.empty() ? std::string{} : owned_key(w.owner, name);
      });
    check_names<action_type>(table::action_types, table::action_type_names,
                             [](const action_type& t) { return t.name; });
    each(table::events, [&](bytes key, bytes value) {
      event e;
      (void)decode(value, e);
      expect(table::events, key, table::organizers, e.owner, "organizer");
    });
    each(table::tokens, [&](bytes key, bytes value) {
      token t;
      (void)decode(value, t);
      expect(table::tokens, key, table::organizers, t.owner, "organizer");
    });
  }

  void check_webhooks() {
    each(table::webhooks, [&](bytes key, bytes value) {
      webhook_record hook;
      hook.id = to_number<webhook_id>(key).value_or(0);
      (void)decode(value, hook);
      expect(table::webhooks, key, table::organizers, hook.owner, "organizer");
      const auto enabled = hook.current().enabled ? 1U : 0U;
      if (!has(table::organizer_webhooks, as_key(hook.owner),
               webhook_entry{hook.id, enabled}.view()))
        fault(table::webhooks, key, "its organizer's list does not have it");
    });
    each(table::organizer_webhooks, [&](bytes key, bytes value) {
      webhook_record hook;
      std::uint32_t enabled = 0;
      (void)webhook_entry::read(value, hook.id, enabled);
      const auto found = txn_.get(table::webhooks, as_key(hook.id));
      if (!found || !decode(*found, hook) || as_key(hook.owner) != key
          || hook.current().enabled != (enabled != 0))
        fault(table::organizer_webhooks, key,
              "webhook " + std::to_string(hook.id)
                + " is not what the list says of it");
    });
  }

  // -- journal and calls ------------------------------------------------------

  void check_journal() {
    each(table::journal, [&](bytes key, bytes value) {
      notification_head head;
      const auto id = to_number<position>(key).value_or(0);
      (void)decode(value, head);
      if (!has(table::journal_index, as_key(head.owner),
               index_entry{id, head.type, head.event}.view()))
        fault(table::journal, key,
              "the index does not have it: no webhook "
              "would get it from a backlog");
      if (!has(table::organizers, as_key(head.owner)))
        fault(table::journal, key, "its organizer does not exist");
      if (head.event != 0 && !has(table::events, as_key(head.event)))
        fault(table::journal, key, "its event does not exist");
    });
    each(table::journal_index, [&](bytes key, bytes value) {
      position id = 0;
      action_type_id type = 0;
      event_id event_of = 0;
      (void)index_entry::read(value, id, type, event_of);
      notification_head head;
      const auto found = txn_.get(table::journal, as_key(id));
      if (!found || !decode(*found, head) || as_key(head.owner) != key
          || head.type != type || head.event != event_of)
        fault(table::journal_index, key,
              "notification " + std::to_string(id)
                + " is not what the index says of it");
    });
  }

  /// A webhook's calls are a chain, newest first. Old ones go.
  void check_chain(table in, bytes key, webhook_id hook, call_id newest) {
    if (newest == 0 || newest < first_call_ || first_call_ == 0)
      return;
    logged_call before;
    before.id = newest;
    const auto found = txn_.get(table::calls, as_key(newest));
    if (!found || !decode_facts(*found, before) || before.hook != hook)
      fault(in, key,
            "the chain of the webhook's calls is broken at call "
              + std::to_string(newest));
  }

  void check_calls() {
    each(table::calls, [&](bytes key, bytes value) {
      logged_call c;
      c.id = to_number<call_id>(key).value_or(0);
      (void)decode_facts(value, c);
      expect(table::calls, key, table::webhooks, c.hook, "webhook");
      if (c.subject > last_.tail)
        fault(table::calls, key, "its notification was never published");
      check_chain(table::calls, key, c.hook, c.previous);
    });
  }

  void check_statistics() {
    counted_upto counted;
    if (const auto found = txn_.get(table::meta, meta_key::counted);
        found && decode(*found, counted) && counted.last_call > last_.last_call)
      fault(table::meta, meta_key::counted, "it is ahead of the log of calls");
    for (const auto in : {table::statistics, table::older_statistics})
      each(in, [&](bytes key, bytes) {
        std::uint32_t row = 0;
        std::uint64_t subject = 0;
        (void)tally_key::read(key, row, subject);
        if ((subject & of_organizer) == 0)
          expect(in, key, table::webhooks, webhook_id{subject}, "webhook");
        else
          expect(in, key, table::organizers, static_cast<organizer_id>(subject),
                 "organizer");
      });
  }

  // -- where webhooks stand ---------------------------------------------------

  void check_standing() {
    each(table::progress, [&](bytes key, bytes value) {
      const auto hook = to_number<webhook_id>(key).value_or(0);
      progress p;
      (void)decode(value, p);
      expect(table::progress, key, table::webhooks, hook, "webhook");
      if (p.cursor > last_.tail || p.last_call > last_.last_call)
        fault(table::progress, key,
              "it is ahead of the journal or of the log of calls");
      check_chain(table::progress, key, hook, p.last_call);
    });
    for (const auto in : {table::behind, table::replays})
      each(in, [&](bytes key, bytes) {
        expect(in, key, table::webhooks, to_number<webhook_id>(key).value_or(0),
               "webhook");
      });
    each(table::retries, [&](bytes key, bytes) {
      webhook_id hook = 0;
      position subject = 0;
      (void)retry_key::read(key, hook, subject);
      expect(table::retries, key, table::webhooks, hook, "webhook");
      if (subject > last_.tail)
        fault(table::retries, key, "its notification was never published");
    });
  }

  // -- answers ----------------------------------------------------------------

  void check_answers() {
    each(table::idempotency, [&](bytes key, bytes value) {
      remembered r;
      (void)decode(value, r);
      idempotency_key id{};
      key.copy(id.data(), id.size());
      if (!has(table::idempotency_times, answer_time_key(r.created, id)))
        fault(table::idempotency, key, "it would never expire");
    });
    each(table::idempotency_times, [&](bytes key, bytes) {
      if (!has(table::idempotency, key.substr(sizeof(std::uint64_t))))
        fault(table::idempotency_times, key, "it leads to no answer");
    });
  }

  transaction& txn_;
  const table_set& there_;
  fault_list& faults_;
  counters last_;
  call_id first_call_;
};

} // namespace

void check_indexes(transaction& txn, const table_set& there,
                   fault_list& faults) {
  index_walk{txn, there, faults}.check();
}

} // namespace fanfare::storage::lmdb
