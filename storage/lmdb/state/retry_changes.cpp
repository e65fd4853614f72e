// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/state/retry_changes.hpp"

#include "storage/lmdb/state/progress_tables.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::storage::lmdb {

void retry_changes::erase(position p) {
  if (cleared_)
    entries_.erase(p);
  else
    entries_.insert_or_assign(p, std::nullopt);
}

void retry_changes::clear() {
  cleared_ = true;
  entries_.clear();
}

bool retry_changes::has(position p) const {
  auto i = entries_.find(p);
  return i != entries_.end() && i->second;
}

bool retry_changes::has_any() const {
  return std::ranges::any_of(
    entries_, [](const auto& e) { return e.second.has_value(); });
}

void retry_changes::merge(retry_changes later) {
  if (later.cleared_) {
    *this = std::move(later);
    return;
  }
  for (auto& [subject, put] : later.entries_) {
    if (put)
      entries_.insert_or_assign(subject, put);
    else
      erase(subject);
  }
}

void retry_changes::apply_to(std::vector<retry>& set) const {
  if (cleared_)
    set.clear();
  if (entries_.empty())
    return;
  std::vector<retry> merged;
  merged.reserve(set.size() + entries_.size());
  auto old = set.begin();
  for (const auto& [subject, put] : entries_) {
    for (; old != set.end() && old->subject < subject; ++old)
      merged.push_back(*old);
    if (old != set.end() && old->subject == subject)
      ++old;
    if (put)
      merged.push_back(*put);
  }
  merged.insert(merged.end(), old, set.end());
  set = std::move(merged);
}

void retry_changes::write(record_writer& to, webhook_id hook) const {
  if (cleared_)
    erase_retries(to.txn(), hook);
  for (const auto& [subject, put] : entries_) {
    const retry_key key{hook, subject};
    if (put)
      to.put(table::retries, key.view(), *put);
    else
      to.txn().erase(table::retries, key.view());
  }
}

} // namespace fanfare::storage::lmdb
