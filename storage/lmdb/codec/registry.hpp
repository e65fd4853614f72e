// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Records of the registry but for webhooks: codec.hpp says how to use them.

#include "fanfare/types.hpp"
#include "model/token.hpp"

#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

void encode(std::string& out, const organizer& value);
[[nodiscard]] bool decode(std::string_view in, organizer& value);

void encode(std::string& out, const event& value);
[[nodiscard]] bool decode(std::string_view in, event& value);

void encode(std::string& out, const action_type& value);
[[nodiscard]] bool decode(std::string_view in, action_type& value);

void encode(std::string& out, const token& value);
[[nodiscard]] bool decode(std::string_view in, token& value);

} // namespace fanfare::storage::lmdb
