// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The REST API under /api/v1/, /healthz and /readyz: reads requests, asks the
/// engine, renders answers. It keeps nothing but who failed to log in.

#include "protocol/http_handler.hpp"
#include "protocol/rest/auth_limiter.hpp"
#include "protocol/service.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace fanfare::protocol::rest {

struct exchange;

struct rest_api_options {
  /// hash_token_key() of the server's admin token. Empty: there is none.
  std::string admin_token_hash;
  /// Runs a job on a thread that may wait for the disk. Called on I/O threads;
  /// must not block. A job that it throws away closes its connection.
  std::function<void(std::function<void()>)> run_blocking;
  /// Wrong keys of one address in a row before it must wait; 0: no limit.
  std::size_t failed_logins = 50;
};

class rest_api final : public http_handler {
public:
  /// `engine` must outlive the answers to all requests.
  rest_api(service& engine, rest_api_options options);

  /// Any thread.
  void handle(http_request request,
              std::function<void(http_response)> respond) override;

private:
  void serve(std::shared_ptr<exchange> x);
  void run(std::shared_ptr<exchange> x);

  service& service_;
  rest_api_options options_;
  auth_limiter limiter_;
};

} // namespace fanfare::protocol::rest
