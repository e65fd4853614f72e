// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/filter/reader.hpp"

#include "model/filter/decimal.hpp"
#include "model/filter/limits.hpp"
#include "model/filter/literal.hpp"
#include "model/filter/refusal.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::filter {

namespace json = boost::json;

namespace {

/// What else a builder does.
struct building {
  bool strict = false; ///< stops at a key that an object has twice
  bool digits = true;  ///< keeps those that no double has
};

/// Builds a value from the events of a parser. Unlike Boost's own it reads
/// numbers exactly.
class value_builder {
public:
  value_builder(json::storage_ptr storage, building how)
    : stack_{{}, buffer_, sizeof buffer_},
      strict_{how.strict},
      digits_{how.digits} {
    stack_.reset(std::move(storage));
  }

  json::value take() {
    return stack_.release();
  }
  /// The key that an object has twice, which stopped the parser.
  struct repeat {
    std::string path;
    std::string key;
  };
  [[nodiscard]] const std::optional<repeat>& repeated() const {
    return repeated_;
  }
  /// Keys and members of lists, over all levels.
  [[nodiscard]] std::size_t members() const {
    return members_;
  }

  // -- events of boost::json::basic_parser ------------------------------------

  using failure = json::error_code;
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  bool on_document_begin(failure&) {
    return true;
  }
  bool on_document_end(failure&) {
    return true;
  }
  bool on_object_begin(failure&) {
    if (strict_)
      levels_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t n, failure&) {
    if (strict_)
      levels_.pop_back();
    members_ += n;
    stack_.push_object(n);
    return true;
  }
  bool on_array_begin(failure&) {
    return true;
  }
  bool on_array_end(std::size_t n, failure&) {
    members_ += n;
    stack_.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view text, std::size_t, failure&) {
    if (strict_)
      key_ += view(text);
    stack_.push_chars(text);
    return true;
  }
  bool on_key(json::string_view text, std::size_t, failure& e) {
    if (strict_) {
      key_ += view(text);
      if (!note_key()) {
        e = json::error::syntax; // any: `repeated` is looked at first
        return false;
      }
    }
    stack_.push_key(text);
    return true;
  }
  bool on_string_part(json::string_view text, std::size_t, failure&) {
    stack_.push_chars(text);
    return true;
  }
  bool on_string(json::string_view text, std::size_t, failure&) {
    stack_.push_string(text);
    return true;
  }
  bool on_number_part(json::string_view, failure&) {
    return true;
  }
  bool on_int64(std::int64_t n, json::string_view, failure&) {
    stack_.push_int64(n);
    return true;
  }
  bool on_uint64(std::uint64_t n, json::string_view, failure&) {
    stack_.push_uint64(n);
    return true;
  }
  bool on_double(double n, json::string_view text, failure&) {
    // With many digits Boost's result is off by some units in the last place.
    // It is kept where from_chars has no result: 0 or infinity.
    double exact = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, exact);
    if (read.ec != std::errc{} || read.ptr != end)
      exact = n;
    const auto size = std::abs(exact);
    if (!digits_
        || (text.size() <= short_number && size > least_exact
            && size < two_to_53))
      stack_.push_double(exact);
    else
      push_exactly({text.data(), text.size()}, exact);
    return true;
  }
  bool on_bool(bool b, failure&) {
    stack_.push_bool(b);
    return true;
  }
  bool on_null(failure&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, failure&) {
    return true;
  }
  bool on_comment(json::string_view, failure&) {
    return true;
  }

private:
  /// Of 15 digits and a dot: within these bounds, doubles tell them apart.
  static constexpr std::size_t short_number = 16;
  static constexpr double least_exact = 1e-290;
  static constexpr double two_to_53 = 9007199254740992.0;

  void push_exactly(std::string_view text, double nearest) {
    const auto read = read_exactly(text, nearest, encoded_);
    switch (read.as) {
      case exact_number::form::integer:
        if (read.negative)
          stack_.push_int64(static_cast<std::int64_t>(0 - read.magnitude));
        else
          stack_.push_uint64(read.magnitude);
        return;
      case exact_number::form::real: stack_.push_double(nearest); return;
      case exact_number::form::digits: stack_.push_string(encoded_); return;
    }
  }

  bool note_key() {
    auto& keys = levels_.back().sorted;
    const auto at = std::lower_bound(keys.begin(), keys.end(), key_);
    if (at != keys.end() && *at == key_) {
      repeated_.emplace(repeat{{}, std::move(key_)});
      levels_.pop_back();
      for (const auto& outer : levels_)
        repeated_->path += (repeated_->path.empty() ? "" : ".") + outer.last;
      return false;
    }
    // Filters with more keys are refused anyway, and would make this slow.
    if (keys.size() <= size_limit)
      keys.insert(at, key_);
    levels_.back().last = std::exchange(key_, {});
    return true;
  }

  /// An object that is open.
  struct level {
    std::vector<std::string> sorted;
    std::string last;
  };

  unsigned char buffer_[1024] = {}; // most bodies need no more
  json::value_stack stack_;
  bool strict_;
  bool digits_;
  std::string encoded_; ///< the last number that needs its digits
  std::vector<level> levels_;
  std::string key_; ///< the parts seen so far
  std::optional<repeat> repeated_;
  std::size_t members_ = 0;
};

using value_parser = json::basic_parser<value_builder>;

json::parse_options up_to_depth(std::size_t levels) {
  json::parse_options options;
  options.max_depth = levels;
  return options;
}

/// Parses the whole text; returns the number of bytes that were understood.
std::size_t run(value_parser& parser, std::string_view text,
                json::error_code& failure) {
  const auto used = parser.write_some(false, text.data(), text.size(), failure);
  if (!failure && used < text.size())
    failure = json::error::extra_data;
  return used;
}

std::optional<json::value> read_value(std::string_view text,
                                      json::storage_ptr storage, building how) {
  value_parser parser{up_to_depth(body_depth_limit), std::move(storage), how};
  json::error_code failure;
  run(parser, text, failure);
  if (failure)
    return std::nullopt;
  return parser.handler().take();
}

} // namespace

std::optional<json::value> read_body(std::string_view body,
                                     json::storage_ptr storage) {
  return read_value(body, std::move(storage), {});
}

json::value show_filter(std::string_view text) {
  return read_value(text, {}, {.digits = false}).value_or(nullptr);
}

result<json::value> read_filter(std::string_view text) {
  // The compiler can say where a filter is nested too deep, so some more is
  // let through to it: twice the limit because lists between objects do not
  // count, and twice that again.
  value_parser parser{up_to_depth(4 * depth_limit), json::storage_ptr{},
                      building{.strict = true}};
  json::error_code failure;
  const auto used = run(parser, text, failure);
  if (const auto& twice = parser.handler().repeated())
    return refused((twice->path.empty() ? "The filter" : printable(twice->path))
                   + " has the key \"" + printable(twice->key) + "\" twice.");
  if (failure == json::error::too_deep)
    return nested_too_deep({});
  if (failure)
    return refused("The filter is not JSON: " + failure.message() + " at byte "
                   + std::to_string(used) + ".");
  if (parser.handler().members() > size_limit)
    return refused("The filter has more than " + std::to_string(size_limit)
                   + " keys, operators and list members.");
  return parser.handler().take();
}

} // namespace fanfare::filter
