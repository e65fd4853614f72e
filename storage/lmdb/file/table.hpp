// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which tables the store has.

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fanfare::storage::lmdb {

/// Keys and values. What a transaction returns points into the map and is valid
/// until its next write or its end.
using bytes = std::string_view;

/// "n" is a number in the machine's order, sorted as a number; "be" is a
/// big-endian one, sorted as bytes. keys.hpp makes the keys, codec.hpp the
/// records.
enum class table : std::uint8_t {
  meta,               ///< name → stamp, checkpoint, counters, …
  journal,            ///< n position → notification
  journal_index,      ///< n organizer → many index_entry
  calls,              ///< n call → call
  progress,           ///< n webhook → progress at the last checkpoint
  behind,             ///< n webhook → n cursor, if it was behind then
  retries,            ///< retry_key → retry at the last checkpoint
  organizers,         ///< n organizer → organizer
  organizer_slugs,    ///< slug → n organizer
  events,             ///< n event → event
  event_slugs,        ///< be organizer, slug → n event
  tokens,             ///< n token → token
  action_types,       ///< n action type → action_type
  action_type_names,  ///< name → n action type
  webhooks,           ///< n webhook → webhook
  organizer_webhooks, ///< n organizer → many webhook_entry
  replays,            ///< n webhook → its last replay
  idempotency,        ///< idempotency_key → remembered
  idempotency_times,  ///< answer_time_key → nothing
  statistics,         ///< tally_key → tallies of 5 minutes
  older_statistics,   ///< tally_key → tallies of an hour
  webhook_names,      ///< be organizer, name → n webhook
};

struct table_definition {
  const char* name;
  bool by_number; ///< keys are numbers in the machine's order
  /// Of a table whose keys have many values: the size of each. Else 0.
  std::size_t value_size = 0;
};

/// In the order of `table`.
inline constexpr std::array table_definitions{
  table_definition{"meta", false},
  table_definition{"journal", true},
  table_definition{"journal_index", true, 16},
  table_definition{"calls", true},
  table_definition{"progress", true},
  table_definition{"behind", true},
  table_definition{"retries", false},
  table_definition{"organizers", true},
  table_definition{"organizer_slugs", false},
  table_definition{"events", true},
  table_definition{"event_slugs", false},
  table_definition{"tokens", true},
  table_definition{"action_types", true},
  table_definition{"action_type_names", false},
  table_definition{"webhooks", true},
  table_definition{"organizer_webhooks", true, 12},
  table_definition{"replays", true},
  table_definition{"idempotency", false},
  table_definition{"idempotency_times", false},
  table_definition{"statistics", false},
  table_definition{"older_statistics", false},
  table_definition{"webhook_names", false},
};
inline constexpr auto table_count = table_definitions.size();
static_assert(table_count
              == static_cast<std::size_t>(table::webhook_names) + 1);

/// Some of the tables.
using table_set = std::bitset<table_count>;

constexpr const table_definition& definition_of(table which) {
  return table_definitions[static_cast<std::size_t>(which)];
}

} // namespace fanfare::storage::lmdb
