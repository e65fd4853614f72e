// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a store in memory refuses.

#include "fanfare/error.hpp"

#include <string>
#include <string_view>

namespace fanfare::test {

inline error refusal(ec code, std::string_view field) {
  return {code, "The store in memory refuses this.", std::string{field}};
}

/// A name is not empty, and at most so long as every store takes.
inline result<void> check_name(std::string_view name, std::string_view field) {
  if (name.empty())
    return refusal(ec::invalid_argument, field);
  if (name.size() > 500)
    return refusal(ec::too_large, field);
  return {};
}

} // namespace fanfare::test
