// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/payload_filter.hpp"

#include "model/records.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>
#include <optional>
#include <utility>
#include <vector>

namespace fanfare {

namespace json = boost::json;

namespace {

std::string_view view(json::string_view text) {
  return {text.data(), text.size()};
}

// -- values -------------------------------------------------------------------

/// A number such that equal values are equal: all integers of 64 bits by sign
/// and magnitude, also if they were doubles; everything else as a double.
struct number {
  std::uint64_t magnitude = 0;
  double real = 0; ///< unless integral
  bool integral = true;
  bool negative = false;
};

number make_number(std::uint64_t n) {
  return {.magnitude = n};
}

number make_number(std::int64_t n) {
  // Negated as unsigned: the smallest one has no positive twin.
  return n < 0 ? number{.magnitude = 0 - static_cast<std::uint64_t>(n),
                        .negative = true}
               : number{.magnitude = static_cast<std::uint64_t>(n)};
}

constexpr double two_to_64 = 18446744073709551616.0;

/// Not for NaN.
number make_number(double n) {
  const auto size = std::abs(n);
  if (size < two_to_64 && std::trunc(n) == n)
    return {.magnitude = static_cast<std::uint64_t>(size), .negative = n < 0};
  return {.real = n, .integral = false, .negative = n < 0};
}

std::strong_ordering reversed(std::strong_ordering o) {
  return std::is_lt(o) ? std::strong_ordering::greater
       : std::is_gt(o) ? std::strong_ordering::less
                       : o;
}

/// Of an integer and a double that is none.
std::strong_ordering compare_mixed(const number& integer, const number& real) {
  if (integer.negative != real.negative)
    return integer.negative ? std::strong_ordering::less
                            : std::strong_ordering::greater;
  const auto size = std::abs(real.real);
  const auto smaller = size >= two_to_64
                    || integer.magnitude <= static_cast<std::uint64_t>(size);
  return smaller != integer.negative ? std::strong_ordering::less
                                     : std::strong_ordering::greater;
}

std::strong_ordering compare(const number& a, const number& b) {
  if (a.integral != b.integral)
    return a.integral ? compare_mixed(a, b) : reversed(compare_mixed(b, a));
  if (!a.integral)
    return a.real < b.real ? std::strong_ordering::less
         : a.real > b.real ? std::strong_ordering::greater
                           : std::strong_ordering::equal;
  if (a.negative != b.negative)
    return a.negative ? std::strong_ordering::less
                      : std::strong_ordering::greater;
  return a.negative ? b.magnitude <=> a.magnitude : a.magnitude <=> b.magnitude;
}

/// In the order in which scalars of different kinds are sorted.
enum class kind : std::uint8_t {
  null,
  boolean,
  number,
  text,
  list,
  object,
  nothing, ///< NaN, which only a program can make: equals no literal
};

/// What a value says unless it is a list or an object. Owns nothing.
struct scalar {
  kind what = kind::null;
  fanfare::number value{}; ///< of numbers; 0 or 1 of booleans
  std::string_view text{};
};

scalar scalar_of(const json::value& v) {
  switch (v.kind()) {
    case json::kind::null: break;
    case json::kind::bool_:
      return {kind::boolean, make_number(std::uint64_t{v.get_bool()})};
    case json::kind::int64: return {kind::number, make_number(v.get_int64())};
    case json::kind::uint64: return {kind::number, make_number(v.get_uint64())};
    case json::kind::double_:
      if (std::isnan(v.get_double()))
        return {kind::nothing};
      return {kind::number, make_number(v.get_double())};
    case json::kind::string: return {kind::text, {}, view(v.get_string())};
    case json::kind::array: return {kind::list};
    case json::kind::object: return {kind::object};
  }
  return {};
}

/// A total order of scalars: by kind, then by value. Lists are all the same to
/// it, and so are objects.
std::strong_ordering compare(const scalar& a, const scalar& b) {
  if (a.what != b.what)
    return a.what <=> b.what;
  switch (a.what) {
    case kind::boolean:
    case kind::number: return compare(a.value, b.value);
    // UTF-8 sorts by code point, as long as bytes are unsigned: char_traits
    // takes care of that.
    case kind::text: return a.text <=> b.text;
    default: return std::strong_ordering::equal;
  }
}

/// A value that a filter compares with.
struct literal {
  kind what = kind::null;
  fanfare::number value{};
  std::string text{};
  std::vector<literal> items{};    ///< of a list, or of an object by `keys`
  std::vector<std::string> keys{}; ///< sorted

  [[nodiscard]] scalar as_scalar() const {
    return {what, value, text};
  }
  [[nodiscard]] bool is_scalar() const {
    return what != kind::list && what != kind::object;
  }
};

/// Looks at no more of `v` than `l` is large and recurses no deeper than `l`
/// does. Keys of `v` are searched in `l`, not the other way round: `l` may hold
/// long keys, which would be hashed for each of many small objects.
bool equal(const literal& l, const json::value& v) {
  const auto seen = scalar_of(v);
  if (l.is_scalar() || l.what != seen.what)
    return std::is_eq(compare(l.as_scalar(), seen));
  if (l.what == kind::list) {
    const auto& list = v.get_array();
    return std::equal(l.items.begin(), l.items.end(), list.begin(), list.end(),
                      equal);
  }
  const auto& object = v.get_object();
  if (object.size() != l.keys.size())
    return false;
  return std::all_of(object.begin(), object.end(), [&](const auto& member) {
    const auto key = view(member.key());
    const auto at = std::lower_bound(l.keys.begin(), l.keys.end(), key);
    return at != l.keys.end() && *at == key
        && equal(l.items[static_cast<std::size_t>(at - l.keys.begin())],
                 member.value());
  });
}

// -- search in texts ----------------------------------------------------------

/// For each beginning of the text, the length of its longest proper beginning
/// that it also ends with (Knuth, Morris, Pratt).
std::vector<std::uint16_t> borders_of(std::string_view text) {
  static_assert(payload_filter::text_limit <= UINT16_MAX);
  std::vector<std::uint16_t> borders(text.size());
  std::size_t length = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    while (length > 0 && text[i] != text[length])
      length = borders[length - 1];
    if (text[i] == text[length])
      ++length;
    borders[i] = static_cast<std::uint16_t>(length);
  }
  return borders;
}

/// Linear whatever the texts are, which std::string_view::find is not.
bool has_text(std::string_view text, std::string_view wanted,
              const std::vector<std::uint16_t>& borders) {
  if (wanted.size() > text.size())
    return false;
  if (wanted.empty())
    return true;
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (length == 0) {
      // The library skips to the first byte faster than the loop could.
      i = text.find(wanted.front(), i);
      if (i == std::string_view::npos)
        return false;
    }
    while (length > 0 && text[i] != wanted[length])
      length = borders[length - 1];
    if (text[i] == wanted[length])
      ++length;
    if (length == wanted.size())
      return true;
  }
  return false;
}

// -- conditions ---------------------------------------------------------------

enum class op : std::uint8_t {
  // -- on the value at hand, by `children` ------------------------------------
  all,
  any,
  key, ///< all, on the value of `name`
  // -- on the value at hand, by `operands` ------------------------------------
  equal,
  in,
  less,
  less_equal,
  greater,
  greater_equal,
  starts_with,
  ends_with,
  contains,
  exists,
};

/// One condition of the compiled tree. Objects of the filter that have a single
/// condition are merged with it.
struct condition {
  op what = op::all;
  bool negated = false;
  std::uint16_t scalars = 0; ///< of `in`: as many operands, sorted, come first
  std::string name{};
  std::vector<condition> children{};
  std::vector<literal> operands{};
  std::vector<std::uint16_t> borders{}; ///< of the text that `contains` wants
};

/// The value of a key with dots, null if there is none.
const json::value* find(const json::value* from, std::string_view name) {
  while (from != nullptr && from->is_object()) {
    const auto& object = from->get_object();
    if (const auto* whole = object.if_contains(name))
      return whole;
    const auto dot = name.find('.');
    if (dot == std::string_view::npos)
      return nullptr;
    from = object.if_contains(name.substr(0, dot));
    name.remove_prefix(dot + 1);
  }
  return nullptr;
}

bool is_in(const condition& c, const json::value& seen) {
  const auto middle = c.operands.begin() + c.scalars;
  if (seen.is_structured())
    return std::any_of(middle, c.operands.end(),
                       [&](const auto& l) { return equal(l, seen); });
  const auto wanted = scalar_of(seen);
  const auto at = std::lower_bound(
    c.operands.begin(), middle, wanted, [](const literal& l, const scalar& s) {
      return std::is_lt(compare(l.as_scalar(), s));
    });
  return at != middle && std::is_eq(compare(at->as_scalar(), wanted));
}

bool contains(const condition& c, const json::value& seen) {
  const auto& wanted = c.operands.front();
  if (const auto* list = seen.if_array())
    return std::any_of(list->begin(), list->end(),
                       [&](const auto& v) { return equal(wanted, v); });
  const auto* text = seen.if_string();
  return text != nullptr && wanted.what == kind::text
      && has_text(view(*text), wanted.text, c.borders);
}

/// How the value is ordered relative to the operand; unordered if the kinds
/// differ.
std::partial_ordering order(const json::value& seen, const condition& c) {
  const auto found = scalar_of(seen);
  const auto wanted = c.operands.front().as_scalar();
  if (found.what != wanted.what)
    return std::partial_ordering::unordered;
  return compare(found, wanted);
}

/// `seen` is the value at hand, null if it is missing. Recursion is bounded by
/// the depth of the filter: at most two calls for each of its objects.
bool holds(const condition& c, const json::value* seen) {
  static const json::value missing;
  const auto& value = seen != nullptr ? *seen : missing;
  const auto all = [&c](const json::value* at) {
    return std::all_of(c.children.begin(), c.children.end(),
                       [at](const auto& child) { return holds(child, at); });
  };
  const auto test = [&] {
    switch (c.what) {
      case op::all: return all(seen);
      case op::any:
        return std::any_of(c.children.begin(), c.children.end(),
                           [&](const auto& each) { return holds(each, seen); });
      case op::key: return all(find(seen, c.name));
      case op::equal: return equal(c.operands.front(), value);
      case op::in: return is_in(c, value);
      case op::less: return std::is_lt(order(value, c));
      case op::less_equal: return std::is_lteq(order(value, c));
      case op::greater: return std::is_gt(order(value, c));
      case op::greater_equal: return std::is_gteq(order(value, c));
      case op::starts_with:
        return value.is_string()
            && view(value.get_string()).starts_with(c.operands.front().text);
      case op::ends_with:
        return value.is_string()
            && view(value.get_string()).ends_with(c.operands.front().text);
      case op::contains: return contains(c, value);
      case op::exists: return seen != nullptr;
    }
    return false;
  };
  return test() != c.negated;
}

// -- reading JSON -------------------------------------------------------------

/// Builds a value from the events of a parser. Unlike Boost's own it reads
/// doubles exactly, and notices keys that are there twice if asked to.
class value_builder {
public:
  value_builder(json::storage_ptr storage, bool strict)
    : stack_{{}, buffer_, sizeof buffer_},
      strict_{strict} {
    stack_.reset(std::move(storage));
  }

  json::value take() {
    return stack_.release();
  }
  /// A key that is there twice in one object, which stopped the parser.
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
        e = json::error::syntax; // any: `repeated` tells
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
    // Boost's result is some units in the last place off for many digits. It
    // stands where from_chars has none: 0 or infinity.
    double exact = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, exact);
    stack_.push_double(read.ec == std::errc{} && read.ptr == end ? exact : n);
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
    // More are refused anyway, and would make this slow.
    if (keys.size() <= payload_filter::size_limit)
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
  std::vector<level> levels_;
  std::string key_; ///< as far as it was seen
  std::optional<repeat> repeated_;
  std::size_t members_ = 0;
};

using value_parser = json::basic_parser<value_builder>;

json::parse_options up_to_depth(std::size_t levels) {
  json::parse_options options;
  options.max_depth = levels;
  return options;
}

/// The number of bytes that were understood.
std::size_t run(value_parser& parser, std::string_view text,
                json::error_code& failure) {
  const auto used = parser.write_some(false, text.data(), text.size(), failure);
  if (!failure && used < text.size())
    failure = json::error::extra_data;
  return used;
}

std::optional<json::value> read_body(std::string_view body,
                                     json::storage_ptr storage) {
  value_parser parser{up_to_depth(payload_filter::body_depth_limit),
                      std::move(storage), false};
  json::error_code failure;
  run(parser, body, failure);
  if (failure)
    return std::nullopt;
  return parser.handler().take();
}

/// The text that was read last, and its value.
class last_body {
public:
  /// Null if the body is not JSON.
  const json::value* get(std::uint64_t id, std::string_view body) {
    // The bytes are compared because neither the id (of another store, or 0)
    // nor the address (of memory that was freed meanwhile) says enough; that
    // is cheap next to parsing.
    if (!known_ || id != id_ || body != text_) {
      known_ = false;
      value_.reset();
      memory_.emplace(buffer_, sizeof buffer_);
      value_ = read_body(body, &*memory_);
      text_ = body;
      id_ = id;
      known_ = true;
    }
    return value_ ? &*value_ : nullptr;
  }

private:
  bool known_ = false;
  std::uint64_t id_ = 0;
  std::string text_;
  unsigned char buffer_[4096] = {};
  std::optional<json::monotonic_resource> memory_;
  std::optional<json::value> value_; // after what it lies in
};

// -- compiling ----------------------------------------------------------------

struct named_operator {
  std::string_view name;
  op what;
  bool negated = false;
};

/// On a value. `$not` is not among them, it has no operand.
constexpr named_operator value_operators[] = {
  {"$eq", op::equal},
  {"$ne", op::equal, true},
  {"$in", op::in},
  {"$nin", op::in, true},
  {"$gt", op::greater},
  {"$gte", op::greater_equal},
  {"$lt", op::less},
  {"$lte", op::less_equal},
  {"$exists", op::exists},
  {"$startsWith", op::starts_with},
  {"$endsWith", op::ends_with},
  {"$contains", op::contains},
};

const named_operator* find_operator(std::string_view name) {
  const auto* at = std::find_if(std::begin(value_operators),
                                std::end(value_operators),
                                [&](const auto& o) { return o.name == name; });
  return at != std::end(value_operators) ? at : nullptr;
}

bool is_condition_operator(std::string_view name) {
  return name == "$and" || name == "$or" || name == "$not";
}

/// One line, and not too long for a sentence.
std::string printable(std::string_view text) {
  constexpr std::size_t limit = 64;
  const auto cut = text.size() > limit;
  if (cut) {
    auto end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end; // not within a character
    text = text.substr(0, end);
  }
  std::string out{text};
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      c = '?';
  return cut ? out + "…" : out;
}

/// Where something stands in the filter. Lives on the stack, so that a path is
/// put together only for an error.
struct place {
  const place* within = nullptr;
  std::string_view name{};
  std::optional<std::size_t> index{};

  [[nodiscard]] std::string path() const {
    if (within == nullptr)
      return {};
    auto out = within->path();
    if (index)
      return out + "[" + std::to_string(*index) + "]";
    return out + (out.empty() ? "" : ".") + printable(name);
  }
  /// For the beginning of a sentence.
  [[nodiscard]] std::string subject() const {
    return within == nullptr ? "The filter" : path();
  }
  /// For its end.
  [[nodiscard]] std::string at() const {
    return within == nullptr ? "the top" : path();
  }
};

std::size_t dots_of(std::string_view name) {
  return static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
}

error refused(std::string sentence) {
  return {ec::invalid_argument, std::move(sentence), "filter"};
}

error nested_too_deep(const std::string& at) {
  return refused("The filter has objects nested deeper than "
                 + std::to_string(payload_filter::depth_limit) + " levels"
                 + (at.empty() ? "" : " at " + at) + ".");
}

error too_long() {
  return refused("The filter is longer than "
                 + std::to_string(payload_filter::text_limit)
                 + " bytes as JSON text.");
}

/// Translates a filter. Its functions return whether they could and leave the
/// first fault in `fault`. A depth counts objects, from 1.
class compiler {
public:
  std::optional<error> fault;

  /// An object that is about the keys of the value at hand.
  bool conditions(const json::value& from, const place& here, std::size_t depth,
                  std::vector<condition>& out) {
    const auto* object = from.if_object();
    if (object == nullptr)
      return fail(here, "must be an object of conditions.");
    if (!check_depth(here, depth))
      return false;
    for (const auto& member : *object) {
      const auto name = view(member.key());
      const place inner{&here, name};
      if (name.starts_with('$')
            ? !condition_operator(name, member.value(), inner, depth, out)
            : !key(name, member.value(), inner, depth, out))
        return false;
    }
    return true;
  }

private:
  bool fail(error e) {
    fault = std::move(e);
    return false;
  }
  bool fail(const place& at, std::string_view what) {
    return fail(refused(at.subject() + " " + std::string{what}));
  }
  bool check_depth(const place& at, std::size_t depth) {
    return depth <= payload_filter::depth_limit
        || fail(nested_too_deep(at.path()));
  }

  bool key(std::string_view name, const json::value& from, const place& here,
           std::size_t depth, std::vector<condition>& out) {
    const auto inner = depth + dots_of(name);
    condition made{.what = op::key, .name = std::string{name}};
    if (!check_depth(here, inner)
        || !value_conditions(from, here, inner, made.children))
      return false;
    out.push_back(std::move(made));
    return true;
  }

  bool condition_operator(std::string_view name, const json::value& from,
                          const place& here, std::size_t depth,
                          std::vector<condition>& out) {
    if (!is_condition_operator(name)) {
      const auto where = "\"" + printable(name) + "\" at " + here.within->at();
      if (find_operator(name) != nullptr)
        return fail(refused("Operator " + where
                            + " is about a value; put it into the object of a "
                              "key."));
      return fail(
        refused("Unknown operator " + where + "; use one of $and, $or, $not."));
    }
    if (name == "$not") {
      condition made{.negated = true};
      if (!conditions(from, here, depth + 1, made.children))
        return false;
      out.push_back(std::move(made));
      return true;
    }
    const auto* list = from.if_array();
    if (list == nullptr || list->empty())
      return fail(here, "must be a list with at least one object.");
    condition either{.what = op::any};
    for (std::size_t i = 0; i < list->size(); ++i) {
      const place inner{&here, {}, i};
      // What must hold together with the rest needs no node of its own.
      if (name == "$and") {
        if (!conditions((*list)[i], inner, depth + 1, out))
          return false;
        continue;
      }
      condition each;
      if (!conditions((*list)[i], inner, depth + 1, each.children))
        return false;
      if (each.children.size() == 1) {
        auto only = std::move(each.children.front());
        each = std::move(only);
      }
      either.children.push_back(std::move(each));
    }
    if (name == "$or")
      out.push_back(std::move(either));
    return true;
  }

  /// What stands at a key. `depth` is that of the object that the key is in.
  bool value_conditions(const json::value& from, const place& here,
                        std::size_t depth, std::vector<condition>& out) {
    const auto* object = from.if_object();
    if (object == nullptr)
      return operation({"", op::equal}, from, here, depth, out);
    const auto operators = std::count_if(
      object->begin(), object->end(),
      [](const auto& member) { return view(member.key()).starts_with('$'); });
    if (operators == 0)
      return conditions(from, here, depth + 1, out);
    if (static_cast<std::size_t>(operators) != object->size())
      return fail(here, "must hold either operators or plain keys, not both.");
    if (!check_depth(here, depth + 1))
      return false;
    return std::all_of(object->begin(), object->end(), [&](const auto& member) {
      return value_operator(view(member.key()), member.value(), here, depth + 1,
                            out);
    });
  }

  /// `depth` is that of the object of operators.
  bool value_operator(std::string_view name, const json::value& from,
                      const place& outer, std::size_t depth,
                      std::vector<condition>& out) {
    const place here{&outer, name};
    if (name == "$not") {
      condition made{.negated = true};
      if (!value_conditions(from, here, depth, made.children))
        return false;
      out.push_back(std::move(made));
      return true;
    }
    if (const auto* found = find_operator(name))
      return operation(*found, from, here, depth, out);
    const auto where = "\"" + printable(name) + "\" at " + outer.at();
    if (is_condition_operator(name))
      return fail(refused("Operator " + where
                          + " is about conditions; put it around the key."));
    std::string names;
    for (const auto& each : value_operators)
      names += std::string{each.name} + ", ";
    return fail(
      refused("Unknown operator " + where + "; use one of " + names + "$not."));
  }

  bool operation(const named_operator& o, const json::value& from,
                 const place& here, std::size_t depth,
                 std::vector<condition>& out) {
    condition made{.what = o.what, .negated = o.negated};
    switch (o.what) {
      case op::exists:
        if (!from.is_bool())
          return fail(here, "must be true or false.");
        made.negated = !from.get_bool();
        break;
      case op::in:
        if (!list_operand(from, here, depth, made))
          return false;
        break;
      case op::less:
      case op::less_equal:
      case op::greater:
      case op::greater_equal:
        if (!from.is_number() && !from.is_string())
          return fail(here, "must be a number or a text.");
        if (!operand(from, here, depth, made.operands))
          return false;
        break;
      case op::starts_with:
      case op::ends_with:
        if (!from.is_string())
          return fail(here, "must be a text.");
        [[fallthrough]];
      default:
        if (!operand(from, here, depth, made.operands))
          return false;
    }
    if (made.what == op::contains)
      made.borders = borders_of(made.operands.front().text);
    out.push_back(std::move(made));
    return true;
  }

  bool list_operand(const json::value& from, const place& here,
                    std::size_t depth, condition& made) {
    const auto* list = from.if_array();
    if (list == nullptr)
      return fail(here, "must be a list.");
    auto& operands = made.operands;
    operands.reserve(list->size());
    for (std::size_t i = 0; i < list->size(); ++i)
      if (!operand((*list)[i], {&here, {}, i}, depth, operands))
        return false;
    const auto middle = std::stable_partition(
      operands.begin(), operands.end(),
      [](const literal& l) { return l.is_scalar(); });
    std::sort(operands.begin(), middle, [](const auto& a, const auto& b) {
      return std::is_lt(compare(a.as_scalar(), b.as_scalar()));
    });
    made.scalars = static_cast<std::uint16_t>(middle - operands.begin());
    return true;
  }

  /// `depth` is that of the object around the operand.
  bool operand(const json::value& from, const place& here, std::size_t depth,
               std::vector<literal>& out) {
    const auto seen = scalar_of(from);
    literal made{seen.what, seen.value, std::string{seen.text}};
    if (seen.what == kind::number && !seen.value.integral
        && std::isinf(seen.value.real))
      return fail(here, "is a number that is too large.");
    if (!made.is_scalar() && !check_depth(here, depth + 1))
      return false;
    if (const auto* list = from.if_array()) {
      made.items.reserve(list->size());
      for (std::size_t i = 0; i < list->size(); ++i)
        if (!operand((*list)[i], {&here, {}, i}, depth + 1, made.items))
          return false;
    } else if (const auto* object = from.if_object()) {
      std::vector<const json::key_value_pair*> sorted;
      sorted.reserve(object->size());
      for (const auto& member : *object)
        sorted.push_back(&member);
      std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        return view(a->key()) < view(b->key());
      });
      made.items.reserve(sorted.size());
      made.keys.reserve(sorted.size());
      for (const auto* member : sorted) {
        const auto name = view(member->key());
        made.keys.emplace_back(name);
        if (!operand(member->value(), {&here, name}, depth + 1, made.items))
          return false;
      }
    }
    out.push_back(std::move(made));
    return true;
  }
};

} // namespace

// -- the filter ---------------------------------------------------------------

struct payload_filter::node {
  std::vector<condition> conditions; ///< must all hold
};

payload_filter::payload_filter() = default;

payload_filter::~payload_filter() = default;

result<std::shared_ptr<const payload_filter>>
payload_filter::compile(const json::value& conditions) {
  // Through its text, so that both ways in meet the same limits and a filter
  // can always be read back from its text.
  return parse(json::serialize(conditions));
}

result<std::shared_ptr<const payload_filter>>
payload_filter::parse(std::string_view text) {
  if (text.size() > text_limit)
    return too_long();
  // Twice, because lists between objects do not count, and some more, because
  // the compiler can say where it is too deep.
  value_parser parser{up_to_depth(4 * depth_limit), json::storage_ptr{}, true};
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
  const auto conditions = parser.handler().take();

  auto root = std::make_unique<node>();
  compiler work;
  if (!work.conditions(conditions, {}, 1, root->conditions))
    return std::move(*work.fault);
  std::shared_ptr<payload_filter> made{new payload_filter};
  made->text_ = json::serialize(conditions);
  if (made->text_.size() > text_limit)
    return too_long(); // 0.5 becomes 5E-1
  made->root_ = std::move(root);
  return std::shared_ptr<const payload_filter>{std::move(made)};
}

bool payload_filter::matches(const json::value& notification) const noexcept {
  return std::all_of(root_->conditions.begin(), root_->conditions.end(),
                     [&](const auto& c) { return holds(c, &notification); });
}

bool payload_filter::matches(std::uint64_t id,
                             std::string_view body) const noexcept {
  if (body.size() > remembered_limit) {
    json::monotonic_resource memory{body.size()};
    const auto value = read_body(body, &memory);
    return value && matches(*value);
  }
  thread_local last_body last;
  const auto* value = last.get(id, body);
  return value != nullptr && matches(*value);
}

bool filter_ref::operator==(const filter_ref& other) const {
  return value == other.value
      || (value != nullptr && other.value != nullptr
          && value->text() == other.value->text());
}

} // namespace fanfare
