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
/// The organizer alone; 0 for bytes that are no webhook.
[[nodiscard]] organizer_id decode_owner(std::string_view in);

} // namespace fanfare::storage::lmdb
