// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/webhook_fields.hpp"

#include "protocol/payload/json_slices.hpp"
#include "protocol/rest/delivery/delivery_json.hpp"
#include "protocol/rules/action_types.hpp"
#include "protocol/target/target_url.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace fanfare::protocol::rest {

namespace {

constexpr std::size_t comment_limit = 255;
constexpr std::string_view is_null = "This field may not be null.";

std::string_view view(const boost::json::string& text) {
  return {text.data(), text.size()};
}

std::optional<bool> to_bool(const boost::json::value& json) {
  if (json.is_bool())
    return json.get_bool();
  if (json.is_number()) {
    const double number = json.to_number<double>();
    return number == 1 ? std::optional{true}
         : number == 0 ? std::optional{false}
                       : std::nullopt;
  }
  if (!json.is_string())
    return std::nullopt;
  static constexpr std::array<std::string_view, 6> yes{"true", "t",  "yes",
                                                       "y",    "on", "1"};
  static constexpr std::array<std::string_view, 6> no{"false", "f",   "no",
                                                      "n",     "off", "0"};
  const auto text = to_lower(view(json.get_string()));
  if (std::ranges::find(yes, text) != yes.end())
    return true;
  if (std::ranges::find(no, text) != no.end())
    return false;
  return std::nullopt;
}

class reader {
public:
  reader(const exchange& x, const boost::json::object& json, extent how_much,
         field_errors& errors)
    : x_{x},
      json_{json},
      how_much_{how_much},
      errors_{errors} {}

  /// In the order of the keys in answers, which is that of the errors.
  webhook_fields read() {
    boolean("enabled", out_.enabled);
    target_url();
    boolean("all_events", out_.all_events);
    limit_events();
    action_types();
    comment();
    delivery();
    return std::move(out_);
  }

private:
  const boost::json::value* find(std::string_view field) const {
    return json_.if_contains({field.data(), field.size()});
  }

  const boost::json::value* find_required(std::string_view field) {
    const auto* json = find(field);
    if (json == nullptr && how_much_ == extent::whole)
      fault(field, "This field is required.");
    if (json != nullptr && json->is_null()) {
      fault(field, is_null);
      return nullptr;
    }
    return json;
  }

  void fault(std::string_view field, std::string_view sentence) {
    errors_.add(field, std::string{sentence});
  }

  void boolean(std::string_view field, std::optional<bool>& out) {
    const auto* json = find(field);
    if (json == nullptr)
      return;
    if (json->is_null())
      return fault(field, is_null);
    out = to_bool(*json);
    if (!out)
      fault(field, "Must be a valid boolean.");
  }

  /// True if it has none of these faults.
  bool check_text(std::string_view field, std::string_view text,
                  std::size_t limit) {
    const bool too_long = count_code_points(text) > limit;
    const bool null_character = text.find('\0') != std::string_view::npos;
    if (too_long)
      fault(field, "Ensure this field has no more than " + std::to_string(limit)
                     + " characters.");
    if (null_character)
      fault(field, "Null characters are not allowed.");
    return !too_long && !null_character;
  }

  void target_url() {
    static constexpr std::string_view field = "target_url";
    const auto* json = find_required(field);
    if (json == nullptr)
      return;
    if (!json->is_string())
      return fault(field, "Enter a valid URL.");
    const auto text = trim(view(json->get_string()));
    if (text.empty())
      return fault(field, "This field may not be blank.");
    check_text(field, text, target_url_limit);
    const bool local = x_.settings->local_names
                    || !x_.owner.allow_networks.empty();
    if (!is_target_url(text,
                       local ? host_names::local_too : host_names::public_only))
      return fault(field, "Enter a valid URL.");
    out_.target_url = text;
  }

  void comment() {
    static constexpr std::string_view field = "comment";
    const auto* json = find(field);
    if (json == nullptr)
      return;
    if (json->is_null()) {
      out_.comment.emplace(std::nullopt);
      return;
    }
    if (!json->is_string() && !json->is_number())
      return fault(field, "Not a valid string.");
    const auto whole = as_text(*json);
    const auto text = trim(whole);
    if (check_text(field, text, comment_limit))
      out_.comment.emplace(text);
  }

  void limit_events() {
    static constexpr std::string_view field = "limit_events";
    const auto* json = find_required(field);
    if (json == nullptr)
      return;
    std::vector<std::string> slugs;
    if (json->is_array())
      for (const auto& item : json->get_array())
        slugs.push_back(as_text(item));
    else if (json->is_object())
      for (const auto& item : json->get_object())
        slugs.emplace_back(item.key().data(), item.key().size());
    else
      return fault(field, "Expected a list of items but got type \""
                            + std::string{kind_name(*json)} + "\".");
    for (const auto& slug : slugs)
      if (!x_.service.find_event(x_.owner.id, slug))
        return fault(field, "Object with slug=" + slug + " does not exist.");
    std::ranges::sort(slugs);
    const auto repeats = std::ranges::unique(slugs);
    slugs.erase(repeats.begin(), repeats.end());
    out_.limit_events = std::move(slugs);
  }

  void action_types() {
    static constexpr std::string_view field = "action_types";
    const auto* json = find_required(field);
    if (json == nullptr)
      return;
    std::vector<std::string> names;
    if (json->is_array())
      for (const auto& item : json->get_array())
        names.push_back(as_text(item));
    else if (json->is_object())
      for (const auto& item : json->get_object())
        names.emplace_back(item.key().data(), item.key().size());
    else if (json->is_string()) // its characters, as in the compatible API
      for (auto text = view(json->get_string()); !text.empty();) {
        const auto size = first_code_point(text).size;
        names.emplace_back(text.substr(0, size));
        text.remove_prefix(size);
      }
    else
      return fault(field, "Expected a list of items but got type \""
                            + std::string{kind_name(*json)} + "\".");
    for (const auto& name : names)
      if (!x_.service.find_action_type(name)
          && !is_free_wildcard(name, x_.service.action_types()))
        return unknown_type(field, name, *json);
    out_.action_types = std::move(names);
  }

  /// In the words of the compatible API, and with what to do about it.
  void unknown_type(std::string_view field, const std::string& name,
                    const boost::json::value& asked) {
    fault(field, "Invalid action type \"" + name + "\".");
    const auto is_it = [&](const auto& item) {
      return item.is_string() && view(item.get_string()) == name;
    };
    // A word in lower case is what clients of pretix are tested with: they get
    // its sentence alone.
    const bool is_word = std::ranges::all_of(
      name, [](char c) { return c >= 'a' && c <= 'z'; });
    if (is_word || !asked.is_array()
        || std::ranges::none_of(asked.get_array(), is_it))
      return;
    if (const auto help = how_to_register(name, x_.service.action_types());
        !help.empty())
      fault(field, help);
  }

  void delivery() {
    const auto* json = find("delivery");
    if (json == nullptr)
      return;
    if (!json->is_object())
      return fault("delivery", "Must be an object.");
    const auto text = member_of(x_.request.body, "delivery").value_or("");
    for (const auto& [key, sentence] :
         read_delivery(json->get_object(), text, x_.service, out_.delivery))
      fault("delivery", key + ": " + sentence);
  }

  const exchange& x_;
  const boost::json::object& json_;
  extent how_much_;
  field_errors& errors_;
  webhook_fields out_;
};

} // namespace

boost::json::object form_to_object(const query& form, extent how_much) {
  boost::json::object out;
  for (const std::string_view field : {"enabled", "all_events"}) {
    const auto value = form.last(field);
    if (!value && how_much == extent::whole)
      out[{field.data(), field.size()}] = false;
    else if (value && !value->empty())
      out[{field.data(), field.size()}] = json_string(*value);
  }
  for (const std::string_view field :
       {"target_url", "action_types", "comment", "delivery"})
    if (const auto value = form.last(field))
      out[{field.data(), field.size()}] = json_string(*value);
  const auto slugs = form.all("limit_events");
  if (!slugs.empty() || how_much == extent::whole) {
    boost::json::array list;
    for (const auto slug : slugs)
      list.push_back(json_string(slug));
    out["limit_events"] = std::move(list);
  }
  return out;
}

webhook_fields read_webhook(const exchange& x, const boost::json::object& json,
                            extent how_much, field_errors& errors) {
  return reader{x, json, how_much, errors}.read();
}

} // namespace fanfare::protocol::rest
