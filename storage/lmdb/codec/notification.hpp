// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The record of a notification: codec.hpp says how to use it.

#include "fanfare/types.hpp"

#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

/// The part of a notification that is found without copying its texts.
struct notification_head {
  timestamp published;
  organizer_id owner = 0;
  event_id event = 0;
  action_type_id type = 0;
  std::string_view action; ///< in the record
};

/// Without the body, which follows as it is and ends the record.
void encode_without_body(std::string& out, const notification& value);
[[nodiscard]] bool decode(std::string_view in, notification& value);
[[nodiscard]] bool decode(std::string_view in, notification_head& value);

} // namespace fanfare::storage::lmdb
