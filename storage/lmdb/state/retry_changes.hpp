// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Edits of one webhook's retry set that are yet to be made on an earlier state
/// of it.

#include "storage/lmdb/tables/records.hpp"

#include <map>
#include <optional>
#include <vector>

namespace fanfare::storage::lmdb {

/// A `retry_sink`.
class retry_changes {
public:
  void put(const retry& r) {
    entries_.insert_or_assign(r.subject, r);
  }
  void erase(position p);
  void clear();

  /// Whether an entry was put and not erased since.
  [[nodiscard]] bool has(position p) const;
  /// Whether any entry was.
  [[nodiscard]] bool has_any() const;
  /// Whether the earlier entry of the notification is gone or replaced.
  [[nodiscard]] bool void_earlier(position p) const {
    return cleared_ || entries_.contains(p);
  }

  /// Appends later edits.
  void merge(retry_changes later);
  /// Makes the edits; `set` is sorted by subject before and after.
  void apply_to(std::vector<retry>& set) const;
  /// Makes the edits in the table.
  void write(record_writer& to, webhook_id hook) const;

private:
  bool cleared_ = false;
  /// Nothing: erased.
  std::map<position, std::optional<retry>> entries_;
};

} // namespace fanfare::storage::lmdb
