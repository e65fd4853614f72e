// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/publication_item.hpp"

#include "protocol/payload/json_text.hpp"
#include "protocol/rules/action_types.hpp"
#include "protocol/rules/slug.hpp"

#include <utility>

namespace fanfare::protocol::detail {

namespace {

error fault(std::string_view field, std::string sentence) {
  return {ec::invalid_argument, std::move(sentence), std::string{field}};
}

/// A key's value must be a text that is not empty.
std::optional<error> check_text(const publication_item::known& value,
                                std::string_view field) {
  std::string_view sentence;
  if (value.found == json_kind::null)
    sentence = "This field may not be null.";
  else if (value.found != json_kind::string)
    sentence = "Not a valid string.";
  else if (value.text.empty())
    sentence = "This field may not be blank.";
  if (sentence.empty())
    return std::nullopt;
  return fault(field, std::string{sentence});
}

} // namespace

key_role role_of(std::string_view key) {
  if (key == "action")
    return key_role::action;
  if (key == "event")
    return key_role::event;
  if (key == "organizer")
    return key_role::organizer;
  if (key == "payload")
    return key_role::payload;
  if (key == "notification_id")
    return key_role::id;
  return key_role::other;
}

publishing_organizer::publishing_organizer(std::string_view name)
  : slug{name},
    member{R"(, "organizer": )"} {
  append_json_string(member, name);
}

void publication_item::clear() {
  text.clear();
  members.clear();
  payload.clear();
  payload_has_action = false;
  for (auto* value : {&action, &event, &organizer, &payload_value}) {
    value->found = json_kind::absent;
    value->text.clear();
  }
}

std::optional<error>
publication_item::check(const publishing_organizer& owner) const {
  if (action.found == json_kind::absent)
    return fault("action", "This field is required.");
  if (auto wrong = check_text(action, "action"))
    return wrong;
  if (action.text.size() > action_type_limit)
    return fault("action",
                 "Ensure this field has no more than 255 characters.");
  if (event.found != json_kind::absent && event.found != json_kind::null) {
    if (auto wrong = check_text(event, "event"))
      return wrong;
    if (!is_slug(event.text))
      return fault("event", std::string{slug_rule});
  }
  if (organizer.found != json_kind::absent) {
    if (auto wrong = check_text(organizer, "organizer"))
      return wrong;
    if (organizer.text != owner.slug)
      return error{ec::forbidden,
                   "The notification names another organizer than the path."};
  }
  if (payload_value.found == json_kind::absent)
    return std::nullopt;
  if (payload_value.found != json_kind::object)
    return fault("payload", "A payload must be an object.");
  if (members.all().empty())
    return std::nullopt;
  std::string keys;
  for (const auto& m : members.all()) {
    if (keys.size() > 200) {
      keys += ", …";
      break;
    }
    keys += (keys.empty() ? "" : ", ")
          + text.substr(m.begin, m.key_end - m.begin);
  }
  return fault("payload", "Nothing else is sent with a payload, so these keys "
                          "would be lost: "
                            + keys + ".");
}

std::string publication_item::render(const publishing_organizer& owner) const {
  std::string out;
  // The store will put the id in front.
  constexpr std::size_t names_and_id = 128;
  constexpr std::size_t separator = 2;
  out.reserve(text.size()
              + separator * (members.all().size() + payload.all().size())
              + owner.member.size() + event.text.size() + action.text.size()
              + names_and_id);
  const bool whole = payload_value.found == json_kind::absent;
  if (whole) {
    out += owner.member;
    if (event.found == json_kind::string) {
      out += R"(, "event": )";
      append_json_string(out, event.text);
    }
    append_members(out, members);
  } else {
    append_members(out, payload);
  }
  if (whole || !payload_has_action) {
    out += R"(, "action": )";
    append_json_string(out, action.text);
  }
  out += '}';
  return out;
}

void publication_item::append_members(std::string& out,
                                      const member_list& list) const {
  for (const auto& m : list.all()) {
    out += ", ";
    out.append(text, m.begin, m.end - m.begin);
  }
}

} // namespace fanfare::protocol::detail
