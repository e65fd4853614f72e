// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// INTERNAL to publication.cpp: the handler of the JSON parser's events. It
/// builds no tree. Each member of the notification (or of its payload) is
/// rendered into one buffer as `"key": value` and remembered as a range of it,
/// since only the end of the object tells which ranges go out.

#include "protocol/payload/json_text.hpp"
#include "protocol/payload/member_list.hpp"
#include "protocol/payload/publication_item.hpp"
#include "protocol/payload/publications.hpp"

#include <boost/json/basic_parser.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol::detail {

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
  /// The notification at hand.
  [[nodiscard]] const publication_item& item() const {
    return item_;
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
    return open(json_kind::object, e);
  }
  bool on_object_end(std::size_t, failure&) {
    return close('}');
  }
  bool on_array_begin(failure& e) {
    return open(json_kind::array, e);
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
    return number(text, json_kind::integer, false);
  }
  bool on_int64(std::int64_t, view text, failure&) {
    return number(text, json_kind::integer, true);
  }
  bool on_uint64(std::uint64_t, view text, failure&) {
    return number(text, json_kind::integer, true);
  }
  bool on_double(double, view text, failure&) {
    return number(text, json_kind::real, true);
  }
  bool on_bool(bool value, failure&) {
    return word(json_kind::boolean, value ? "true" : "false");
  }
  bool on_null(failure&) {
    return word(json_kind::null, "null");
  }
  bool on_comment_part(view, failure&) {
    return true;
  }
  bool on_comment(view, failure&) {
    return true;
  }

private:
  /// Where the next event belongs.
  enum class place : std::uint8_t {
    outside, ///< of a notification, or in one that is not looked at
    item,
    payload, ///< in the object `payload` of an item
  };

  bool open(json_kind k, failure& e);
  bool close(char bracket);
  bool key(view text, bool last);
  bool string(view text, bool last);
  bool number(view text, json_kind k, bool last);
  bool word(json_kind k, std::string_view text);

  void begin_value(json_kind k);
  void end_value();
  void begin_item(json_kind k);
  void end_item();
  /// What is sent behind the id; nothing if there is a fault.
  std::optional<std::string> checked_rest();
  void begin_member();
  void separate();

  [[nodiscard]] bool active() const {
    return place_ != place::outside;
  }
  [[nodiscard]] bool at_item() const {
    return active() && depth_ == item_depth_;
  }
  [[nodiscard]] bool at_payload() const {
    return place_ == place::payload && depth_ == item_depth_ + 1;
  }
  void fault(error what);

  const publishing_organizer organizer_;
  publications found_;
  std::optional<error> fault_;
  std::string stopped_;
  std::size_t count_ = 0; ///< items begun

  std::size_t depth_ = 0;      ///< open brackets
  std::size_t item_depth_ = 1; ///< `depth_` between the members of an item
  place place_ = place::outside;
  bool in_text_ = false;    ///< in a key, string or number that comes in parts
  std::uint64_t empty_ = 0; ///< bit n: the container at depth n has no member
  std::uint64_t array_ = 0; ///< bit n: the container at depth n is an array

  std::string key_; ///< of the member at hand
  json_escaper escaper_;
  key_role role_ = key_role::other;
  member_list::member member_;
  /// Keeps `member_` of "payload" while its inside is read.
  member_list::member payload_member_;
  publication_item item_;
};

} // namespace fanfare::protocol::detail
