// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/write/journal_writer.hpp"

#include "storage/lmdb/tables/refusals.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

namespace fanfare::storage::lmdb {

// -- bodies -------------------------------------------------------------------

namespace {

constexpr std::string_view body_begin = R"({"notification_id": )";

/// Puts the id in front. Whoever rendered the text may have left room for it.
std::string make_body(position id, std::string&& rest) {
  std::array<char, body_begin.size() + 20> front;
  std::ranges::copy(body_begin, front.begin());
  const auto*
    end = std::to_chars(front.begin() + body_begin.size(), front.end(), id).ptr;
  const auto size = static_cast<std::size_t>(end - front.begin());
  // The body is kept as long as somebody has to send it: with little to spare.
  constexpr std::size_t most_spare = 256;
  const auto spare = rest.capacity() - rest.size();
  if (spare >= size && spare <= most_spare) {
    rest.insert(0, front.data(), size);
    return std::move(rest);
  }
  std::string body;
  body.reserve(size + rest.size());
  body.append(front.data(), size).append(rest);
  return body;
}

/// What make_body was given.
std::string rest_of(const notification& n) {
  return n.body.substr(body_begin.size() + std::to_string(n.id).size());
}

} // namespace

// -- appending ----------------------------------------------------------------

void journal_writer::execute(append_notifications& op) {
  op.new_events.clear();
  op.earlier.reset();
  // Before anything that could refuse it: a store that has become full does not
  // undo what was done.
  if (op.once) {
    if (auto earlier = answers_.find(op.once->key, op.published)) {
      op.earlier = std::make_shared<stored_answer>(std::move(*earlier));
      op.done = std::vector<notification_ptr>{};
      return;
    }
  }
  const auto wanted = estimate(op);
  if (auto fine = check(op, wanted); !fine) {
    op.done = fine.error();
    return;
  }
  room_.take(wanted);
  std::vector<notification_ptr> added;
  added.reserve(op.drafts.size());
  for (auto& d : op.drafts)
    added.push_back(append(d, op));
  if (op.once)
    answers_.put(op.once->key,
                 {.created = op.published,
                  .answer = publish_receipt{
                    .first = added.empty() ? 0 : added.front()->id,
                    .count = static_cast<std::uint32_t>(added.size()),
                    .list = op.once->list,
                    .indent = op.once->indent,
                    .asked = op.once->asked}});
  op.done = std::move(added);
}

result<void> journal_writer::check(const append_notifications& op,
                                   std::size_t wanted) const {
  if (!room_.has(wanted))
    return publishing_room::refusal();
  for (const auto& d : op.drafts) {
    if (d.event != 0 || d.new_event.empty())
      continue;
    if (auto fine = check_name(d.new_event, "event", sizeof d.owner); !fine)
      return fine;
  }
  return {};
}

notification_ptr journal_writer::append(draft& from, append_notifications& op) {
  auto event_of = from.event;
  if (event_of == 0 && !from.new_event.empty()) {
    bool is_new = false;
    auto found = registry_.find_or_add_event(from.owner, from.new_event,
                                             from.new_event, is_new);
    event_of = found.id;
    if (is_new)
      op.new_events.push_back(std::move(found));
  }
  auto n = std::make_shared<notification>(
    notification{.id = ++tail_,
                 .published = op.published,
                 .owner = from.owner,
                 .event = event_of,
                 .type = from.type,
                 .action = std::move(from.action),
                 .body = make_body(tail_, std::move(from.rest)),
                 .trace = std::move(from.trace)});
  if (!end_)
    end_.emplace(to_.txn(), table::journal);
  end_->append(as_key(n->id), to_.encoded_head(*n), n->body);
  index(*n);
  return n;
}

void journal_writer::take_back(append_notifications& op) {
  if (!op.done)
    return;
  auto draft = op.drafts.begin();
  for (const auto& n : *op.done) {
    draft->action = n->action;
    draft->rest = rest_of(*n);
    draft->trace = n->trace;
    ++draft;
  }
  op.done = error{};
}

// -- index --------------------------------------------------------------------

void journal_writer::index(const notification& n) {
  if (n.owner != index_owner_)
    flush_index();
  index_owner_ = n.owner;
  index_ += index_entry{n.id, n.type, n.event}.view();
}

void journal_writer::flush_index() {
  if (index_.empty())
    return;
  write_cursor{to_.txn(), table::journal_index}.append(as_key(index_owner_),
                                                       index_);
  index_.clear();
}

// -- removing -----------------------------------------------------------------

void journal_writer::expire(std::span<const position> which) {
  close(); // the last entry may go, on which it stands
  auto& txn = to_.txn();
  for (auto place : which) {
    notification_head head;
    if (!find_record(txn, table::journal, as_key(place), head, "notification",
                     place))
      continue;
    txn.erase(table::journal_index, as_key(head.owner),
              index_entry{place, head.type, head.event}.view());
    txn.erase(table::journal, as_key(place));
  }
}

void journal_writer::close() {
  end_.reset();
}

} // namespace fanfare::storage::lmdb
