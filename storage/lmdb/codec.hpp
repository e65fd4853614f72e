// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The records of the store as bytes. Each begins with the version of its own
/// layout, so that a later Fanfare reads what this one wrote. An id is the key
/// of its record and not repeated in it: set it before decode(), which leaves
/// it alone. decode() is false for bytes that encode() cannot have written; the
/// value is then unspecified.

#include "fanfare/idempotency.hpp"
#include "model/records.hpp"
#include "storage/progress.hpp"

#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

/// Where recovery starts.
struct checkpoint {
  position routed_upto = 0;
  call_id last_call = 0; ///< calls after it are to be replayed
  bool operator==(const checkpoint&) const = default;
};

/// Numbers that must not be given out again even when the records that had
/// them are gone.
struct counters {
  position tail = 0;
  call_id last_call = 0;
  bool operator==(const counters&) const = default;
};

/// The part of a notification that is found without its texts.
struct notification_head {
  timestamp published;
  organizer_id owner = 0;
  event_id event = 0;
  action_type_id type = 0;
};

// All append to `out`.
void encode(std::string& out, const organizer& value);
void encode(std::string& out, const event& value);
void encode(std::string& out, const action_type& value);
void encode(std::string& out, const token& value);
void encode(std::string& out, const webhook_record& value);
/// Without the body, which follows as it is and ends the record.
void encode_without_body(std::string& out, const notification& value);
void encode(std::string& out, const call& value);
void encode(std::string& out, const retry& value);
void encode(std::string& out, const replay& value);
void encode(std::string& out, const progress& value);
void encode(std::string& out, const checkpoint& value);
void encode(std::string& out, const counters& value);
void encode(std::string& out, const remembered& value);

[[nodiscard]] bool decode(std::string_view in, organizer& value);
[[nodiscard]] bool decode(std::string_view in, event& value);
[[nodiscard]] bool decode(std::string_view in, action_type& value);
[[nodiscard]] bool decode(std::string_view in, token& value);
[[nodiscard]] bool decode(std::string_view in, webhook_record& value);
[[nodiscard]] bool decode(std::string_view in, notification& value);
[[nodiscard]] bool decode(std::string_view in, notification_head& value);
[[nodiscard]] bool decode(std::string_view in, call& value);
/// Leaves the texts alone: all that `progress::apply` needs.
[[nodiscard]] bool decode_facts(std::string_view in, call& value);
[[nodiscard]] bool decode(std::string_view in, retry& value);
[[nodiscard]] bool decode(std::string_view in, replay& value);
[[nodiscard]] bool decode(std::string_view in, progress& value);
[[nodiscard]] bool decode(std::string_view in, checkpoint& value);
[[nodiscard]] bool decode(std::string_view in, counters& value);
[[nodiscard]] bool decode(std::string_view in, remembered& value);

} // namespace fanfare::storage::lmdb
