// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/notification_query.hpp"

#include "model/action_name.hpp"
#include "model/payload_filter.hpp"
#include "protocol/rest/messages/pagination.hpp"
#include "protocol/rest/resources/log_page.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

using filter_ptr = std::shared_ptr<const payload_filter>;

/// Work for one page.
constexpr std::size_t max_scan = 500'000;
constexpr std::chrono::milliseconds max_time{100};
/// Of the address of the next page: the server takes no longer ones.
constexpr std::size_t max_link = 8'000;

/// Names of the query that are not keys of the body.
constexpr std::array reserved{
  std::string_view{"action"},    std::string_view{"action_type"},
  std::string_view{"cursor"},    std::string_view{"event"},
  std::string_view{"filter"},    std::string_view{"format"},
  std::string_view{"page_size"}, std::string_view{"since"},
  std::string_view{"until"}};

/// What the values stand for: texts, and whatever else they are in JSON.
std::string alternatives(const std::vector<std::string_view>& values) {
  std::string out;
  for (const auto value : values) {
    if (!out.empty())
      out += ',';
    out += boost::json::serialize(json_string(value));
    boost::json::error_code failure;
    const auto read = boost::json::parse(value, failure);
    if (!failure && !read.is_string() && !read.is_structured()
        && (!read.is_double() || std::isfinite(read.get_double())))
      out.append(",").append(value);
  }
  return out;
}

/// Whether the text is a filter; else `errors` gets what is wrong.
bool check_filter(std::string_view field, std::string_view text,
                  field_errors& errors) {
  const auto compiled = payload_filter::parse(text);
  if (!compiled)
    errors.add(field, compiled.error().detail);
  return compiled.has_value();
}

/// The conditions for the body, as one filter, so that its limits hold for all
/// of them together. Null: there are none.
filter_ptr read_filter(const query& q, field_errors& errors) {
  std::string all;
  const auto add = [&](std::string_view field, std::string text) {
    if (check_filter(field, text, errors))
      all.append(all.empty() ? "" : ",").append(text);
  };
  if (const auto text = q.last("filter"); text && !text->empty())
    add("filter", std::string{*text});
  for (const auto name : q.names()) {
    if (std::ranges::find(reserved, name) != reserved.end())
      continue;
    if (name.starts_with('$'))
      errors.add(name, "Operators belong into filter: "
                       "filter={\"total\":{\"$gt\":10}}.");
    else
      add(name, "{" + boost::json::serialize(json_string(name)) + R"(:{"$in":[)"
                  + alternatives(q.all(name)) + "]}}");
  }
  if (all.empty() || !errors.empty())
    return nullptr;
  auto compiled = payload_filter::parse(R"({"$and":[)" + all + "]}");
  if (compiled)
    return std::move(*compiled);
  errors.add("filter", "All conditions together: " + compiled.error().detail);
  return nullptr;
}

} // namespace

bool is_action(std::string_view asked, std::string_view concrete) {
  if (asked.empty() || asked == concrete)
    return true;
  return is_wildcard(asked) && concrete.starts_with(stem_of(asked));
}

std::vector<action_type_id>
types_of_action(std::string_view action, const std::vector<action_type>& all) {
  std::vector<action_type_id> out;
  for (const auto& type : all) {
    const std::string_view name = type.name;
    if (is_action(action, name)
        || (is_wildcard(name) && is_action(name, action)))
      out.push_back(type.id);
  }
  std::ranges::sort(out);
  return out;
}

notification_search read_notification_query(const exchange& x,
                                            field_errors& errors) {
  const auto& q = x.query;
  notification_search out{.before = read_cursor(q, "a notification", errors),
                          .since = read_time(q, "since", errors),
                          .until = read_time(q, "until", errors),
                          .limit = page_size(x),
                          // Escaping a text as JSON doubles it at most.
                          .max_bytes = log_page_bytes / 2,
                          .max_scan = max_scan,
                          .max_read = log_read_bytes,
                          .max_time = max_time};
  auto action = std::string{q.last("action").value_or("")};
  if (action.empty())
    action = q.last("action_type").value_or("");
  if (!action.empty()) {
    out.types = types_of_action(action, x.service.action_types());
    if (out.types->empty())
      errors.add("action", "There is no action type of that name. "
                           "/api/v1/action-types/ lists them.");
  }
  if (const auto slug = q.last("event"); slug && !slug->empty()) {
    const auto found = x.service.find_event(x.owner.id, *slug);
    if (found)
      out.event = found->id;
    else
      errors.add("event", "There is no event of that slug.");
  }
  auto filter = read_filter(q, errors);
  if (x.link(q).size() > max_link)
    errors.add("filter", "All conditions together are too long for the address "
                         "of a page.");
  if (action.empty() && !filter)
    return out;
  out.takes = [action = std::move(action),
               filter = std::move(filter)](const notification& n) {
    return is_action(action, n.action)
        && (!filter || filter->matches(n.id, n.body));
  };
  return out;
}

} // namespace fanfare::protocol::rest
