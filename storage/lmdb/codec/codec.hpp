// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The records of the store as bytes. Each begins with the version of its own
/// layout, so that a later Fanfare reads what this one wrote. An id is the key
/// of its record and not repeated in it: set it before decode(), which leaves
/// it alone. encode() appends to `out`. decode() is false for bytes that
/// encode() cannot have written; the value is then unspecified.

#include "storage/lmdb/codec/answer.hpp"
#include "storage/lmdb/codec/call.hpp"
#include "storage/lmdb/codec/deliveries.hpp"
#include "storage/lmdb/codec/meta.hpp"
#include "storage/lmdb/codec/notification.hpp"
#include "storage/lmdb/codec/registry.hpp"
#include "storage/lmdb/codec/tallies.hpp"
#include "storage/lmdb/codec/webhook.hpp"
