// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What operations are refused with, and reads that find nothing.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

inline error refusal(ec code, std::string_view what, std::string_view field) {
  return {code, std::string{what}, std::string{field}};
}

/// Of a read.
inline error not_found(std::string_view what) {
  return {ec::not_found, "There is no such " + std::string{what} + "."};
}

/// Of an operation.
inline error no_such_webhook() {
  return refusal(ec::not_found, "There is no such webhook.", "id");
}

/// Of an operation.
inline error no_such_organizer() {
  return refusal(ec::not_found, "There is no such organizer.", "id");
}

/// Of an operation: another webhook of the organizer has the name.
error name_is_taken(std::string_view name, webhook_id by);

/// Whether a name can be a key, behind a prefix of so many bytes. The empty one
/// cannot.
result<void> check_name(std::string_view name, std::string_view field,
                        std::size_t prefix = 0);

} // namespace fanfare::storage::lmdb
