// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Appends to the journal and its index, and removes from them.

#include "storage/lmdb/tables/records.hpp"
#include "storage/lmdb/write/answers.hpp"
#include "storage/lmdb/write/registry_writer.hpp"
#include "storage/lmdb/write/space_budget.hpp"
#include "storage/operations.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace fanfare::storage::lmdb {

/// Of one transaction.
class journal_writer {
public:
  /// `tail`: the last position given out.
  journal_writer(record_writer& to, registry_writer& registry,
                 answer_writer& answers, publishing_room& room, position tail)
    : to_(to),
      registry_(registry),
      answers_(answers),
      room_(room),
      tail_(tail) {}

  void execute(append_notifications& op);
  /// Gives the drafts their texts back, so that the operation can be carried
  /// out in another transaction after this one has failed.
  static void take_back(append_notifications& op);

  [[nodiscard]] position tail() const noexcept {
    return tail_;
  }

  /// Writes the index entries that are still missing. Before anything that
  /// reads or removes entries.
  void flush_index();
  /// Skips absent ones.
  void expire(std::span<const position> which);
  /// No cursor may outlive the transaction.
  void close();

private:
  /// Whether it may be carried out. `wanted`: its estimate.
  [[nodiscard]] result<void> check(const append_notifications& op,
                                   std::size_t wanted) const;
  notification_ptr append(draft& from, append_notifications& op);
  void index(const notification& n);

  record_writer& to_;
  registry_writer& registry_;
  answer_writer& answers_;
  publishing_room& room_;
  position tail_;
  /// Opened when first needed.
  std::optional<write_cursor> end_;
  /// Entries that are not written yet, all of `index_owner_`. Many at once cost
  /// less than one after the other.
  std::string index_;
  organizer_id index_owner_ = 0;
};

} // namespace fanfare::storage::lmdb
