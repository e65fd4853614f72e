// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/registry.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/pagination.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/rest/messages/text_field.hpp"
#include "protocol/rules/action_types.hpp"
#include "protocol/rules/slug.hpp"

#include <boost/json/string.hpp>

#include <string>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

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

/// The answer to a name that is taken names the field.
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

http_response serve_action_types(const exchange& x) {
  if (x.is("POST"))
    return add_action_type(x);
  return list_answer(x, x.service.action_types(), [](const action_type& type) {
    return boost::json::object{{"name", json_string(type.name)}};
  });
}

} // namespace fanfare::protocol::rest
