// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Delivery settings within the record of a webhook.

#include "fanfare/types.hpp"
#include "storage/lmdb/codec/bytes.hpp"

namespace fanfare::storage::lmdb {

/// The settings that records of all layouts have.
void put(byte_writer& to, const delivery_settings& value);
void get(byte_reader& from, delivery_settings& value);

/// The settings that came later.
void put_further(byte_writer& to, const delivery_settings& value);
void get_further(byte_reader& from, delivery_settings& value);

/// The settings of the final layout.
void put_final(byte_writer& to, const delivery_settings& value);
void get_final(byte_reader& from, delivery_settings& value);

/// The setting of the named layout.
void put_name(byte_writer& to, const delivery_settings& value);
void get_name(byte_reader& from, delivery_settings& value);

} // namespace fanfare::storage::lmdb
