// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The record of a call: codec.hpp says how to use it.

#include "fanfare/types.hpp"

#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

void encode(std::string& out, const call& value);
[[nodiscard]] bool decode(std::string_view in, call& value);
/// All that `progress::apply` needs; leaves the rest alone.
[[nodiscard]] bool decode_facts(std::string_view in, call& value);

} // namespace fanfare::storage::lmdb
