// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The record of an answer that is kept under an idempotency key: codec.hpp
/// says how to use it.

#include "model/idempotency.hpp"

#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

void encode(std::string& out, const remembered& value);
[[nodiscard]] bool decode(std::string_view in, remembered& value);

} // namespace fanfare::storage::lmdb
