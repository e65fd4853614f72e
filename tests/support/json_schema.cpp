// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/json_schema.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <cmath>
#include <regex>
#include <set>
#include <stdexcept>
#include <string_view>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using faults_type = std::vector<std::string>;

std::string text_of(const json::string& text) {
  return {text.data(), text.size()};
}

/// Characters, not bytes.
double length_of(const json::string& text) {
  return static_cast<double>(std::ranges::count_if(text, [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool is_type(std::string_view type, const json::value& value) {
  if (type == "null")
    return value.is_null();
  if (type == "boolean")
    return value.is_bool();
  if (type == "string")
    return value.is_string();
  if (type == "array")
    return value.is_array();
  if (type == "object")
    return value.is_object();
  if (type == "number")
    return value.is_number();
  if (type == "integer") {
    if (!value.is_number())
      return false;
    const auto number = value.to_number<double>();
    return std::floor(number) == number;
  }
  throw std::runtime_error{"unknown type " + std::string{type}};
}

/// 1 and 1.0 are the same number.
bool same(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number())
    return a.to_number<double>() == b.to_number<double>();
  return a == b;
}

class checker {
public:
  checker(const json_schema& schemas, json_schema::extras unknown)
    : schemas_{schemas},
      unknown_{unknown} {}

  faults_type check(const json::value& node, const json::value& value,
                    const std::string& place) {
    faults_type found;
    const auto& schema = schemas_.resolve(node);
    const auto fault = [&](const std::string& what) {
      found.push_back(place + ": " + what + ", not "
                      + json::serialize(value).substr(0, 200));
    };
    const auto add = [&](faults_type more) {
      std::ranges::move(more, std::back_inserter(found));
    };
    for (const auto& item : schema) {
      const std::string_view key{item.key().data(), item.key().size()};
      const auto& want = item.value();
      if (key == "type") {
        const auto one = [&](const json::value& type) {
          return is_type(text_of(type.as_string()), value);
        };
        const bool fits = want.is_array()
                          ? std::ranges::any_of(want.get_array(), one)
                          : one(want);
        if (!fits)
          fault("must be " + json::serialize(want));
      } else if (key == "const") {
        if (!same(want, value))
          fault("must be " + json::serialize(want));
      } else if (key == "enum") {
        if (std::ranges::none_of(want.as_array(), [&](const auto& choice) {
              return same(choice, value);
            }))
          fault("must be one of " + json::serialize(want));
      } else if (key == "anyOf" || key == "oneOf") {
        faults_type reasons;
        int fitting = 0;
        for (const auto& choice : want.as_array()) {
          auto more = check(choice, value, place);
          if (more.empty())
            ++fitting;
          else
            reasons.insert(reasons.end(), more.begin(), more.end());
        }
        if (fitting == 0)
          add(std::move(reasons));
        else if (fitting > 1 && key == "oneOf")
          fault("must be only one of the choices");
      } else if (key == "minimum" || key == "maximum"
                 || key == "exclusiveMinimum") {
        if (!value.is_number())
          continue;
        const auto limit = want.to_number<double>();
        const auto number = value.to_number<double>();
        if (key == "minimum"   ? number < limit
            : key == "maximum" ? number > limit
                               : number <= limit)
          fault(std::string{key} + " is " + json::serialize(want));
      } else if (key == "minLength" || key == "maxLength") {
        if (value.is_string()
            && (key == "minLength"
                  ? length_of(value.get_string()) < want.to_number<double>()
                  : length_of(value.get_string()) > want.to_number<double>()))
          fault(std::string{key} + " is " + json::serialize(want));
      } else if (key == "minItems" || key == "maxItems") {
        if (value.is_array()
            && (key == "minItems"
                  ? value.get_array().size() < want.to_number<std::size_t>()
                  : value.get_array().size() > want.to_number<std::size_t>()))
          fault(std::string{key} + " is " + json::serialize(want));
      } else if (key == "pattern") {
        if (value.is_string()
            && !std::regex_search(text_of(value.get_string()),
                                  std::regex{text_of(want.as_string())}))
          fault("must be like " + json::serialize(want));
      } else if (key == "format") {
        check_format(text_of(want.as_string()), value, fault);
      } else if (key == "items") {
        if (const auto* list = value.if_array())
          for (std::size_t i = 0; i < list->size(); ++i)
            add(check(want, (*list)[i], place + '[' + std::to_string(i) + ']'));
      } else if (key == "required") {
        if (const auto* object = value.if_object())
          for (const auto& name : want.as_array())
            if (!object->contains(name.as_string()))
              fault("must have " + json::serialize(name));
      } else if (key == "properties") {
        if (const auto* object = value.if_object())
          for (const auto& member : want.as_object())
            if (const auto* found_member = object->if_contains(member.key()))
              add(check(member.value(), *found_member,
                        place + '.' + std::string{member.key()}));
      } else if (!is_remark(key)) {
        throw std::runtime_error{"a schema has the unknown keyword "
                                 + std::string{key}};
      }
    }
    if (const auto* object = value.if_object())
      add(check_rest(schema, *object, place));
    return found;
  }

private:
  static bool is_remark(std::string_view key) {
    static const std::set<std::string_view> remarks{"description", "default",
                                                    "additionalProperties"};
    return remarks.contains(key);
  }

  template <class Fault>
  static void check_format(const std::string& format, const json::value& value,
                           Fault fault) {
    static const std::regex time{
      R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))"};
    static const std::regex uri{R"([A-Za-z][A-Za-z0-9+.-]*://\S+)"};
    if (!value.is_string() || format == "uri-reference")
      return;
    if (format != "date-time" && format != "uri")
      throw std::runtime_error{"unknown format " + format};
    if (!std::regex_match(text_of(value.get_string()),
                          format == "uri" ? uri : time))
      fault("must be of the format " + format);
  }

  /// Members that the schema does not name.
  faults_type check_rest(const json::object& schema, const json::object& object,
                         const std::string& place) {
    faults_type found;
    const auto* rest = schema.if_contains("additionalProperties");
    const auto* known = schema.if_contains("properties");
    if (rest == nullptr && known == nullptr)
      return found;
    for (const auto& member : object) {
      if (known != nullptr && known->as_object().contains(member.key()))
        continue;
      const auto where = place + '.' + std::string{member.key()};
      if (rest == nullptr ? unknown_ == json_schema::extras::refused
                          : rest->is_bool() && !rest->get_bool())
        found.push_back(where + ": is not in the schema");
      else if (rest != nullptr && rest->is_object())
        std::ranges::move(check(*rest, member.value(), where),
                          std::back_inserter(found));
    }
    return found;
  }

  const json_schema& schemas_;
  json_schema::extras unknown_;
};

} // namespace

faults_type json_schema::faults(const json::value& schema,
                                const json::value& value,
                                extras unknown) const {
  return checker{*this, unknown}.check(schema, value, "$");
}

const json::object& json_schema::resolve(const json::value& node) const {
  const auto* target = node.as_object().if_contains("$ref");
  if (target == nullptr)
    return node.as_object();
  const auto text = text_of(target->as_string());
  json::error_code failure;
  const auto* found = text.starts_with('#')
                      ? document_.find_pointer(text.substr(1), failure)
                      : nullptr;
  if (found == nullptr)
    throw std::runtime_error{"nothing is at " + text};
  return resolve(*found);
}

} // namespace fanfare::test
