// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One request on its way through the API: the request, the resource it names
/// and the form its answer takes.

#include "fanfare/types.hpp"
#include "model/token.hpp"
#include "protocol/rest/access/running_keys.hpp"
#include "protocol/rest/messages/query.hpp"
#include "protocol/rest/route.hpp"
#include "protocol/rest/service.hpp"
#include "protocol/server/http_handler.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

class keyed_request; // protocol/rest/access/idempotency.hpp
class metrics_page;  // protocol/rest/metrics/metrics_page.hpp
class stream_hub;    // protocol/rest/stream/stream_hub.hpp

/// Threads for what an I/O thread must not do. Called on any thread; must not
/// block. A job that is dropped closes its connection.
struct workers {
  using job = std::function<void()>;
  /// For what may wait for the disk.
  std::function<void(job)> blocking = {};
  /// For what waits for a commit, so that a disk that accepts no writes leaves
  /// readers their threads. Empty: `blocking`.
  std::function<void(job)> writing = {};
  /// For parsing large publications, which keeps a processor busy for a while;
  /// in order. Empty: they are parsed where they arrive.
  std::function<void(job)> parsing = {};
};

/// Options that can change between two requests: as rest_api_options has them.
struct api_settings {
  bool local_names = false;
  std::string public_url = {};
};

/// What all exchanges of an API share.
struct api_context {
  rest::service& service;
  workers run;
  /// Never null; replaced as a whole.
  std::atomic<std::shared_ptr<const api_settings>> settings = {};
  running_keys running = {};
  const metrics_page* figures = nullptr;
  stream_hub* streams = nullptr;
};

struct exchange {
  http_request request;
  std::function<void(http_response)> respond;
  api_context& api;
  rest::service& service; ///< of `api`
  /// Of `api` when the request came.
  std::shared_ptr<const api_settings> settings;

  std::string path; ///< of the target, percent-encoded as sent
  std::string raw_query;
  rest::query query;
  rest::route route;
  unsigned indent = 0; ///< of JSON in the answer

  /// Set for resources that belong to an organizer.
  organizer owner;
  /// The organizer's token that it came with; null: the server's admin, or
  /// nobody is asked for one.
  std::shared_ptr<const fanfare::token> token;
  /// Set if the request carries an idempotency key; `respond` goes through it.
  std::shared_ptr<keyed_request> keyed;

  exchange(http_request asked, std::function<void(http_response)> answer,
           api_context& shared);

  /// HEAD is answered like GET.
  [[nodiscard]] bool is_read() const {
    return request.method == "GET" || request.method == "HEAD";
  }
  /// Whether the method may change something.
  [[nodiscard]] bool is_write() const {
    return !is_read() && request.method != "OPTIONS";
  }
  [[nodiscard]] bool is(std::string_view method) const {
    return request.method == method;
  }
  /// The target with another query, absolute.
  [[nodiscard]] std::string link(const rest::query& changed) const;
};

} // namespace fanfare::protocol::rest
