// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A subscription within the record of a webhook or a replay.

#include "model/records.hpp"
#include "storage/lmdb/codec/bytes.hpp"

namespace fanfare::storage::lmdb {

/// What the layout of a record has of subscriptions.
struct subscription_parts {
  bool filter = true;
  bool wildcards = false;
};

void put(byte_writer& to, const subscription& value, subscription_parts parts);
void get(byte_reader& from, subscription& value, subscription_parts parts);

} // namespace fanfare::storage::lmdb
