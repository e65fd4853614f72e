// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The page that Prometheus scrapes: the engine's figures, the API's and the
/// process's, as text in the format that the client prefers.

#include "fanfare/error.hpp"
#include "fanfare/metrics.hpp"
#include "protocol/rest/metrics/request_counts.hpp"
#include "protocol/rest/service.hpp"
#include "protocol/server/http_handler.hpp"

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

/// Any thread that may block for a moment.
class metrics_page {
public:
  using source = std::function<std::vector<metric>()>;

  /// What it refers to must outlive it. `more`: what surrounds the API; may be
  /// empty.
  metrics_page(const service& of, const request_counts& requests, source more)
    : service_{of},
      requests_{requests},
      more_{std::move(more)} {}

  /// The whole server.
  [[nodiscard]] http_response whole(const http_request& asked) const;
  /// The webhooks of an organizer; not_found.
  [[nodiscard]] result<http_response> of_organizer(const http_request& asked,
                                                   std::string_view slug) const;

private:
  [[nodiscard]] std::vector<metric> all_figures() const;

  const service& service_;
  const request_counts& requests_;
  source more_;
};

/// Whether this `Accept` header prefers OpenMetrics to Prometheus' own format.
[[nodiscard]] bool prefers_openmetrics(std::string_view accept);

} // namespace fanfare::protocol::rest
