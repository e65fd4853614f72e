// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/counters.hpp"

#include <variant>

namespace fanfare {

void engine_counters::observe(const storage::operation& op) {
  if (const auto* made = std::get_if<storage::append_call>(&op))
    note(*made);
  else if (const auto* added = std::get_if<storage::append_notifications>(&op);
           added != nullptr && added->done)
    note(*added);
}

void engine_counters::note(const storage::append_call& made) {
  const auto& entry = made.entry;
  const auto place = static_cast<std::size_t>(entry.result);
  const auto took = entry.timings.total;
  const auto microseconds = static_cast<std::uint64_t>(took.count());
  committed_.calls[place].add();
  committed_.call_microseconds.add(microseconds);
  if (const auto kind = failure_kind_of(entry))
    committed_.failures[*kind].add();
  if (!entry.unsent)
    committed_.call_duration.observe(took);
  if (made.published != timestamp{} && !entry.unsent)
    committed_.wait.observe(entry.time - made.published);
  auto& tally = where_it_happens_.webhooks.of(entry.hook);
  webhook_tally::add(tally.calls[place], std::uint32_t{1});
  webhook_tally::add(tally.microseconds, microseconds);
}

void engine_counters::note(const storage::append_notifications& added) {
  committed_.notifications.add(added.done->size());
  std::uint64_t bytes = 0;
  for (const auto& n : *added.done)
    bytes += n->body.size();
  committed_.bytes.add(bytes);
}

} // namespace fanfare
