// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/publication_reader.hpp"

#include <utility>

namespace fanfare::protocol::detail {

// -- events -------------------------------------------------------------------

publication_reader::publication_reader(std::string_view organizer)
  : organizer_{organizer} {}

bool publication_reader::open(json_kind k, failure& e) {
  begin_value(k);
  ++depth_;
  if (depth_ + 1 - item_depth_ > publication_depth_limit) {
    stopped_ = "nested deeper than " + std::to_string(publication_depth_limit)
             + " levels";
    e = boost::json::error::too_deep;
    return false;
  }
  if (!active())
    return true;
  if (k == json_kind::object && depth_ == item_depth_ + 1
      && role_ == key_role::payload) {
    place_ = place::payload;
    payload_member_ = member_;
    return true;
  }
  if (depth_ > item_depth_)
    item_.text += k == json_kind::object ? '{' : '[';
  const auto bit = std::uint64_t{1} << depth_;
  empty_ |= bit;
  array_ = k == json_kind::array ? array_ | bit : array_ & ~bit;
  return true;
}

bool publication_reader::close(char bracket) {
  if (at_item()) {
    end_item();
    place_ = place::outside;
  } else if (at_payload()) {
    place_ = place::item;
    role_ = key_role::payload;
    member_ = payload_member_;
  } else if (active()) {
    item_.text += bracket;
  }
  --depth_;
  end_value();
  return true;
}

bool publication_reader::key(view text, bool last) {
  if (!active())
    return true;
  if (at_item() || at_payload()) {
    key_.append(text.data(), text.size());
    if (last)
      begin_member();
    return true;
  }
  if (!in_text_) {
    separate();
    item_.text += '"';
    in_text_ = true;
  }
  escaper_.append(item_.text, {text.data(), text.size()});
  if (last) {
    item_.text += "\": ";
    in_text_ = false;
  }
  return true;
}

bool publication_reader::string(view text, bool last) {
  if (!in_text_) {
    begin_value(json_kind::string);
    in_text_ = true;
    if (active())
      item_.text += '"';
  }
  if (active()) {
    if (auto* k = at_item() ? item_.find(role_) : nullptr)
      k->text.append(text.data(), text.size());
    escaper_.append(item_.text, {text.data(), text.size()});
  }
  if (last) {
    in_text_ = false;
    if (active())
      item_.text += '"';
    end_value();
  }
  return true;
}

bool publication_reader::number(view text, json_kind k, bool last) {
  if (!in_text_) {
    begin_value(k);
    in_text_ = true;
  }
  if (active())
    item_.text.append(text.data(), text.size());
  if (last) {
    in_text_ = false;
    end_value();
  }
  return true;
}

bool publication_reader::word(json_kind k, std::string_view text) {
  begin_value(k);
  if (active())
    item_.text += text;
  end_value();
  return true;
}

// -- structure ----------------------------------------------------------------

/// Called before the value's first byte, with `depth_` of its container.
void publication_reader::begin_value(json_kind k) {
  if (active()) {
    if (at_item()) {
      if (auto* found = item_.find(role_)) {
        found->found = k;
        found->text.clear();
      }
      if (role_ == key_role::payload) {
        item_.payload.clear();
        item_.payload_has_action = false;
      }
    } else if (!at_payload() && (array_ >> depth_ & 1) != 0) {
      separate();
    }
    return;
  }
  if (depth_ == 0 && k == json_kind::array) {
    found_.list = true;
    item_depth_ = 2;
    return;
  }
  if (depth_ + 1 == item_depth_)
    begin_item(k);
}

/// Called behind the value's last byte, with `depth_` of its container.
void publication_reader::end_value() {
  if (at_item()) {
    member_.end = item_.text.size();
    if (role_ == key_role::other)
      item_.members.put(item_.text, member_);
    else if (role_ != key_role::payload)
      item_.text.resize(member_.begin); // read, not passed on
    return;
  }
  if (at_payload()) {
    member_.end = item_.text.size();
    if (role_ == key_role::id)
      item_.text.resize(member_.begin);
    else
      item_.payload.put(item_.text, member_);
  }
}

/// Called with the key in `key_`.
void publication_reader::begin_member() {
  role_ = role_of(key_);
  if (at_payload() && role_ == key_role::action)
    item_.payload_has_action = true;
  member_.begin = item_.text.size();
  append_json_string(item_.text, key_);
  member_.key_end = item_.text.size();
  item_.text += ": ";
  key_.clear();
}

void publication_reader::separate() {
  const auto bit = std::uint64_t{1} << depth_;
  if ((empty_ & bit) == 0)
    item_.text += ", ";
  empty_ &= ~bit;
}

// -- one notification ---------------------------------------------------------

void publication_reader::begin_item(json_kind k) {
  ++count_;
  if (fault_ || count_ > publications_limit)
    return; // what follows is only checked for being JSON
  if (k != json_kind::object) {
    static constexpr std::string_view names[] = {
      "", "NoneType", "bool", "int", "float", "str", "list", "dict"};
    return fault({ec::invalid_argument,
                  "Invalid data. Expected a dictionary, but got "
                    + std::string{names[static_cast<std::size_t>(k)]} + ".",
                  "non_field_errors"});
  }
  // Nothing of the one before stays, even if that was not read to its end.
  place_ = place::item;
  role_ = key_role::other;
  escaper_ = {};
  key_.clear();
  item_.clear();
}

void publication_reader::end_item() {
  if (auto rest = checked_rest())
    found_.items.push_back({.action = std::move(item_.action.text),
                            .event = std::move(item_.event.text),
                            .rest = std::move(*rest)});
}

std::optional<std::string> publication_reader::checked_rest() {
  if (auto wrong = item_.check(organizer_)) {
    fault(std::move(*wrong));
    return std::nullopt;
  }
  auto rest = item_.render(organizer_);
  static constexpr std::size_t
    longest_front = sizeof R"({"notification_id": 18446744073709551615)";
  if (rest.size() + longest_front <= notification_body_limit)
    return rest;
  fault({ec::too_large,
         "The body of a notification may have 1 MiB, as it is sent."});
  return std::nullopt;
}

// -- a notification whose members are known but for those of its payload ------

void publication_reader::begin(std::string_view action, std::string_view event,
                               std::size_t size) {
  fault_.reset();
  stopped_.clear();
  place_ = place::outside;
  in_text_ = false;
  count_ = depth_ = 0;
  failure ignored; // one level is not too deep
  open(json_kind::object, ignored);
  item_.text.reserve(size);
  item_.action.found = json_kind::string;
  item_.action.text = action;
  if (!event.empty()) {
    item_.event.found = json_kind::string;
    item_.event.text = event;
  }
}

result<std::string> publication_reader::finish() {
  if (auto rest = checked_rest())
    return std::move(*rest);
  return std::move(*fault_);
}

// -- the outcome --------------------------------------------------------------

void publication_reader::fault(error what) {
  if (fault_)
    return;
  if (found_.list)
    what.detail = "items[" + std::to_string(count_ - 1) + "]: " + what.detail;
  fault_ = std::move(what);
}

result<publications> publication_reader::take() {
  if (found_.list && count_ == 0)
    return error{ec::invalid_argument, "This list may not be empty.",
                 "non_field_errors"};
  if (count_ > publications_limit)
    return error{ec::invalid_argument,
                 "One request takes at most 1000 notifications, not "
                   + std::to_string(count_) + ".",
                 "non_field_errors"};
  if (fault_)
    return std::move(*fault_);
  return std::move(found_);
}

} // namespace fanfare::protocol::detail
