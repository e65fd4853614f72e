// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Serves /metrics without a token, and nothing else: for a listener of its
/// own, in a network that only monitoring reaches.

#include "protocol/rest/exchange.hpp"
#include "protocol/rest/metrics/metrics_page.hpp"
#include "protocol/server/http_handler.hpp"

#include <functional>
#include <utility>

namespace fanfare::protocol::rest {

class metrics_listener final : public http_handler {
public:
  /// `page` must outlive the answers to all requests; it is read by jobs of
  /// `run`.
  metrics_listener(const metrics_page& page,
                   std::function<void(workers::job)> run)
    : page_{page},
      run_{std::move(run)} {}

  /// Any thread.
  void handle(http_request request,
              std::function<void(http_response)> respond) override;

private:
  const metrics_page& page_;
  std::function<void(workers::job)> run_;
};

} // namespace fanfare::protocol::rest
