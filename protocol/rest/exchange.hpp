// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One request on its way through the API: what was asked, by whom and of whom,
/// and how the answer is to look.

#include "fanfare/types.hpp"
#include "protocol/rest/query.hpp"
#include "protocol/rest/router.hpp"
#include "protocol/rest/service.hpp"
#include "protocol/server/http_handler.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

class keyed_request; // protocol/rest/idempotency.hpp

struct exchange {
  http_request request;
  std::function<void(http_response)> respond;
  rest::service& service;

  std::string path; ///< of the target, percent-encoded as sent
  std::string raw_query;
  rest::query query;
  rest::route route;
  unsigned indent = 0; ///< of JSON in the answer

  /// Of the path; only for resources of an organizer.
  organizer owner;
  /// Set if it is to be carried out once; `respond` goes through it.
  std::shared_ptr<keyed_request> keyed;

  exchange(http_request asked, std::function<void(http_response)> answer,
           rest::service& service);

  /// HEAD is answered like GET.
  [[nodiscard]] bool is_read() const {
    return request.method == "GET" || request.method == "HEAD";
  }
  [[nodiscard]] bool is(std::string_view method) const {
    return request.method == method;
  }
  /// The target with another query, absolute.
  [[nodiscard]] std::string link(const rest::query& changed) const;
};

} // namespace fanfare::protocol::rest
