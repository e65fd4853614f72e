// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A subscription within the record of a webhook or a replay.

#include "model/records.hpp"
#include "storage/lmdb/codec/bytes.hpp"

namespace fanfare::storage::lmdb {

void put(byte_writer& to, const subscription& value);
/// `filtered`: the layout of the record has filters.
void get(byte_reader& from, subscription& value, bool filtered);

} // namespace fanfare::storage::lmdb
