// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/log_page.hpp"

#include "protocol/rest/messages/iso8601.hpp"
#include "protocol/text.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

boost::json::object to_json(const exchange& x, log_page&& page) {
  boost::json::object out;
  out["next"] = nullptr;
  if (page.next != 0) {
    auto changed = x.query;
    changed.set("cursor", std::to_string(page.next));
    out["next"] = json_string(x.link(changed));
  }
  out["previous"] = nullptr;
  out["results"] = std::move(page.results);
  return out;
}

} // namespace

std::optional<timestamp> read_time(const query& q, std::string_view name,
                                   field_errors& errors) {
  const auto text = q.last(name);
  if (!text || text->empty())
    return std::nullopt;
  auto out = from_iso8601(*text);
  if (!out)
    errors.add(name, "Enter a time with its zone, as in 2026-11-23T10:00:00Z.");
  return out;
}

std::uint64_t read_cursor(const query& q, std::string_view of,
                          field_errors& errors) {
  const auto text = q.last("cursor");
  if (!text || text->empty())
    return 0;
  const auto id = to_integer(*text);
  if (id && *id > 0)
    return static_cast<std::uint64_t>(*id);
  errors.add("cursor", "Must be the number of " + std::string{of} + ".");
  return 0;
}

http_response page_answer(const exchange& x, log_page page) {
  return json_answer(x, 200, to_json(x, std::move(page)));
}

http_response search_answer(const exchange& x, log_page page) {
  const auto back_to = time_or_null(page.looked_back_to);
  auto out = to_json(x, std::move(page));
  out["looked_back_to"] = back_to;
  return json_answer(x, 200, out);
}

} // namespace fanfare::protocol::rest
