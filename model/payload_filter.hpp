// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Conditions on what a notification says: which of those that a webhook is
/// subscribed to it gets. Compiled once, bounded in size and depth.
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
///   to compare with any object. Keys within what is no object are missing.
/// - "a.b.c" asks for the key "a.b.c", then in "a" for "b.c", then in that "b"
///   for "c"; whichever is there first is meant, also if it is null. "a.b" with
///   a "c" within is written {"a.b": {"c": …}}.
/// - `$exists` tells a key with null (true) from none (false); nothing else
///   does.
/// - `$not` takes at a key whatever the key itself could take (a plain value:
///   the same as `$ne`), elsewhere an object of conditions. `{"$not": {}}`
///   never holds. It is the opposite of the whole: `{"a": {"$not": {"$gt":
///   1}}}` holds for a text and without "a".
/// - `$in` with an empty list never holds, `$nin` always does; `$and` and `$or`
///   need a member. `$startsWith`, `$endsWith` and `$contains` with the empty
///   text hold for every text.
/// - Integers are exact over all 64 bits, also against fractions; what has more
///   digits is the nearest double. A filter cannot hold a number beyond
///   doubles.
/// - Texts are compared as they are: no case folding, no Unicode normalization.
/// - Keys that begin with "$" are always operators, and a key that is written
///   twice in one object is an error of `parse`.

#include "fanfare/error.hpp"

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
  /// Most bytes of its text, conditions in it (each key, operator and list
  /// member counts), and objects within each other. Each dot of a key is one
  /// more object, and so is a list in a value that is compared with.
  static constexpr std::size_t text_limit = std::size_t{16} * 1024;
  static constexpr std::size_t size_limit = 512;
  static constexpr std::size_t depth_limit = 16;
  /// Deepest nesting of a notification, as for publishing one.
  static constexpr std::size_t body_depth_limit = 32;
  /// Longer bodies are parsed for each filter rather than remembered.
  static constexpr std::size_t remembered_limit = std::size_t{1024} * 1024;

  /// invalid_argument with field "filter": one sentence that names the place
  /// ("checkin_list.$in must be a list.") and what to do.
  [[nodiscard]] static result<std::shared_ptr<const payload_filter>>
  compile(const boost::json::value& conditions);
  /// The same from JSON text. How it was spaced and escaped is not kept.
  [[nodiscard]] static result<std::shared_ptr<const payload_filter>>
  parse(std::string_view text);

  payload_filter(const payload_filter&) = delete;
  payload_filter& operator=(const payload_filter&) = delete;
  ~payload_filter();

  /// Whether all conditions hold. Each condition takes time linear in what it
  /// looks at. Does not allocate.
  [[nodiscard]] bool
  matches(const boost::json::value& notification) const noexcept;
  /// The same for the JSON text of a notification; false if it is no JSON or
  /// nested deeper than `body_depth_limit`. Remembers, per thread, the last
  /// text's value by `id`: many filters that look at one notification after
  /// another parse it once. An equal `id` with another text is no danger. Ends
  /// the process if memory runs out: false would lose a notification.
  [[nodiscard]] bool matches(std::uint64_t id,
                             std::string_view body) const noexcept;

  /// As it was given, as JSON text. Filters with the same text are equal.
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
