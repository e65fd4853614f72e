// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/meta.hpp"

#include "storage/lmdb/codec/fields.hpp"

namespace fanfare::storage::lmdb {

// -- checkpoint ---------------------------------------------------------------

void encode(std::string& out, const checkpoint& value) {
  byte_writer to{out};
  to.u8(first_layout);
  to.number(value.routed_upto);
  to.number(value.last_call);
}

bool decode(std::string_view in, checkpoint& value) {
  byte_reader from{in};
  expect_first_layout(from);
  value.routed_upto = from.number();
  value.last_call = from.number();
  return from.complete();
}

// -- counters -----------------------------------------------------------------

void encode(std::string& out, const counters& value) {
  byte_writer to{out};
  to.u8(first_layout);
  to.number(value.tail);
  to.number(value.last_call);
}

bool decode(std::string_view in, counters& value) {
  byte_reader from{in};
  expect_first_layout(from);
  value.tail = from.number();
  value.last_call = from.number();
  return from.complete();
}

} // namespace fanfare::storage::lmdb
