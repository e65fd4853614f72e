// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/batch.hpp"

#include "storage/lmdb/state/statistics.hpp"
#include "storage/lmdb/write/checkpoint_writer.hpp"

#include <algorithm>
#include <variant>

namespace fanfare::storage::lmdb {

namespace {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

} // namespace

batch::batch(write_transaction& txn, change_layer& layer,
             group_recorder& recorder, const options& opts)
  : txn_(txn),
    layer_(layer),
    recorder_(recorder),
    room_(opts.room),
    journal_(records_, registry_, answers_, room_, opts.last.tail),
    deliveries_(records_, layer_, opts.last.last_call) {}

void batch::execute(std::span<operation> operations) {
  txn_.tell(&recorder_);
  for (auto& op : operations) {
    if (!txn_.ok())
      break;
    if (!std::holds_alternative<append_notifications>(op))
      journal_.flush_index();
    execute(op);
  }
  journal_.flush_index();
  journal_.close();
  deliveries_.close();
  txn_.tell(nullptr);
}

void batch::execute(operation& op) {
  std::visit(
    overloaded{
      [this](append_notifications& o) { journal_.execute(o); },
      [this](append_call& o) { deliveries_.execute(o); },
      [this](add_organizer& o) { registry_.execute(o); },
      [this](change_organizer& o) { registry_.execute(o); },
      [this](remove_organizer& o) { registry_.execute(o); },
      [this](clear_organizer& o) { webhooks_.execute(o, journal_.tail()); },
      [this](add_event& o) { registry_.execute(o); },
      [this](rename_event& o) { registry_.execute(o); },
      [this](remove_event& o) { registry_.execute(o); },
      [this](add_action_type& o) { registry_.execute(o); },
      [this](add_token& o) { registry_.execute(o); },
      [this](revoke_token& o) { registry_.execute(o); },
      [this](touch_tokens& o) { registry_.execute(o); },
      [this](add_webhook& o) { webhooks_.execute(o, journal_.tail()); },
      [this](change_webhook& o) { webhooks_.execute(o, journal_.tail()); },
      [this](drop_retries& o) { deliveries_.execute(o); },
      [this](amend_progress& o) { deliveries_.execute(o); },
      [this](enqueue& o) { deliveries_.execute(o); },
      [this](start_replay& o) { deliveries_.execute(o); },
      [this](barrier& o) { deliveries_.execute(o); },
      [this](save_checkpoint& o) { save(o); },
      [this](remember_answer& o) { answers_.execute(o); },
      [this](expire& o) { remove_old(o); },
    },
    op);
}

void batch::save(const save_checkpoint& op) {
  if (op.runs)
    records_.put(table::meta, meta_key::runs, *op.runs);
  auto* const told = txn_.tell(nullptr);
  const bool says_something = write_checkpoint(records_, layer_, op, last());
  txn_.tell(told);
  if (says_something)
    recorder_.note_checkpoint(op, last());
}

/// What is to go may not be counted yet, if nothing was called since.
void batch::count(call_id upto) {
  if (upto <= read_counted(txn_).last_call)
    return;
  auto* const told = txn_.tell(nullptr);
  count_calls(records_, upto);
  txn_.tell(told);
  recorder_.note_count(upto);
}

void batch::remove_old(const expire& op) {
  count(std::min(op.calls_upto, layer_.last_checkpoint().last_call));
  journal_.expire(op.notifications);
  deliveries_.expire_calls(op.calls_upto, op.max_calls);
  answers_.expire(op.answers_before, op.max_answers);
  // The last numbers given out may go with their records.
  records_.put(table::meta, meta_key::counters, last());
}

void batch::take_back(std::span<operation> operations) {
  for (auto& op : operations)
    if (auto* append = std::get_if<append_notifications>(&op))
      journal_writer::take_back(*append);
}

} // namespace fanfare::storage::lmdb
