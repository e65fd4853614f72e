// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace fanfare::protocol {

namespace {

constexpr std::uint32_t replacement = 0xFFFD;

constexpr auto plain = [] {
  std::array<bool, 256> table{};
  for (unsigned c = ' '; c <= '~'; ++c)
    table[c] = c != '"' && c != '\\';
  return table;
}();

/// Whether one of eight bytes is not plain. The bits of the bytes above the
/// first such one may be wrong, so the answer is only for all eight together.
/// (S. E. Anderson, Bit Twiddling Hacks: "Determine if a word has a zero
/// byte".)
bool any_not_plain(std::uint64_t word) {
  constexpr std::uint64_t each = 0x0101010101010101;
  constexpr std::uint64_t high = each * 0x80;
  const auto below = [&](std::uint64_t w, unsigned least) {
    return (w - each * least) & ~w;
  };
  const auto equals = [&](char c) {
    return below(word ^ each * static_cast<unsigned char>(c), 1);
  };
  return ((word | below(word, ' ') | equals('"') | equals('\\')
           | equals('\x7f'))
          & high)
      != 0;
}

/// The first byte that is not plain, or the end.
const char* skip_plain(const char* p, const char* end) {
  for (std::uint64_t word = 0; end - p >= 8; p += sizeof word) {
    std::memcpy(&word, p, sizeof word);
    if (any_not_plain(word))
      break;
  }
  while (p != end && plain[static_cast<unsigned char>(*p)])
    ++p;
  return p;
}

void append_unit(std::string& out, std::uint32_t unit) {
  static constexpr char digits[] = "0123456789abcdef";
  const char text[] = {'\\',
                       'u',
                       digits[unit >> 12 & 15],
                       digits[unit >> 8 & 15],
                       digits[unit >> 4 & 15],
                       digits[unit & 15]};
  out.append(text, sizeof text);
}

void append_code_point(std::string& out, std::uint32_t code) {
  if (code < 0x10000)
    return append_unit(out, code);
  code -= 0x10000;
  append_unit(out, 0xD800 + (code >> 10));
  append_unit(out, 0xDC00 + (code & 0x3FF));
}

void append_ascii(std::string& out, unsigned char c) {
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      if (plain[c])
        out += static_cast<char>(c);
      else
        append_unit(out, c);
  }
}

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) { // JSON has no word for it
    out += "null";
    return;
  }
  std::array<char, 40> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value)
                     .ptr;
  out.append(text.data(), end);
}

class renderer {
public:
  renderer(std::string& out, unsigned indent) : out_{out}, indent_{indent} {}

  void value(const boost::json::value& v) {
    switch (v.kind()) {
      case boost::json::kind::null: out_ += "null"; break;
      case boost::json::kind::bool_:
        out_ += v.get_bool() ? "true" : "false";
        break;
      case boost::json::kind::int64:
        out_ += std::to_string(v.get_int64());
        break;
      case boost::json::kind::uint64:
        out_ += std::to_string(v.get_uint64());
        break;
      case boost::json::kind::double_:
        append_double(out_, v.get_double());
        break;
      case boost::json::kind::string:
        append_json_string(out_,
                           {v.get_string().data(), v.get_string().size()});
        break;
      case boost::json::kind::array:
        members('[', v.get_array(), ']',
                [this](const auto& item) { value(item); });
        break;
      case boost::json::kind::object:
        members('{', v.get_object(), '}', [this](const auto& item) {
          append_json_string(out_, {item.key().data(), item.key().size()});
          out_ += indent_ > 0 ? ": " : ":";
          value(item.value());
        });
        break;
    }
  }

private:
  template <class Range, class Member>
  void members(char open, const Range& range, char close, Member member) {
    out_ += open;
    ++level_;
    bool first = true;
    for (const auto& item : range) {
      if (!first)
        out_ += ',';
      first = false;
      line();
      member(item);
    }
    --level_;
    if (!first)
      line();
    out_ += close;
  }

  void line() {
    if (indent_ > 0) {
      out_ += '\n';
      out_.append(std::size_t{indent_} * level_, ' ');
    }
  }

  std::string& out_;
  unsigned indent_;
  unsigned level_ = 0;
};

} // namespace

void json_escaper::append(std::string& out, std::string_view part) {
  const char* p = part.data();
  const char* const end = p + part.size();
  while (p != end) {
    if (missing_ == 0) {
      const char* const begin = p;
      p = skip_plain(p, end);
      out.append(begin, p);
      if (p == end)
        return;
    }
    byte(out, static_cast<unsigned char>(*p++));
  }
}

void json_escaper::byte(std::string& out, unsigned char c) {
  if (missing_ > 0) {
    if ((c & 0xC0) == 0x80) {
      code_ = code_ << 6 | (c & 0x3F);
      if (--missing_ == 0) {
        const bool bad = code_ < least_ || code_ > 0x10FFFF
                      || (code_ >= 0xD800 && code_ < 0xE000);
        append_code_point(out, bad ? replacement : code_);
      }
      return;
    }
    finish(out); // cut short; this byte begins another character
  }
  if (c < 0x80)
    append_ascii(out, c);
  else if (c >= 0xC2 && c < 0xE0)
    code_ = c & 0x1F, least_ = 0x80, missing_ = 1;
  else if (c >= 0xE0 && c < 0xF0)
    code_ = c & 0x0F, least_ = 0x800, missing_ = 2;
  else if (c >= 0xF0 && c < 0xF5)
    code_ = c & 0x07, least_ = 0x10000, missing_ = 3;
  else
    append_code_point(out, replacement);
}

void json_escaper::finish(std::string& out) {
  if (missing_ > 0)
    append_code_point(out, replacement);
  missing_ = 0;
}

void append_json_string(std::string& out, std::string_view text) {
  json_escaper escaper;
  out += '"';
  escaper.append(out, text);
  escaper.finish(out);
  out += '"';
}

void append_json(std::string& out, const boost::json::value& value,
                 unsigned indent) {
  renderer{out, indent}.value(value);
}

std::string to_iso8601(timestamp t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{t - day};
  std::array<char, 64> text;
  const int size = std::snprintf(
    text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
    static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
    static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
    static_cast<int>(time.minutes().count()),
    static_cast<int>(time.seconds().count()),
    static_cast<int>(time.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

} // namespace fanfare::protocol
