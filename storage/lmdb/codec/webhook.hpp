// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The record of a webhook: codec.hpp says how to use it.

#include "model/records.hpp"

#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

void encode(std::string& out, const webhook_record& value);
[[nodiscard]] bool decode(std::string_view in, webhook_record& value);

} // namespace fanfare::storage::lmdb
