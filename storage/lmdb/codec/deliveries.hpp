// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Records of where a webhook stands: its progress, its retries and its last
/// replay. codec.hpp says how to use them.

#include "model/records.hpp"
#include "storage/progress.hpp"

#include <string>
#include <string_view>

namespace fanfare::storage::lmdb {

void encode(std::string& out, const progress& value);
[[nodiscard]] bool decode(std::string_view in, progress& value);
/// Whether an encoded progress has failures or a hold, without decoding it.
[[nodiscard]] bool says_failures(std::string_view in);

/// `subject` is part of the key.
void encode(std::string& out, const retry& value);
[[nodiscard]] bool decode(std::string_view in, retry& value);

void encode(std::string& out, const replay& value);
[[nodiscard]] bool decode(std::string_view in, replay& value);

} // namespace fanfare::storage::lmdb
