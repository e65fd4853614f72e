// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The record of a call: codec.hpp says how to use it.

#include "model/records.hpp"

#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

void encode(std::string& out, const logged_call& value);
[[nodiscard]] bool decode(std::string_view in, logged_call& value);
/// All that `progress::apply` needs; leaves the rest alone.
[[nodiscard]] bool decode_facts(std::string_view in, logged_call& value);
/// The webhook alone; 0 for bytes that are no call.
[[nodiscard]] webhook_id decode_hook(std::string_view in);
/// The facts, and all that `classify` needs.
[[nodiscard]] bool decode_outcome(std::string_view in, logged_call& value);

} // namespace fanfare::storage::lmdb
