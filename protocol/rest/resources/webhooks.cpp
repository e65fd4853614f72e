// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/webhooks.hpp"

#include "protocol/payload/json_slices.hpp"
#include "protocol/rest/delivery/delivery_json.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/pagination.hpp"
#include "protocol/rest/resource.hpp"
#include "protocol/rest/resources/webhook_fields.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

constexpr std::string_view
  either_or = "You can set either limit_events or all_events.";

boost::json::object to_json(const exchange& x, const webhook& hook) {
  std::vector<event> events;
  for (const auto& slug : hook.events)
    if (auto found = x.service.find_event(hook.owner, slug))
      events.push_back(std::move(*found));
  std::ranges::sort(events, {},
                    [](const event& e) { return std::tie(e.name, e.slug); });
  boost::json::array slugs;
  for (const auto& e : events)
    slugs.push_back(json_string(e.slug));
  boost::json::array types;
  for (const auto& name : hook.action_types)
    types.push_back(json_string(name));
  boost::json::object out;
  out["id"] = hook.id;
  out["enabled"] = hook.enabled;
  out["target_url"] = json_string(hook.target_url);
  out["all_events"] = hook.all_events;
  out["limit_events"] = std::move(slugs);
  out["action_types"] = std::move(types);
  out["comment"] = hook.comment ? json_string(*hook.comment)
                                : boost::json::value(nullptr);
  return out;
}

/// Whether the answer is to have the delivery settings, too.
bool wants_delivery(const exchange& x) {
  const auto text = to_lower(x.query.last("delivery").value_or(""));
  return text == "true" || text == "1";
}

/// The filter of the list; other texts are ignored.
std::optional<bool> enabled_filter(const exchange& x) {
  const auto text = to_lower(x.query.last("enabled").value_or(""));
  if (text == "true" || text == "1")
    return true;
  if (text == "false" || text == "0")
    return false;
  return std::nullopt;
}

http_response no_webhook(const exchange& x) {
  return refusal(x, 404, "No WebHook matches the given query.");
}

boost::json::object metadata(std::string_view name, std::string_view method) {
  struct field {
    std::string_view name, type, label;
    bool required = false;
    bool read_only = false;
  };
  static constexpr field fields[] = {
    {"id", "integer", "ID", false, true},
    {"enabled", "boolean", "Enabled"},
    {"target_url", "url", "Target url", true},
    {"all_events", "boolean", "All events"},
    {"limit_events", "field", "Limit events", true},
    {"action_types", "field", "Action types", true},
    {"comment", "string", "Comment"},
  };
  boost::json::object out;
  out["name"] = json_string(name);
  out["description"] = "";
  out["renders"] = boost::json::array{"application/json"};
  out["parses"] = boost::json::array{"application/json",
                                     "application/x-www-form-urlencoded"};
  if (method.empty())
    return out;
  boost::json::object described;
  for (const auto& f : fields) {
    boost::json::object one;
    one["type"] = json_string(f.type);
    one["required"] = f.required;
    one["read_only"] = f.read_only;
    one["label"] = json_string(f.label);
    described.emplace(boost::json::string_view{f.name.data(), f.name.size()},
                      std::move(one));
  }
  boost::json::object actions;
  actions.emplace(boost::json::string_view{method.data(), method.size()},
                  std::move(described));
  out["actions"] = std::move(actions);
  return out;
}

/// Reads and checks the body. On failure returns the answer.
std::optional<http_response> read_sent(const exchange& x, extent how_much,
                                       webhook_fields& out) {
  request_body body;
  if (auto failure = read_body(x, body_kind::json_or_form, body))
    return failure;
  if (body.form)
    body.json = form_to_object(*body.form, how_much);
  if (auto failure = require_object(x, body.json))
    return failure;
  field_errors errors;
  out = read_webhook(x, body.json.get_object(), how_much, errors);
  if (!errors.empty())
    return errors.answer(x);
  return std::nullopt;
}

/// Values of headers are stored sealed, never in clear.
void keep_out_of_caches(http_response& answer) {
  answer.headers.emplace_back("Cache-Control", "no-store");
}

/// A webhook as the request wants to see it.
boost::json::object shown(const exchange& x, const webhook& hook) {
  auto out = to_json(x, hook);
  if (wants_delivery(x))
    out["delivery"] = delivery_json(hook, x.service);
  return out;
}

/// How many the list has, over all pages.
result<std::size_t> count_listed(const exchange& x,
                                 const webhook_query& which) {
  if (which.name.empty())
    return x.service.count_webhooks(x.owner.id, which.enabled);
  const auto found = x.service.webhooks(x.owner.id, which);
  return found ? result<std::size_t>{found->size()} : found.error();
}

http_response list(const exchange& x) {
  webhook_query which{.enabled = enabled_filter(x)};
  which.name = x.query.last("name").value_or("");
  const auto count = count_listed(x, which);
  if (!count)
    return answer_to(x, count.error());
  const auto p = find_page(x, *count);
  if (!p)
    return invalid_page(x);
  which.offset = p->offset();
  which.limit = p->size;
  const auto hooks = x.service.webhooks(x.owner.id, which);
  if (!hooks)
    return answer_to(x, hooks.error());
  boost::json::array results;
  for (const auto& hook : *hooks)
    results.push_back(shown(x, hook));
  auto out = page_answer(x, *p, std::move(results));
  if (wants_delivery(x))
    keep_out_of_caches(out);
  return out;
}

/// Errors are reported under "delivery", like those of reading.
result<void> apply_delivery(const delivery_patch& sent, webhook& hook) {
  auto applied = sent.apply(hook);
  if (!applied && !applied.error().field.empty())
    return error{applied.error().code,
                 applied.error().field + ": " + applied.error().detail,
                 "delivery"};
  return applied;
}

/// How the engine names the field of a delivery setting.
constexpr std::string_view delivery_fields = "delivery.";

/// Where the engine's rules find fault with the delivery settings, the error is
/// reported like those of reading.
error as_sent(error of) {
  if (of.field.starts_with(delivery_fields)) {
    of.detail = of.field.substr(delivery_fields.size()) + ": " + of.detail;
    of.field = "delivery";
  }
  return of;
}

http_response create(const exchange& x) {
  webhook_fields sent;
  if (auto failure = read_sent(x, extent::whole, sent))
    return *failure;
  const bool limited = !sent.limit_events->empty();
  if (limited && sent.all_events.value_or(false))
    return answer_to(
      x, {ec::invalid_argument, std::string{either_or}, "non_field_errors"});
  webhook hook;
  hook.enabled = sent.enabled.value_or(true);
  hook.all_events = sent.all_events.value_or(!limited);
  hook.events = std::move(*sent.limit_events);
  hook.target_url = std::move(*sent.target_url);
  hook.comment = std::move(sent.comment).value_or(std::nullopt);
  hook.action_types = std::move(*sent.action_types);
  if (auto applied = apply_delivery(sent.delivery, hook); !applied)
    return answer_to(x, applied.error());
  const auto stored = x.service.add_webhook(x.owner.id, std::move(hook));
  if (!stored)
    return answer_to(x, as_sent(stored.error()));
  return json_answer(x, 201, to_json(x, *stored));
}

/// Stored names that stay keep their repeats; new ones are added once.
void change_action_types(std::vector<std::string>& stored,
                         const std::vector<std::string>& sent) {
  std::set<std::string, std::less<>> fresh{sent.begin(), sent.end()};
  std::erase_if(stored,
                [&fresh](const auto& name) { return !fresh.contains(name); });
  for (const auto& name : stored)
    fresh.erase(name);
  stored.insert(stored.end(), fresh.begin(), fresh.end());
  std::ranges::sort(stored);
}

/// Applies the change, unless it contradicts what is stored.
result<void> change(const webhook_fields& sent, webhook& hook) {
  hook.enabled = sent.enabled.value_or(hook.enabled);
  hook.all_events = sent.all_events.value_or(hook.all_events);
  if (sent.limit_events)
    hook.events = *sent.limit_events;
  if (hook.all_events && !hook.events.empty())
    return error{ec::invalid_argument, std::string{either_or},
                 "non_field_errors"};
  if (sent.action_types)
    change_action_types(hook.action_types, *sent.action_types);
  if (sent.target_url)
    hook.target_url = *sent.target_url;
  if (sent.comment)
    hook.comment = *sent.comment;
  return apply_delivery(sent.delivery, hook);
}

http_response update(const exchange& x, webhook_id id) {
  webhook_fields sent;
  if (auto failure = read_sent(x, x.is("PUT") ? extent::whole : extent::part,
                               sent))
    return *failure;
  const auto stored = x.service.change_webhook(
    x.owner.id, id, [&sent](webhook& hook) { return change(sent, hook); });
  if (!stored)
    return stored.error().code == ec::not_found
           ? no_webhook(x)
           : answer_to(x, as_sent(stored.error()));
  return json_answer(x, 200, to_json(x, *stored));
}

http_response disable(const exchange& x, webhook_id id) {
  const auto stored = x.service.change_webhook(
    x.owner.id, id, [](webhook& hook) -> result<void> {
      hook.enabled = false;
      return {};
    });
  if (!stored)
    return stored.error().code == ec::not_found ? no_webhook(x)
                                                : answer_to(x, stored.error());
  return empty_answer(204);
}

/// The webhook of the path, if the filter of the list lets it pass.
std::optional<http_response> load_listed(const exchange& x, webhook& out) {
  if (auto failure = load_webhook(x, out))
    return failure;
  const auto enabled = enabled_filter(x);
  if (enabled && *enabled != out.enabled)
    return no_webhook(x);
  return std::nullopt;
}

http_response delivery_answer(const exchange& x, const webhook& hook) {
  auto out = json_answer(x, 200, delivery_json(hook, x.service));
  // As it was written, which a value is not: 1.50 is no 1.5 there.
  if (!hook.filter.empty())
    if (const auto shown = member_of(out.body, "filter"))
      out.body.replace(
        static_cast<std::size_t>(shown->data() - out.body.data()),
        shown->size(),
        ascii_json(hook.filter, {.spaces = x.indent, .level = 1}));
  if (!hook.delivery.headers.empty())
    keep_out_of_caches(out);
  return out;
}

} // namespace

std::optional<http_response> load_webhook(const exchange& x, webhook& out) {
  const auto id = to_integer(x.route.id);
  if (!id)
    return not_found(x);
  if (*id < 1)
    return no_webhook(x);
  auto found = x.service.find_webhook(x.owner.id, static_cast<webhook_id>(*id));
  if (!found)
    return found.error().code == ec::not_found ? no_webhook(x)
                                               : answer_to(x, found.error());
  out = std::move(*found);
  return std::nullopt;
}

http_response serve_webhooks(const exchange& x) {
  return x.is("POST") ? create(x) : list(x);
}

http_response describe_webhooks(const exchange& x) {
  return json_answer(x, 200, metadata(x.route.what->title, "POST"));
}

http_response serve_webhook(const exchange& x) {
  webhook hook;
  if (auto failure = load_listed(x, hook))
    return *failure;
  if (x.is_read()) {
    auto out = json_answer(x, 200, shown(x, hook));
    if (wants_delivery(x))
      keep_out_of_caches(out);
    return out;
  }
  return x.is("DELETE") ? disable(x, hook.id) : update(x, hook.id);
}

http_response describe_webhook(const exchange& x) {
  webhook hook;
  const bool exists = !load_listed(x, hook);
  return json_answer(x, 200,
                     metadata(x.route.what->title, exists ? "PUT" : ""));
}

http_response serve_delivery(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  if (x.is_read())
    return delivery_answer(x, hook);
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  delivery_patch patch;
  field_errors errors;
  for (auto& [key, sentence] :
       read_delivery(json, x.request.body, x.service, patch))
    errors.add(key, sentence);
  if (!errors.empty())
    return errors.answer(x);
  const auto stored = x.service.change_webhook(
    x.owner.id, hook.id, [&patch](webhook& w) { return patch.apply(w); });
  if (!stored) {
    auto fault = stored.error();
    if (fault.field.starts_with(delivery_fields))
      fault.field.erase(0, delivery_fields.size());
    return fault.code == ec::not_found ? no_webhook(x) : answer_to(x, fault);
  }
  return delivery_answer(x, *stored);
}

} // namespace fanfare::protocol::rest
