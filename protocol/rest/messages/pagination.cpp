// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/messages/pagination.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <string>

namespace fanfare::protocol::rest {

std::size_t page_size(const exchange& x) {
  const auto asked = to_integer(x.query.last("page_size").value_or(""));
  if (!asked || *asked <= 0)
    return page_size_limit;
  return static_cast<std::size_t>(
    std::min<std::int64_t>(*asked, page_size_limit));
}

std::optional<page> find_page(const exchange& x, std::size_t count) {
  page p;
  p.size = page_size(x);
  p.count = count;
  const auto asked = x.query.last("page").value_or("");
  if (asked.empty())
    return p;
  if (asked == "last") {
    p.number = p.last();
    return p;
  }
  const auto number = to_integer(asked);
  if (!number || *number < 1 || static_cast<std::size_t>(*number) > p.last())
    return std::nullopt;
  p.number = static_cast<std::size_t>(*number);
  return p;
}

boost::json::value page_link(const exchange& x, const page& p,
                             std::size_t number) {
  if (number < 1 || number > p.last())
    return nullptr;
  auto changed = x.query;
  if (number == 1)
    changed.remove("page");
  else
    changed.set("page", std::to_string(number));
  return json_string(x.link(changed));
}

http_response page_answer(const exchange& x, const page& p,
                          boost::json::array results) {
  boost::json::object body;
  body["count"] = p.count;
  body["next"] = page_link(x, p, p.number + 1);
  body["previous"] = page_link(x, p, p.number - 1);
  body["results"] = std::move(results);
  return json_answer(x, 200, body);
}

http_response invalid_page(const exchange& x) {
  return refusal(x, 404, "Invalid page.");
}

} // namespace fanfare::protocol::rest
