// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/meta.hpp"

#include "storage/lmdb/codec/fields.hpp"

#include <algorithm>

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

// -- statistics ---------------------------------------------------------------

void encode(std::string& out, const counted_upto& value) {
  byte_writer to{out};
  to.u8(first_layout);
  to.number(value.last_call);
  to.number(value.bucket);
}

bool decode(std::string_view in, counted_upto& value) {
  byte_reader from{in};
  expect_first_layout(from);
  value.last_call = from.number();
  value.bucket = from.number();
  return from.complete();
}

// -- log ----------------------------------------------------------------------

void encode(std::string& out, const log_mark& value) {
  byte_writer to{out};
  to.u8(first_layout);
  to.text({value.store.data(), value.store.size()});
  to.number(value.sequence);
}

bool decode(std::string_view in, log_mark& value) {
  byte_reader from{in};
  expect_first_layout(from);
  const auto store = from.text();
  if (store.size() != value.store.size())
    return false;
  std::ranges::copy(store, value.store.begin());
  value.sequence = from.number();
  return from.complete();
}

// -- run times ----------------------------------------------------------------

void encode(std::string& out, const run_times& value) {
  byte_writer to{out};
  to.u8(first_layout);
  put(to, value.until);
  to.number(value.off.size());
  for (const auto& [since, until] : value.off) {
    put_near(to, raw(since), raw(value.until));
    put_near(to, raw(until), raw(value.until));
  }
}

bool decode(std::string_view in, run_times& value) {
  byte_reader from{in};
  expect_first_layout(from);
  value.until = get_time(from);
  const auto count = from.count();
  value.off.clear();
  value.off.reserve(count);
  for (std::size_t i = 0; i < count && from.ok(); ++i) {
    const auto since = get_near(from, raw(value.until));
    const auto until = get_near(from, raw(value.until));
    value.off.push_back({to_time(since), to_time(until)});
  }
  return from.complete();
}

} // namespace fanfare::storage::lmdb
