// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Conditions on the body of a notification, which decide whether a webhook
/// that is subscribed to it gets it. Compiled once, bounded in size and depth.
///
///     {"type": "entry", "checkin_list": {"$in": [1, 2]},
///      "$or": [{"gate": {"$exists": false}}, {"gate": {"$startsWith": "A"}}]}
///
/// An object holds conditions that must all hold (an empty one always does). A
/// key is a name of the notification's object; its value is a plain JSON value
/// (equality), an object of operators, or an object without operators, whose
/// conditions are about the keys within ("nested keys"; "a.b" means the same as
/// {"a": {"b": …}}, unless the notification has a key "a.b"). Operators on a
/// value: `$eq $ne $in $nin $gt $gte $lt $lte $exists $startsWith $endsWith
/// $contains $not`; on conditions: `$and $or $not`.
///
/// A missing key is unequal to everything but null, is in no list that does not
/// hold null, and makes all comparisons false; `$ne`, `$nin` and `$not` are the
/// exact opposites of `$eq`, `$in` and their condition. Numbers compare by
/// value (1 equals 1.0), texts by code point; values of different kinds are
/// unequal and neither is less. `$contains` looks for a text in a text, or for
/// a value in a list. No condition can fail at match time.
///
/// In detail:
/// - A list is a value like any other: `{"tags": "vip"}` does not look into it,
///   `{"tags": {"$contains": "vip"}}` does. Lists are equal member by member in
///   order, objects in any order. Keys do not reach into lists ("a.0").
/// - `{"a": {}}` always holds, also without "a", because it has no condition;
///   `{"a": {"$eq": {}}}` is equality with an empty object, and `$eq` the way
///   to compare with any object. A value that is not an object has no keys.
/// - "a.b.c" is looked up as the key "a.b.c", then in "a" as "b.c", then in
/// that
///   "b" as "c"; the first that exists is taken, even if it is null. "a.b" with
///   a "c" within is written {"a.b": {"c": …}}.
/// - `$exists` tells a key with null (true) from none (false); nothing else
///   does.
/// - `$not` takes, at a key, whatever the key itself could take (a plain value
///   means the same as `$ne`); elsewhere an object of conditions. `{"$not":
///   {}}` never holds. It negates all of its condition: `{"a": {"$not":
///   {"$gt": 1}}}` holds for a text and without "a".
/// - `$in` with an empty list never holds, `$nin` always does; `$and` and `$or`
///   need a member. `$startsWith`, `$endsWith` and `$contains` with the empty
///   text hold for every text.
/// - Numbers are exact, with all digits that they are written with, however
///   many. A filter cannot hold a number beyond the range of doubles.
/// - Texts are compared as they are: no case folding, no Unicode normalization.
/// - Keys that begin with "$" are always operators, and a key that is written
///   twice in one object is an error of `parse`.

#include "fanfare/error.hpp"
#include "model/filter/limits.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fanfare {

/// Immutable; any thread.
class payload_filter {
public:
  static constexpr std::size_t text_limit = filter::text_limit;
  static constexpr std::size_t size_limit = filter::size_limit;
  static constexpr std::size_t depth_limit = filter::depth_limit;
  static constexpr std::size_t body_depth_limit = filter::body_depth_limit;
  /// Longer bodies are parsed for each filter rather than remembered.
  static constexpr std::size_t remembered_limit = std::size_t{1024} * 1024;

  /// From JSON text, which is kept but for its spacing, so that numbers read
  /// back as they were written; `text_limit` is that of what is kept.
  /// invalid_argument with field "filter": one sentence that names the place
  /// ("checkin_list.$in must be a list.") and what to do.
  [[nodiscard]] static result<std::shared_ptr<const payload_filter>>
  parse(std::string_view text);
  /// The same from a value. Whoever has the text should not go through one:
  /// boost::json::parse does not read all numbers exactly.
  [[nodiscard]] static result<std::shared_ptr<const payload_filter>>
  compile(const boost::json::value& conditions);
  /// The text of a filter as a value, with the doubles next to its numbers;
  /// null if it is none.
  [[nodiscard]] static boost::json::value read(std::string_view text);

  payload_filter(const payload_filter&) = delete;
  payload_filter& operator=(const payload_filter&) = delete;
  ~payload_filter();

  /// Whether all conditions hold. Each condition takes time linear in the
  /// values it looks at. Does not allocate.
  [[nodiscard]] bool
  matches(const boost::json::value& notification) const noexcept;
  /// The same for the JSON text of a notification; false if it is not JSON or
  /// nested deeper than `body_depth_limit`. Each thread remembers the value of
  /// its last text by `id`, so that a notification is parsed once for many
  /// filters; the same `id` with another text is recognized. Ends the process
  /// if memory runs out: false would lose a notification.
  [[nodiscard]] bool matches(std::uint64_t id,
                             std::string_view body) const noexcept;

  /// The conditions as JSON text. Filters with the same text are equal.
  [[nodiscard]] const std::string& text() const noexcept {
    return text_;
  }

private:
  struct node;
  payload_filter();

  std::string text_;
  std::unique_ptr<const node> root_;
};

} // namespace fanfare
