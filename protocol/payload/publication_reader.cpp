// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/publication_reader.hpp"

#include "protocol/rules/action_types.hpp"
#include "protocol/rules/slug.hpp"

#include <utility>

namespace fanfare::protocol::detail {

// -- member_list --------------------------------------------------------------

void member_list::clear() {
  members_.clear();
  index_.clear();
}

void member_list::put(const std::string& text, member value) {
  static constexpr std::size_t few = 16;
  const auto key_of = [&text](const member& m) {
    return std::string_view{text}.substr(m.begin, m.key_end - m.begin);
  };
  const auto key = key_of(value);
  if (members_.size() < few) {
    for (auto& m : members_)
      if (key_of(m) == key) {
        m = value;
        return;
      }
    members_.push_back(value);
    return;
  }
  if (index_.empty())
    for (std::size_t i = 0; i < members_.size(); ++i)
      index_.emplace(key_of(members_[i]), i);
  const auto [place, fresh] = index_.emplace(key, members_.size());
  if (fresh)
    members_.push_back(value);
  else
    members_[place->second] = value;
}

// -- events -------------------------------------------------------------------

publication_reader::publication_reader(std::string_view organizer)
  : organizer_{organizer} {
  organizer_member_ = R"(, "organizer": )";
  append_json_string(organizer_member_, organizer);
}

bool publication_reader::open(kind k, failure& e) {
  begin_value(k);
  ++depth_;
  if (depth_ + 1 - item_depth_ > publication_depth_limit) {
    stopped_ = "nested deeper than " + std::to_string(publication_depth_limit)
             + " levels";
    e = boost::json::error::too_deep;
    return false;
  }
  if (!active_)
    return true;
  if (k == kind::object && depth_ == item_depth_ + 1
      && role_ == role::payload) {
    in_payload_ = true;
    payload_member_ = member_;
    return true;
  }
  if (depth_ > item_depth_)
    text_ += k == kind::object ? '{' : '[';
  const auto bit = std::uint64_t{1} << depth_;
  empty_ |= bit;
  array_ = k == kind::array ? array_ | bit : array_ & ~bit;
  return true;
}

bool publication_reader::close(char bracket) {
  if (at_item()) {
    end_item();
    active_ = false;
  } else if (at_payload()) {
    in_payload_ = false;
    role_ = role::payload;
    member_ = payload_member_;
  } else if (active_) {
    text_ += bracket;
  }
  --depth_;
  end_value();
  return true;
}

bool publication_reader::key(view text, bool last) {
  if (!active_)
    return true;
  if (at_item() || at_payload()) {
    key_.append(text.data(), text.size());
    if (last)
      begin_member();
    return true;
  }
  if (!in_text_) {
    separate();
    text_ += '"';
    in_text_ = true;
  }
  escaper_.append(text_, {text.data(), text.size()});
  if (last) {
    text_ += "\": ";
    in_text_ = false;
  }
  return true;
}

bool publication_reader::string(view text, bool last) {
  if (!in_text_) {
    begin_value(kind::string);
    in_text_ = true;
    if (active_)
      text_ += '"';
  }
  if (active_) {
    if (known* k = at_item() ? known_for(role_) : nullptr)
      k->text.append(text.data(), text.size());
    escaper_.append(text_, {text.data(), text.size()});
  }
  if (last) {
    in_text_ = false;
    if (active_)
      text_ += '"';
    end_value();
  }
  return true;
}

bool publication_reader::number(view text, kind k, bool last) {
  if (!in_text_) {
    begin_value(k);
    in_text_ = true;
  }
  if (active_)
    text_.append(text.data(), text.size());
  if (last) {
    in_text_ = false;
    end_value();
  }
  return true;
}

bool publication_reader::word(kind k, std::string_view text) {
  begin_value(k);
  if (active_)
    text_ += text;
  end_value();
  return true;
}

// -- structure ----------------------------------------------------------------

/// Called before the value's first byte, with `depth_` of its container.
void publication_reader::begin_value(kind k) {
  if (active_) {
    if (at_item()) {
      if (known* found = known_for(role_)) {
        found->found = k;
        found->text.clear();
      }
      if (role_ == role::payload) {
        payload_.clear();
        payload_has_action_ = false;
      }
    } else if (!at_payload() && (array_ >> depth_ & 1) != 0) {
      separate();
    }
    return;
  }
  if (depth_ == 0 && k == kind::array) {
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
    member_.end = text_.size();
    if (role_ == role::other)
      members_.put(text_, member_);
    else if (role_ != role::payload)
      text_.resize(member_.begin); // read, not passed on
    return;
  }
  if (at_payload()) {
    member_.end = text_.size();
    if (role_ == role::id)
      text_.resize(member_.begin);
    else
      payload_.put(text_, member_);
  }
}

/// Called with the key in `key_`.
void publication_reader::begin_member() {
  role_ = role_of(key_);
  if (at_payload() && role_ == role::action)
    payload_has_action_ = true;
  member_.begin = text_.size();
  append_json_string(text_, key_);
  member_.key_end = text_.size();
  text_ += ": ";
  key_.clear();
}

void publication_reader::separate() {
  const auto bit = std::uint64_t{1} << depth_;
  if ((empty_ & bit) == 0)
    text_ += ", ";
  empty_ &= ~bit;
}

publication_reader::role publication_reader::role_of(std::string_view key) {
  if (key == "action")
    return role::action;
  if (key == "event")
    return role::event;
  if (key == "organizer")
    return role::organizer;
  if (key == "payload")
    return role::payload;
  if (key == "notification_id")
    return role::id;
  return role::other;
}

publication_reader::known* publication_reader::known_for(role r) {
  switch (r) {
    case role::action: return &action_;
    case role::event: return &event_;
    case role::organizer: return &stated_organizer_;
    case role::payload: return &payload_value_;
    case role::id:
    case role::other: break;
  }
  return nullptr;
}

// -- one notification ---------------------------------------------------------

void publication_reader::begin_item(kind k) {
  ++count_;
  if (fault_ || count_ > publications_limit)
    return; // what follows is only checked for being JSON
  if (k != kind::object) {
    static constexpr std::string_view names[] = {
      "", "NoneType", "bool", "int", "float", "str", "list", "dict"};
    return fault(ec::invalid_argument, "non_field_errors",
                 "Invalid data. Expected a dictionary, but got "
                   + std::string{names[static_cast<std::size_t>(k)]} + ".");
  }
  active_ = true;
  // Nothing of the one before, also if that was not read to its end.
  in_payload_ = payload_has_action_ = false;
  role_ = role::other;
  escaper_ = {};
  text_.clear();
  key_.clear();
  members_.clear();
  payload_.clear();
  for (auto* value : {&action_, &event_, &stated_organizer_, &payload_value_}) {
    value->found = kind::absent;
    value->text.clear();
  }
}

void publication_reader::end_item() {
  if (auto rest = checked_rest())
    found_.items.push_back({.action = std::move(action_.text),
                            .event = std::move(event_.text),
                            .rest = std::move(*rest)});
}

std::optional<std::string> publication_reader::checked_rest() {
  if (!check_item())
    return std::nullopt;
  auto rest = render();
  static constexpr std::size_t
    longest_front = sizeof R"({"notification_id": 18446744073709551615)";
  if (rest.size() + longest_front <= notification_body_limit)
    return rest;
  fault(ec::too_large, {},
        "The body of a notification may have 1 MiB, as it is sent.");
  return std::nullopt;
}

bool publication_reader::check_item() {
  if (action_.found == kind::absent) {
    fault(ec::invalid_argument, "action", "This field is required.");
    return false;
  }
  if (!check_text(action_, "action"))
    return false;
  if (action_.text.size() > action_type_limit) {
    fault(ec::invalid_argument, "action",
          "Ensure this field has no more than 255 characters.");
    return false;
  }
  if (event_.found != kind::absent && event_.found != kind::null) {
    if (!check_text(event_, "event"))
      return false;
    if (!is_slug(event_.text)) {
      fault(ec::invalid_argument, "event", std::string{slug_rule});
      return false;
    }
  }
  if (stated_organizer_.found != kind::absent) {
    if (!check_text(stated_organizer_, "organizer"))
      return false;
    if (stated_organizer_.text != organizer_) {
      fault(ec::forbidden, {},
            "The notification names another organizer than the path.");
      return false;
    }
  }
  if (payload_value_.found == kind::absent)
    return true;
  if (payload_value_.found != kind::object) {
    fault(ec::invalid_argument, "payload", "A payload must be an object.");
    return false;
  }
  if (!members_.all().empty()) {
    std::string keys;
    for (const auto& m : members_.all()) {
      if (keys.size() > 200) {
        keys += ", …";
        break;
      }
      keys += (keys.empty() ? "" : ", ")
            + text_.substr(m.begin, m.key_end - m.begin);
    }
    fault(ec::invalid_argument, "payload",
          "Nothing else is sent with a payload, so these keys would be lost: "
            + keys + ".");
    return false;
  }
  return true;
}

bool publication_reader::check_text(const known& value,
                                    std::string_view field) {
  std::string_view sentence;
  if (value.found == kind::null)
    sentence = "This field may not be null.";
  else if (value.found != kind::string)
    sentence = "Not a valid string.";
  else if (value.text.empty())
    sentence = "This field may not be blank.";
  if (!sentence.empty())
    fault(ec::invalid_argument, std::string{field}, std::string{sentence});
  return sentence.empty();
}

std::string publication_reader::render() const {
  std::string out;
  // The store will put the id in front.
  constexpr std::size_t names_and_id = 128;
  constexpr std::size_t separator = 2;
  out.reserve(text_.size()
              + separator * (members_.all().size() + payload_.all().size())
              + organizer_member_.size() + event_.text.size()
              + action_.text.size() + names_and_id);
  const bool whole = payload_value_.found == kind::absent;
  if (whole) {
    out += organizer_member_;
    if (event_.found == kind::string) {
      out += R"(, "event": )";
      append_json_string(out, event_.text);
    }
    append_members(out, members_);
  } else {
    append_members(out, payload_);
  }
  if (whole || !payload_has_action_) {
    out += R"(, "action": )";
    append_json_string(out, action_.text);
  }
  out += '}';
  return out;
}

void publication_reader::append_members(std::string& out,
                                        const member_list& list) const {
  for (const auto& m : list.all()) {
    out += ", ";
    out.append(text_, m.begin, m.end - m.begin);
  }
}

// -- a notification whose members are known but for those of its payload ------

void publication_reader::begin(std::string_view action, std::string_view event,
                               std::size_t size) {
  fault_.reset();
  stopped_.clear();
  active_ = in_text_ = false;
  count_ = depth_ = 0;
  failure ignored; // one level is not too deep
  open(kind::object, ignored);
  text_.reserve(size);
  action_.found = kind::string;
  action_.text = action;
  if (!event.empty()) {
    event_.found = kind::string;
    event_.text = event;
  }
}

result<std::string> publication_reader::finish() {
  if (auto rest = checked_rest())
    return std::move(*rest);
  return std::move(*fault_);
}

// -- the outcome --------------------------------------------------------------

void publication_reader::fault(ec code, std::string field,
                               std::string sentence) {
  if (fault_)
    return;
  if (found_.list)
    sentence = "items[" + std::to_string(count_ - 1) + "]: " + sentence;
  fault_ = error{code, std::move(sentence), std::move(field)};
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
