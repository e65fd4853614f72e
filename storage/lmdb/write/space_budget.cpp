// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/space_budget.hpp"

#include <algorithm>
#include <variant>

namespace fanfare::storage::lmdb {

// -- estimates ----------------------------------------------------------------

namespace {

/// Index entry, keys, node headers and the other fields of a record.
constexpr std::size_t overhead = 160;

std::size_t estimate_record(std::size_t texts) {
  // A record that does not fit twice into a page gets pages of its own.
  constexpr std::size_t page = 4096;
  const auto size = overhead + texts;
  return size > page / 2 ? (size / page + 1) * page : size;
}

} // namespace

std::size_t estimate(const append_notifications& op) {
  // Keys are random, so that the pages of the receipts are half full.
  std::size_t sum = op.once ? 2 * overhead : 0;
  for (const auto& d : op.drafts)
    sum += estimate_record(d.action.size() + d.rest.size() + d.trace.size());
  return sum;
}

std::size_t estimate(const remember_answer& op) {
  auto texts = op.answer.body.size();
  for (const auto& [name, text] : op.answer.headers)
    texts += name.size() + text.size() + 2;
  return overhead + estimate_record(texts);
}

std::size_t estimate(const call& c) {
  return estimate_record(c.target_url.size() + c.reason.size()
                         + c.response_head.size() + c.response_body.size());
}

error publishing_room::refusal() {
  return {ec::store_full,
          "The store is full: it keeps its last room for what it has "
          "accepted. Free space, raise its maximum size or shorten the "
          "retention."};
}

// -- space_budget -------------------------------------------------------------

space_budget::space_budget(std::size_t for_tables, std::size_t max_size,
                           std::size_t allocated)
  : max_size_(for_tables) {
  constexpr std::size_t least = std::size_t{4} << 20;
  reserve_ = std::min(std::max(for_tables / 20, least), for_tables / 2);
  limit_ = std::max(max_size, allocated + last_reserve());
}

std::size_t space_budget::for_publishing(std::size_t used) const {
  const auto limit = max_size_ - reserve_;
  return limit > used ? limit - used : 0;
}

// -- operations ---------------------------------------------------------------

namespace {

bool publishes(const operation& op) {
  return std::holds_alternative<append_notifications>(op)
      || std::holds_alternative<remember_answer>(op);
}

bool makes_room(const operation& op) {
  return std::holds_alternative<expire>(op);
}

bool grows(const operation& op) {
  return !publishes(op) && !makes_room(op)
      && !std::holds_alternative<barrier>(op)
      && !std::holds_alternative<save_checkpoint>(op)
      && !std::holds_alternative<drop_retries>(op);
}

} // namespace

std::size_t space_budget::wanted(std::span<const operation> operations) {
  std::size_t sum = 0;
  for (const auto& op : operations)
    if (const auto* publish = std::get_if<append_notifications>(&op))
      sum += estimate(*publish);
    else if (const auto* remember = std::get_if<remember_answer>(&op))
      sum += estimate(*remember);
  return sum;
}

std::size_t space_budget::weight(std::span<const operation> operations,
                                 bool with_publishing) {
  constexpr std::size_t page = 4096;
  // A row whose key is a number, with its share of the pages above.
  constexpr std::size_t row = 64;
  std::size_t sum = 0;
  for (const auto& op : operations)
    if (const auto* call = std::get_if<append_call>(&op))
      sum += estimate(call->entry);
    else if (const auto* some = std::get_if<enqueue>(&op))
      sum += page + some->entries.size() * row;
    else if (const auto* all = std::get_if<save_checkpoint>(&op))
      sum += page + all->behind.size() * row;
    else if (!publishes(op) && !std::holds_alternative<barrier>(op)
             && !makes_room(op))
      sum += page;
  return with_publishing ? sum + wanted(operations) : sum;
}

bool space_budget::publish(std::span<const operation> operations) {
  return std::ranges::any_of(operations, publishes);
}

bool space_budget::removes(std::span<const operation> operations) {
  return std::ranges::any_of(operations, makes_room);
}

bool space_budget::grow(std::span<const operation> operations) {
  return std::ranges::any_of(operations, grows) && !removes(operations);
}

} // namespace fanfare::storage::lmdb
