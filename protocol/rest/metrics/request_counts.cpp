// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/metrics/request_counts.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::protocol::rest {

request_counts::request_counts(std::vector<std::string> routes)
  : routes_{std::move(routes)},
    rows_(routes_.size() + 1) {
  routes_.emplace_back("other");
}

void request_counts::count(std::size_t route, std::uint16_t status) {
  auto& counted = rows_[std::min(route, rows_.size() - 1)];
  const auto kind = std::clamp<std::size_t>(status / 100, 1, classes) - 1;
  counted[kind].fetch_add(1, std::memory_order_relaxed);
}

std::vector<metric> request_counts::figures() const {
  std::vector<metric> out;
  for (std::size_t i = 0; i < rows_.size(); ++i)
    for (std::size_t kind = 0; kind < classes; ++kind) {
      const auto n = rows_[i][kind].load(std::memory_order_relaxed);
      // Those that alerts are about are there before the first one.
      if (const bool usual = kind == 1 || kind >= 3; !usual && n == 0)
        continue;
      out.push_back(
        {.name = "fanfare_api_requests_total",
         .help = "Requests to the API that were answered, by route and class "
                 "of status.",
         .type = metric::kind::counter,
         .labels = {{"route", routes_[i]},
                    {"status", std::to_string(kind + 1) + "xx"}},
         .value = static_cast<double>(n)});
    }
  return out;
}

} // namespace fanfare::protocol::rest
