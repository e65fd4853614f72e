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

#include <optional>
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

/// What a PATCH gives the organizer or event as its name; its slug cannot
/// change, but may be sent back.
std::optional<std::string>
read_new_name(const exchange& x, const boost::json::object& json,
              std::string_view slug, std::string_view noun,
              std::optional<http_response>& failure) {
  field_errors errors;
  std::optional<std::string> out;
  for (const auto& item : json) {
    const std::string_view key{item.key().data(), item.key().size()};
    if (key == "name")
      out = read_text(json, "name", name_limit, errors);
    else if (key != "slug")
      errors.add(key, "Unknown key.");
    else if (!item.value().is_string() || item.value().get_string() != slug)
      errors.add(key,
                 "The slug cannot be changed: it is in addresses, keys and "
                 "bodies. Add another "
                   + std::string{noun} + ", and delete this one.");
  }
  if (!errors.empty())
    failure = errors.answer(x);
  return out;
}

http_response rename_organizer(const exchange& x) {
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  std::optional<http_response> failure;
  const auto name = read_new_name(x, json, x.owner.slug, "organizer", failure);
  if (failure)
    return *failure;
  const auto changed = x.service.change_organizer(
    x.owner.id, [&name](organizer& o) -> result<void> {
      o.name = name.value_or(o.name);
      return {};
    });
  if (!changed)
    return answer_to(x, changed.error());
  return json_answer(x, 200, slug_and_name_json(changed->slug, changed->name));
}

std::string counted(std::size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

http_response remove_organizer(const exchange& x) {
  const auto& slug = x.owner.slug;
  if (x.query.last("confirm").value_or("") != slug) {
    const auto hooks = x.service.count_webhooks(x.owner.id, std::nullopt);
    if (!hooks)
      return answer_to(x, hooks.error());
    field_errors errors;
    errors.add("confirm",
               "This deletes organizer \"" + slug + "\" (" + x.owner.name
                 + ") for good, with " + counted(*hooks, "webhook")
                 + " and what waits for them, "
                 + counted(x.service.events(x.owner.id).size(), "event")
                 + " and "
                 + counted(x.service.tokens(x.owner.id).size(), "token")
                 + ". To do so, repeat its slug: ?confirm=" + slug);
    return errors.answer(x);
  }
  const auto removed = x.service.remove_organizer(x.owner.id);
  return removed ? empty_answer(204) : answer_to(x, removed.error());
}

http_response rename_event(const exchange& x, const event& what) {
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  std::optional<http_response> failure;
  const auto name = read_new_name(x, json, what.slug, "event", failure);
  if (failure)
    return *failure;
  if (!name)
    return json_answer(x, 200, slug_and_name_json(what.slug, what.name));
  const auto changed = x.service.rename_event(x.owner.id, what.id, *name);
  if (!changed)
    return answer_to(x, changed.error());
  return json_answer(x, 200, slug_and_name_json(changed->slug, changed->name));
}

http_response remove_event(const exchange& x, const event& what) {
  const auto removed = x.service.remove_event(x.owner.id, what.id);
  return removed ? empty_answer(204) : answer_to(x, removed.error());
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

http_response serve_organizer(const exchange& x) {
  if (x.is("PATCH"))
    return rename_organizer(x);
  if (x.is("DELETE"))
    return remove_organizer(x);
  return json_answer(x, 200, slug_and_name_json(x.owner.slug, x.owner.name));
}

http_response serve_event(const exchange& x) {
  const auto found = x.service.find_event(x.owner.id, x.route.id);
  if (!found)
    return refusal(x, 404, "There is no such event.");
  if (x.is("PATCH"))
    return rename_event(x, *found);
  if (x.is("DELETE"))
    return remove_event(x, *found);
  return json_answer(x, 200, slug_and_name_json(found->slug, found->name));
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
