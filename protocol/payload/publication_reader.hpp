// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// INTERNAL to publication.cpp: the handler of the JSON parser's events. It
/// builds no tree. Each member of the notification (or of its payload) is
/// rendered into one buffer as `"key": value` and remembered as a range of it,
/// since only the end of the object tells which ranges go out.

#include "protocol/payload/json_text.hpp"
#include "protocol/payload/publication.hpp"

#include <boost/json/basic_parser.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol::detail {

/// Ranges of the buffer, one for each distinct key.
class member_list {
public:
  struct member {
    std::size_t begin = 0;
    std::size_t key_end = 0; ///< behind the key's closing quote
    std::size_t end = 0;
  };

  void clear();
  /// Adds a member, or gives the one with the same key this value.
  void put(const std::string& text, member value);
  [[nodiscard]] const std::vector<member>& all() const {
    return members_;
  }

private:
  std::vector<member> members_;
  /// Only once there are many: a search of a few beats any index, but not of
  /// 100,000.
  std::map<std::string, std::size_t, std::less<>> index_;
};

class publication_reader {
public:
  explicit publication_reader(std::string_view organizer);

  /// What was read, or the first fault. Only after the parser took the whole
  /// text.
  [[nodiscard]] result<publications> take();

  // -- a notification whose members are known but for those of its payload ----

  /// Begins one, whatever was read before. `event` is empty if there is none;
  /// members come from the events below. `size` is what they will have, about.
  void begin(std::string_view action, std::string_view event, std::size_t size);
  /// Ends it: what is sent behind the id, or the first fault.
  [[nodiscard]] result<std::string> finish();
  /// Whether the members of the notification at hand say no other action and
  /// event than these, and name neither an organizer nor a payload.
  [[nodiscard]] bool speaks_of(std::string_view action,
                               std::string_view event) const {
    return action_.text == action && event_.text == event
        && stated_organizer_.found == kind::absent
        && payload_value_.found == kind::absent;
  }
  /// Set if reading was stopped, by the sentence for it; the parser's own error
  /// then means nothing.
  [[nodiscard]] const std::string& stopped() const {
    return stopped_;
  }

  // -- events of boost::json::basic_parser ------------------------------------

  using view = boost::json::string_view;
  using failure = boost::json::error_code;
  static constexpr std::size_t
    max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;

  bool on_document_begin(failure&) {
    return true;
  }
  bool on_document_end(failure&) {
    return true;
  }
  bool on_object_begin(failure& e) {
    return open(kind::object, e);
  }
  bool on_object_end(std::size_t, failure&) {
    return close('}');
  }
  bool on_array_begin(failure& e) {
    return open(kind::array, e);
  }
  bool on_array_end(std::size_t, failure&) {
    return close(']');
  }
  bool on_key_part(view text, std::size_t, failure&) {
    return key(text, false);
  }
  bool on_key(view text, std::size_t, failure&) {
    return key(text, true);
  }
  bool on_string_part(view text, std::size_t, failure&) {
    return string(text, false);
  }
  bool on_string(view text, std::size_t, failure&) {
    return string(text, true);
  }
  bool on_number_part(view text, failure&) {
    return number(text, kind::integer, false);
  }
  bool on_int64(std::int64_t, view text, failure&) {
    return number(text, kind::integer, true);
  }
  bool on_uint64(std::uint64_t, view text, failure&) {
    return number(text, kind::integer, true);
  }
  bool on_double(double, view text, failure&) {
    return number(text, kind::real, true);
  }
  bool on_bool(bool value, failure&) {
    return word(kind::boolean, value ? "true" : "false");
  }
  bool on_null(failure&) {
    return word(kind::null, "null");
  }
  bool on_comment_part(view, failure&) {
    return true;
  }
  bool on_comment(view, failure&) {
    return true;
  }

private:
  enum class kind : std::uint8_t {
    absent,
    null,
    boolean,
    integer,
    real,
    string,
    array,
    object
  };
  enum class role : std::uint8_t {
    other,
    action,
    event,
    organizer,
    payload,
    id
  };

  /// A top-level key that is read and not only passed on.
  struct known {
    kind found = kind::absent;
    std::string text; ///< of a string
  };

  static role role_of(std::string_view key);

  bool open(kind k, failure& e);
  bool close(char bracket);
  bool key(view text, bool last);
  bool string(view text, bool last);
  bool number(view text, kind k, bool last);
  bool word(kind k, std::string_view text);

  void begin_value(kind k);
  void end_value();
  void begin_item(kind k);
  void end_item();
  /// What is sent behind the id; nothing if there is a fault.
  std::optional<std::string> checked_rest();
  void begin_member();
  void separate();

  [[nodiscard]] bool at_item() const {
    return active_ && depth_ == item_depth_;
  }
  [[nodiscard]] bool at_payload() const {
    return in_payload_ && depth_ == item_depth_ + 1;
  }
  known* known_for(role r);

  void fault(ec code, std::string field, std::string sentence);
  bool check_text(const known& value, std::string_view field);
  bool check_item();
  [[nodiscard]] std::string render() const;
  void append_members(std::string& out, const member_list& list) const;

  std::string organizer_;        ///< slug
  std::string organizer_member_; ///< `, "organizer": "slug"`

  publications found_;
  std::optional<error> fault_;
  std::string stopped_;
  std::size_t count_ = 0; ///< items begun

  std::size_t depth_ = 0; ///< open brackets
  std::size_t
    item_depth_ = 1;    ///< `depth_` between the members of a notification
  bool active_ = false; ///< inside a notification
  bool in_payload_ = false;
  bool in_text_ = false; ///< inside a key, string or number that comes in parts
  std::uint64_t
    empty_ = 0; ///< bit n: the container at depth n has no member yet
  std::uint64_t array_ = 0; ///< bit n: the container at depth n is an array

  std::string text_; ///< the buffer
  std::string key_;  ///< of the member at hand
  json_escaper escaper_;
  role role_ = role::other;
  member_list::member member_;
  member_list::member
    payload_member_; ///< parks `member_` of "payload" while its inside is read
  member_list members_;
  member_list payload_;
  bool payload_has_action_ = false;
  known action_;
  known event_;
  known stated_organizer_;
  known payload_value_;
};

} // namespace fanfare::protocol::detail
