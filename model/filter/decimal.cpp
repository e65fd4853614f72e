// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/filter/decimal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace fanfare::filter {

namespace {

/// In front of the digits.
struct header {
  char mark = '\xff';
  bool negative = false;
  std::int64_t exponent = 0;
  double nearest = 0;
};

/// 0.DIGITS × 10^exponent. The digits neither begin nor end with a 0; without
/// any it is zero.
struct decimal {
  bool negative = false;
  std::int64_t exponent = 0;
  std::string_view digits;
};

/// Digits of an integer of 64 bits.
constexpr std::size_t longest_integer = 20;

/// Of an integer of 64 bits, or the shortest ones of a double.
class few_digits {
public:
  void push_back(char digit) {
    digits_[size_++] = digit;
  }
  void pop_back() {
    --size_;
  }
  [[nodiscard]] char back() const {
    return digits_[size_ - 1];
  }
  [[nodiscard]] std::size_t size() const {
    return size_;
  }
  [[nodiscard]] std::string_view view() const {
    return {digits_.data(), size_};
  }

private:
  std::size_t size_ = 0;
  std::array<char, longest_integer> digits_;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Appends the digits of a number of JSON to `digits`, which the caller makes
/// those of the result.
template <class Digits>
decimal read_decimal(std::string_view text, Digits& digits) {
  decimal out;
  out.negative = text.starts_with('-');
  if (out.negative)
    text.remove_prefix(1);
  const auto mantissa = text.substr(0, text.find_first_of("eE"));
  const auto first = digits.size();
  bool fraction = false;
  for (const char c : mantissa) {
    if (!is_digit(c)) {
      fraction = true;
      continue;
    }
    if (digits.size() > first || c != '0') {
      digits.push_back(c);
      out.exponent += fraction ? 0 : 1;
    } else if (fraction) {
      --out.exponent;
    }
  }
  while (digits.size() > first && digits.back() == '0')
    digits.pop_back();
  if (mantissa.size() < text.size()) {
    text.remove_prefix(mantissa.size() + 1);
    if (text.starts_with('+'))
      text.remove_prefix(1);
    std::int32_t power = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(),
                                      power);
    if (read.ec == std::errc::result_out_of_range)
      power = text.starts_with('-') ? std::numeric_limits<std::int32_t>::min()
                                    : std::numeric_limits<std::int32_t>::max();
    out.exponent += power;
  }
  return out;
}

/// The integer, if it is one of 64 bits.
bool as_integer(const decimal& from, std::uint64_t& out) {
  const auto size = static_cast<std::int64_t>(from.digits.size());
  if (from.exponent < size
      || from.exponent > static_cast<std::int64_t>(longest_integer))
    return false;
  std::array<char, longest_integer> whole;
  whole.fill('0');
  std::ranges::copy(from.digits, whole.begin());
  const auto* const end = whole.data() + from.exponent;
  const auto read = std::from_chars(whole.data(), end, out);
  return read.ec == std::errc{} && read.ptr == end;
}

/// Of an integer, or of a double that is finite: its shortest text, in the
/// `form` if there is one. The digits are in `room`.
template <class Value, class... Form>
decimal decimal_of(Value value, few_digits& room, Form... form) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 form...);
  const auto size = static_cast<std::size_t>(end.ptr - text.data());
  auto out = read_decimal({text.data(), size}, room);
  out.digits = room.view();
  return out;
}

decimal shortest_of(double value, few_digits& room) {
  return decimal_of(value, room, std::chars_format::scientific);
}

/// The digits are in `room` unless they are encoded.
decimal decimal_of(const number& from, std::string_view encoded,
                   few_digits& room) {
  if (from.digits) {
    header head;
    std::memcpy(&head, encoded.data(), sizeof head);
    return {head.negative, head.exponent, encoded.substr(sizeof head)};
  }
  if (!from.integral)
    return shortest_of(from.real, room);
  auto out = decimal_of(from.magnitude, room);
  out.negative = from.negative;
  return out;
}

double nearest_of(const number& from) {
  if (!from.integral)
    return from.real;
  const auto size = static_cast<double>(from.magnitude);
  return from.negative ? -size : size;
}

int sign_of(const decimal& of) {
  return of.digits.empty() ? 0 : of.negative ? -1 : 1;
}

} // namespace

exact_number read_exactly(std::string_view text, double nearest,
                          std::string& encoded) {
  constexpr auto most_negative = std::uint64_t{1} << 63;
  encoded.assign(sizeof(header), '\0');
  auto exact = read_decimal(text, encoded);
  exact.digits = std::string_view{encoded}.substr(sizeof(header));
  if (exact.digits.empty())
    return {};
  if (std::uint64_t whole = 0;
      as_integer(exact, whole) && (!exact.negative || whole <= most_negative))
    return {.magnitude = whole, .negative = exact.negative};
  if (std::isfinite(nearest)) {
    few_digits room;
    if (const auto shortest = shortest_of(nearest, room);
        shortest.exponent == exact.exponent && shortest.digits == exact.digits)
      return {.as = exact_number::form::real};
  }
  const header head{
    .negative = exact.negative, .exponent = exact.exponent, .nearest = nearest};
  std::memcpy(encoded.data(), &head, sizeof head);
  return {.as = exact_number::form::digits};
}

number decode(std::string_view encoded) {
  header head;
  std::memcpy(&head, encoded.data(), sizeof head);
  return {.real = head.nearest,
          .integral = false,
          .negative = head.negative,
          .digits = true};
}

std::strong_ordering compare_digits(const number& a, std::string_view a_encoded,
                                    const number& b,
                                    std::string_view b_encoded) {
  // To round keeps the order, so only neighbours need a look at their digits.
  if (const auto x = nearest_of(a), y = nearest_of(b); x != y)
    return x < y ? std::strong_ordering::less : std::strong_ordering::greater;
  few_digits a_room;
  few_digits b_room;
  const auto x = decimal_of(a, a_encoded, a_room);
  const auto y = decimal_of(b, b_encoded, b_room);
  const auto sign = sign_of(x);
  if (sign != sign_of(y) || sign == 0)
    return sign <=> sign_of(y);
  auto size = x.exponent <=> y.exponent;
  if (std::is_eq(size))
    size = x.digits <=> y.digits; // without zeros behind
  return sign < 0 ? reversed(size) : size;
}

} // namespace fanfare::filter
