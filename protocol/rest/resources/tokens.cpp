// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/tokens.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/pagination.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/rest/messages/text_field.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>

#include <array>
#include <string>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

struct permission_name {
  std::string_view name;
  permission bit;
};
constexpr std::array<permission_name, 5> permission_names{{
  {"webhooks", permission_webhooks},
  {"notifications", permission_notifications},
  {"admin", permission_admin},
  {"metrics", permission_metrics},
  {"register_types", permission_register_types},
}};

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

http_response add_token(const exchange& x) {
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  field_errors errors;
  auto name = read_text(json, "name", name_limit, errors);
  const auto permissions = read_permissions(json, errors);
  if (!errors.empty())
    return errors.answer(x);
  if (x.token && (permissions & permission_metrics) != 0)
    return refusal(x, 403,
                   "You do not have permission to perform this action: only "
                   "the server's admin gives \"metrics\", which shows figures "
                   "of the whole server.");
  if (x.token && (permissions & permission_register_types) != 0)
    return refusal(x, 403,
                   "You do not have permission to perform this action: only "
                   "the server's admin gives \"register_types\", as all "
                   "organizers share the action types.");
  const auto added = x.service.add_token(x.owner.id, std::move(name),
                                         permissions);
  if (!added)
    return answer_to(x, added.error());
  auto body = to_json(added->value);
  body["key"] = json_string(added->key);
  return json_answer(x, 201, body);
}

} // namespace

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

} // namespace fanfare::protocol::rest
