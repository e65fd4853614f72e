// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/registry.hpp"

#include "protocol/rest/answers.hpp"
#include "protocol/rest/pagination.hpp"
#include "protocol/rest/request_body.hpp"
#include "protocol/rules/action_types.hpp"
#include "protocol/rules/slug.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

constexpr std::size_t name_limit = 200;

struct permission_name {
  std::string_view name;
  permission bit;
};
constexpr std::array<permission_name, 3> permission_names{{
  {"webhooks", permission_webhooks},
  {"notifications", permission_notifications},
  {"admin", permission_admin},
}};

/// A trimmed text of 1 to `limit` code points; faults go to `errors`.
std::string read_text(const boost::json::object& json, std::string_view field,
                      std::size_t limit, field_errors& errors) {
  const auto fault = [&](std::string sentence) {
    errors.add(field, std::move(sentence));
    return std::string{};
  };
  const auto* value = json.if_contains({field.data(), field.size()});
  if (value == nullptr)
    return fault("This field is required.");
  if (value->is_null())
    return fault("This field may not be null.");
  if (!value->is_string())
    return fault("Not a valid string.");
  const auto text = trim(
    {value->get_string().data(), value->get_string().size()});
  if (text.empty())
    return fault("This field may not be blank.");
  if (text.find('\0') != std::string_view::npos)
    return fault("Null characters are not allowed.");
  if (count_code_points(text) > limit)
    return fault("Ensure this field has no more than " + std::to_string(limit)
                 + " characters.");
  return std::string{text};
}

struct slug_and_name {
  std::string slug;
  std::string name; ///< the slug if none was sent
};

slug_and_name read_slug_and_name(const boost::json::object& json,
                                 field_errors& errors) {
  slug_and_name out;
  const auto* slug = json.if_contains("slug");
  if (slug != nullptr && slug->is_string()) {
    const std::string_view text{slug->get_string().data(),
                                slug->get_string().size()};
    if (is_slug(text))
      out.slug = text;
    else
      errors.add("slug", text.empty() ? "This field may not be blank."
                                      : std::string{slug_rule});
  } else {
    out.slug = read_text(json, "slug", slug_limit, errors);
  }
  out.name = json.contains("name") ? read_text(json, "name", name_limit, errors)
                                   : out.slug;
  return out;
}

/// The answer to a name that is taken says which field that is.
http_response refuse(const exchange& x, error e, std::string_view field,
                     std::string_view noun) {
  if (e.code == ec::already_exists) {
    e.field = field;
    e.detail = std::string{noun} + " with this " + std::string{field}
             + " already exists.";
  }
  return answer_to(x, e);
}

boost::json::object slug_and_name_json(std::string_view slug,
                                       std::string_view name) {
  boost::json::object out;
  out["slug"] = json_string(slug);
  out["name"] = json_string(name);
  return out;
}

boost::json::object to_json(const token& t) {
  boost::json::array permissions;
  for (const auto& [name, bit] : permission_names)
    if ((t.permissions & bit) != 0)
      permissions.push_back(json_string(name));
  boost::json::object out;
  out["id"] = t.id;
  out["name"] = json_string(t.name);
  out["permissions"] = std::move(permissions);
  out["created"] = to_iso8601(t.created);
  out["last_used"] = nullptr;
  if (t.last_used)
    out["last_used"] = to_iso8601(*t.last_used);
  return out;
}

std::uint8_t read_permissions(const boost::json::object& json,
                              field_errors& errors) {
  static constexpr std::string_view field = "permissions";
  const auto* value = json.if_contains("permissions");
  std::uint8_t bits = 0;
  if (value == nullptr) {
    errors.add(field, "This field is required.");
  } else if (!value->is_array()) {
    errors.add(field, "Expected a list of items but got type \""
                        + std::string{kind_name(*value)} + "\".");
  } else if (value->get_array().empty()) {
    errors.add(field, "This list may not be empty.");
  } else {
    for (const auto& item : value->get_array()) {
      std::uint8_t bit = 0;
      for (const auto& known : permission_names)
        if (item.is_string() && as_text(item) == known.name)
          bit = known.bit;
      if (bit == 0) {
        errors.add(field, "\"" + as_text(item) + "\" is not a valid choice.");
        break;
      }
      bits |= bit;
    }
  }
  return bits;
}

http_response add_organizer(const exchange& x) {
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  field_errors errors;
  auto sent = read_slug_and_name(json, errors);
  if (!errors.empty())
    return errors.answer(x);
  const auto added = x.service.add_organizer(std::move(sent.slug),
                                             std::move(sent.name));
  if (!added)
    return refuse(x, added.error(), "slug", "Organizer");
  return json_answer(x, 201, slug_and_name_json(added->slug, added->name));
}

http_response add_event(const exchange& x) {
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  field_errors errors;
  auto sent = read_slug_and_name(json, errors);
  if (!errors.empty())
    return errors.answer(x);
  const auto added = x.service.add_event(x.owner.id, std::move(sent.slug),
                                         std::move(sent.name));
  if (!added)
    return refuse(x, added.error(), "slug", "Event");
  return json_answer(x, 201, slug_and_name_json(added->slug, added->name));
}

http_response add_token(const exchange& x) {
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  field_errors errors;
  auto name = read_text(json, "name", name_limit, errors);
  const auto permissions = read_permissions(json, errors);
  if (!errors.empty())
    return errors.answer(x);
  const auto added = x.service.add_token(x.owner.id, std::move(name),
                                         permissions);
  if (!added)
    return answer_to(x, added.error());
  auto body = to_json(added->value);
  body["key"] = json_string(added->key);
  return json_answer(x, 201, body);
}

http_response add_action_type(const exchange& x) {
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  field_errors errors;
  auto name = read_text(json, "name", action_type_limit, errors);
  if (!errors.empty())
    return errors.answer(x);
  if (const auto valid = check_action_type_name(name); !valid)
    return answer_to(x, valid.error());
  const auto added = x.service.add_action_type(std::move(name));
  if (!added)
    return refuse(x, added.error(), "name", "Action type");
  return json_answer(x, 201,
                     boost::json::object{{"name", json_string(added->name)}});
}

} // namespace

http_response serve_organizers(const exchange& x) {
  if (x.is("POST"))
    return add_organizer(x);
  return list_answer(x, x.service.organizers(), [](const organizer& o) {
    return slug_and_name_json(o.slug, o.name);
  });
}

http_response serve_events(const exchange& x) {
  if (x.is("POST"))
    return add_event(x);
  return list_answer(x, x.service.events(x.owner.id), [](const event& e) {
    return slug_and_name_json(e.slug, e.name);
  });
}

http_response serve_tokens(const exchange& x) {
  if (x.is("POST"))
    return add_token(x);
  return list_answer(x, x.service.tokens(x.owner.id),
                     [](const token& t) { return to_json(t); });
}

http_response serve_token(const exchange& x) {
  const auto id = to_integer(x.route.id);
  if (!id || *id < 1)
    return not_found(x);
  const auto revoked = x.service.revoke_token(x.owner.id,
                                              static_cast<token_id>(*id));
  if (!revoked)
    return revoked.error().code == ec::not_found
           ? not_found(x)
           : answer_to(x, revoked.error());
  return empty_answer(204);
}

http_response serve_action_types(const exchange& x) {
  if (x.is("POST"))
    return add_action_type(x);
  return list_answer(x, x.service.action_types(), [](const action_type& type) {
    return boost::json::object{{"name", json_string(type.name)}};
  });
}

} // namespace fanfare::protocol::rest
