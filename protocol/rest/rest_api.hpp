// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The REST API under /api/, with /healthz, /readyz and /metrics: takes each
/// request through routing, idempotency, content negotiation, authentication
/// and permissions to the handler of its resource. Its only state is which
/// keyed requests are running and which addresses failed to log in.

#include "protocol/rest/access/auth_limiter.hpp"
#include "protocol/rest/exchange.hpp"
#include "protocol/rest/metrics/metrics_page.hpp"
#include "protocol/rest/metrics/request_counts.hpp"
#include "protocol/rest/service.hpp"
#include "protocol/rest/stream/stream_hub.hpp"
#include "protocol/server/http_handler.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace fanfare::protocol::rest {

struct rest_api_options {
  /// hash_token_key() of the server's admin token. Empty: there is none.
  std::string admin_token_hash;
  /// `blocking` must be set.
  workers run;
  /// Networks that are not public are allowed to all organizers: target URLs
  /// may have names that only these know.
  bool local_names = false;
  /// What links in answers begin with, without a slash at the end:
  /// "https://hooks.example.com/fanfare". Empty: with what the client asked
  /// for.
  std::string public_url = {};
  /// Wrong keys in a row before an address must wait; 0: no limit.
  std::size_t failed_logins = 50;
  /// Further figures for /metrics, those of its server. Any thread; may be
  /// empty.
  metrics_page::source more_figures = {};
  stream_limits streams = {};
};

class rest_api final : public http_handler {
public:
  /// `of` must outlive the answers to all requests.
  rest_api(service& of, rest_api_options options);

  /// Publishes keep their order in the journal.
  [[nodiscard]] request_kind kind_of(const http_request& head) const override;
  /// Of its idempotency key: a repetition gets the answer to the first request.
  [[nodiscard]] std::uint64_t mark_of(const http_request& head) const override;
  /// Any thread.
  void handle(http_request request,
              std::function<void(http_response)> respond) override;
  /// The refusal that path, caller and method get whatever the body says.
  std::optional<http_response> check_head(const http_request& head) override;

  /// From the next request on. Any thread.
  void change(api_settings settings, std::size_t failed_logins);

  /// As at /metrics, for another listener. Valid as long as this is.
  [[nodiscard]] const metrics_page& figures() const {
    return page_;
  }
  /// For tests without a thread of its own.
  [[nodiscard]] stream_hub& streams() {
    return streams_;
  }

private:
  void serve(const std::shared_ptr<exchange>& x);
  /// Whether a known caller wants the request carried out only once.
  [[nodiscard]] bool is_keyed(const exchange& x) const;

  api_context context_;
  request_counts requests_;
  metrics_page page_;
  std::string admin_hash_;
  auth_limiter limiter_;
  stream_hub streams_;
};

} // namespace fanfare::protocol::rest
