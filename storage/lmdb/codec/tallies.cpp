// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/tallies.hpp"

#include "storage/lmdb/codec/fields.hpp"

namespace fanfare::storage::lmdb {

namespace {

// Of the first byte.
constexpr unsigned place_mask = 15;
constexpr unsigned has_failures = 16;
constexpr unsigned has_retries = 32;
constexpr unsigned has_given_up = 64;
constexpr unsigned is_last = 128;
static_assert(tallies_in_row <= place_mask + 1);

void mark(char& head, bool last) {
  const auto others = static_cast<unsigned char>(head) & ~is_last;
  head = static_cast<char>(others | (last ? is_last : 0));
}

} // namespace

// -- writing ------------------------------------------------------------------

tally_writer::tally_writer(std::string& out) : out_(out) {
  byte_writer{out_}.u8(first_layout);
}

void tally_writer::add(unsigned place, const call_tally& value) {
  last_ = out_.size();
  byte_writer to{out_};
  std::uint64_t kinds = 0;
  for (const auto count : value.failures)
    kinds += count == 0 ? 0 : 1;
  to.u8(static_cast<std::uint8_t>(place | (kinds == 0 ? 0U : has_failures)
                                  | (value.retries == 0 ? 0U : has_retries)
                                  | (value.given_up == 0 ? 0U : has_given_up)));
  std::uint64_t used = 0;
  for (std::size_t i = 0; i < duration_bins::bins; ++i)
    used += value.answers[i] == 0 ? 0 : 1;
  to.number(used);
  std::size_t next = 0;
  for (std::size_t i = 0; i < duration_bins::bins; ++i) {
    if (value.answers[i] == 0)
      continue;
    const auto gap = i - next;
    to.number(value.answers[i] << 1 | (gap == 0 ? 0U : 1U));
    if (gap != 0)
      to.number(gap);
    next = i + 1;
  }
  if (kinds != 0) {
    to.number(kinds);
    for (std::size_t i = 0; i < value.failures.size(); ++i) {
      if (value.failures[i] == 0)
        continue;
      to.u8(static_cast<std::uint8_t>(i));
      to.number(value.failures[i]);
    }
  }
  if (value.retries != 0)
    to.number(value.retries);
  if (value.given_up != 0)
    to.number(value.given_up);
}

void tally_writer::add(const tally_walk& from) {
  last_ = out_.size();
  out_ += from.bytes_;
  mark(out_[last_], false);
}

void tally_writer::end() {
  mark(out_[last_], true);
}

// -- reading ------------------------------------------------------------------

tally_walk::tally_walk(std::string_view row) : from_(row) {
  expect_first_layout(from_);
}

bool tally_walk::next() {
  if (ended_ && !from_.complete())
    from_.fail();
  if (ended_ || !from_.ok())
    return false;
  const auto left = from_.left();
  const unsigned head = from_.u8();
  ended_ = (head & is_last) != 0;
  place_ = head & place_mask;
  if (place_ < least_ || place_ >= tallies_in_row)
    from_.fail();
  least_ = place_ + 1;
  value_ = {};
  read_answers();
  if ((head & has_failures) != 0)
    read_failures();
  value_.retries = (head & has_retries) != 0 ? from_.number() : 0;
  value_.given_up = (head & has_given_up) != 0 ? from_.number() : 0;
  if (((head & has_retries) != 0 && value_.retries == 0)
      || ((head & has_given_up) != 0 && value_.given_up == 0)
      || value_.calls() == 0)
    from_.fail();
  if (!from_.ok())
    return false;
  bytes_ = left.substr(0, left.size() - from_.left().size());
  return true;
}

void tally_walk::read_answers() {
  const auto used = from_.count();
  std::size_t at = 0;
  for (std::size_t i = 0; i < used && from_.ok(); ++i, ++at) {
    const auto token = from_.number();
    if ((token & 1) != 0) {
      const auto gap = from_.number<std::uint8_t>();
      if (gap == 0)
        from_.fail();
      at += gap;
    }
    if (at >= duration_bins::bins || token >> 1 == 0)
      return from_.fail();
    value_.answers.add(at, token >> 1);
  }
}

void tally_walk::read_failures() {
  const auto kinds = from_.count();
  if (kinds == 0)
    from_.fail();
  std::size_t least = 0;
  std::uint64_t answered = 0;
  for (std::size_t i = 0; i < kinds && from_.ok(); ++i) {
    const std::size_t kind = from_.u8();
    const auto count = from_.number();
    if (kind < least || kind >= failure_kinds.size() || count == 0)
      return from_.fail();
    value_.failures[kind] = count;
    answered += is_answered(kind) ? count : 0;
    least = kind + 1;
  }
  if (answered > value_.answers.total())
    from_.fail();
}

} // namespace fanfare::storage::lmdb
