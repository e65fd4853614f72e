// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/replay/effects.hpp"

#include "storage/lmdb/codec/bytes.hpp"
#include "storage/lmdb/codec/fields.hpp"
#include "storage/lmdb/state/change_layer.hpp"
#include "storage/lmdb/state/progress_tables.hpp"
#include "storage/lmdb/state/recovery.hpp"
#include "storage/lmdb/state/statistics.hpp"
#include "storage/lmdb/tables/keys.hpp"
#include "storage/lmdb/tables/records.hpp"
#include "storage/lmdb/write/checkpoint_writer.hpp"

#include <utility>

namespace fanfare::storage::lmdb {

namespace {

enum kind : std::uint8_t { is_put, is_erase, is_checkpoint, is_count };
constexpr unsigned kind_bits = 2;
static_assert(table_count < 64);

} // namespace

// -- recording ----------------------------------------------------------------

void group_recorder::clear() {
  bytes_.clear();
  bytes_.reserve(size_);
  last_ = {};
}

void group_recorder::note(const effect& change) {
  byte_writer to{bytes_};
  const bool erases = change.what == effect::kind::erase;
  const auto& of = definition_of(change.in);
  to.u8(
    static_cast<std::uint8_t>((erases ? is_erase : is_put)
                              | static_cast<unsigned>(change.in) << kind_bits));
  if (of.by_number) {
    auto& last = last_[static_cast<std::size_t>(change.in)];
    const auto narrow = to_number<std::uint32_t>(change.key);
    const auto key = narrow ? *narrow
                            : to_number<std::uint64_t>(change.key).value_or(0);
    to.u8(static_cast<std::uint8_t>(change.key.size()));
    put_near(to, key, last);
    last = key;
  } else {
    to.text(change.key);
  }
  if (erases && of.value_size == 0)
    return;
  to.number(change.value.size() + change.rest.size());
  bytes_.append(change.value);
  bytes_.append(change.rest);
}

void group_recorder::note_checkpoint(const save_checkpoint& op,
                                     const counters& last) {
  byte_writer to{bytes_};
  to.u8(is_checkpoint);
  to.number(last.tail);
  to.number(last.last_call);
  to.number(op.routed_upto);
  to.number(op.behind.size());
  for (const auto& [hook, cursor_of] : op.behind) {
    to.number(hook);
    put_near(to, cursor_of, op.routed_upto);
  }
}

void group_recorder::note_count(call_id upto) {
  byte_writer to{bytes_};
  to.u8(is_count);
  to.number(upto);
}

// -- reading ------------------------------------------------------------------

namespace {

/// False: it cannot be read.
bool visit_checkpoint(byte_reader& from, group_visitor& to) {
  counters last;
  last.tail = from.number();
  last.last_call = from.number();
  save_checkpoint op;
  op.routed_upto = from.number();
  op.behind.resize(from.count());
  for (auto& one : op.behind) {
    one.hook = from.number();
    one.cursor = get_near(from, op.routed_upto);
  }
  if (!from.ok())
    return false;
  to.checkpoint(op, last);
  return true;
}

/// All values of a key, one after the other.
void visit_values(table in, bytes key, bytes values, group_visitor& to) {
  const auto size = definition_of(in).value_size;
  if (size == 0)
    return to.put(in, key, values);
  for (; values.size() >= size; values.remove_prefix(size))
    to.put(in, key, values.substr(0, size));
}

} // namespace

bool visit_group(bytes group, group_visitor& to) {
  byte_reader from{group};
  std::array<std::uint64_t, table_count> last{};
  while (to.ok() && from.ok() && !from.complete()) {
    const auto head = from.u8();
    const auto what = head & ((1U << kind_bits) - 1);
    const auto number = static_cast<std::size_t>(head >> kind_bits);
    if (what == is_checkpoint) {
      if (!visit_checkpoint(from, to))
        return false;
      continue;
    }
    if (what == is_count) {
      const auto upto = from.number();
      if (!from.ok())
        return false;
      to.count(upto);
      continue;
    }
    if (what > is_erase || number >= table_count)
      return false;
    const auto in = static_cast<table>(number);
    const auto& of = definition_of(in);
    std::uint64_t wide = 0;
    std::uint32_t narrow = 0;
    bytes key;
    if (of.by_number) {
      const bool is_narrow = from.u8() == sizeof narrow;
      wide = last[number] = get_near(from, last[number]);
      narrow = static_cast<std::uint32_t>(wide);
      key = is_narrow ? as_key(narrow) : as_key(wide);
    } else {
      key = from.text();
    }
    const bool has_value = what == is_put || of.value_size != 0;
    const auto value = has_value ? from.text() : bytes{};
    if (!from.ok())
      return false;
    if (what == is_put)
      visit_values(in, key, value, to);
    else
      to.erase(in, key, value);
  }
  return from.ok();
}

// -- applying -----------------------------------------------------------------

namespace {

class group_applier final : public group_visitor {
public:
  explicit group_applier(write_transaction& txn) : txn_(txn) {}

  void put(table in, bytes key, bytes value) override {
    txn_.put(in, key, value);
  }
  void erase(table in, bytes key, bytes value) override {
    if (definition_of(in).value_size == 0)
      txn_.erase(in, key);
    else
      txn_.erase(in, key, value);
  }
  void checkpoint(const save_checkpoint& op, const counters& last) override {
    const changes none;
    const auto start = read_checkpoint(txn_);
    change_layer layer{txn_, none, start};
    replay_calls(txn_, start.last_call, layer);
    record_writer to{txn_};
    write_checkpoint(to, layer, op, last);
  }
  void count(call_id upto) override {
    record_writer to{txn_};
    count_calls(to, upto);
  }
  [[nodiscard]] bool ok() const override {
    return txn_.ok();
  }

private:
  write_transaction& txn_;
};

} // namespace

void apply_group(write_transaction& txn, bytes group) {
  group_applier to{txn};
  if (!visit_group(group, to) && txn.ok())
    txn.damaged("a commit in the log");
}

result<void> apply_log(write_transaction& txn, const commit_log& log,
                       log_mark& mark) {
  const auto read = log.read(mark.sequence,
                             [&](log_sequence, std::string_view group) {
                               apply_group(txn, group);
                               return txn.ok() ? result<void>{} : txn.failure();
                             });
  if (!read)
    return read;
  mark.sequence = log.last();
  record_writer{txn}.put(table::meta, meta_key::log, mark);
  return txn.ok() ? result<void>{} : txn.failure();
}

} // namespace fanfare::storage::lmdb
