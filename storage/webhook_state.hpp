// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a webhook actor starts from.

#include "model/records.hpp"
#include "storage/progress.hpp"

#include <optional>
#include <vector>

namespace fanfare::storage {

struct webhook_state {
  webhook_record hook;
  progress upto;
  std::vector<retry> retries; ///< in any order; none if it is disabled
  std::optional<replay> running;
};

} // namespace fanfare::storage
