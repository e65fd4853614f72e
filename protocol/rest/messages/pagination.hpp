// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Numbered pages: {"count", "next", "previous", "results"}. Any thread.

#include "protocol/rest/exchange.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>

namespace fanfare::protocol::rest {

inline constexpr std::size_t page_size_limit = 50;

struct page {
  std::size_t number = 1;
  std::size_t size = page_size_limit;
  std::size_t count = 0; ///< of all items

  [[nodiscard]] std::size_t offset() const {
    return (number - 1) * size;
  }
  [[nodiscard]] std::size_t last() const {
    return count == 0 ? 1 : (count + size - 1) / size;
  }
};

/// `page_size` of the query, 1 to 50; anything else counts as 50.
[[nodiscard]] std::size_t page_size(const exchange& x);
/// The page asked for; nothing if it does not exist.
[[nodiscard]] std::optional<page> find_page(const exchange& x,
                                            std::size_t count);
/// The address of page `number`; null if it does not exist.
[[nodiscard]] boost::json::value page_link(const exchange& x, const page& p,
                                           std::size_t number);
[[nodiscard]] http_response page_answer(const exchange& x, const page& p,
                                        boost::json::array results);
/// 404 {"detail": "Invalid page."}
[[nodiscard]] http_response invalid_page(const exchange& x);

/// A page of a list that is in memory.
template <class Range, class Render>
http_response
list_answer(const exchange& x, const Range& items, Render render) {
  const auto p = find_page(x, items.size());
  if (!p)
    return invalid_page(x);
  boost::json::array results;
  for (auto i = p->offset(); i < items.size() && results.size() < p->size; ++i)
    results.emplace_back(render(items[i]));
  return page_answer(x, *p, std::move(results));
}

} // namespace fanfare::protocol::rest
