// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The REST API under /api/v1/ with its description, /healthz and /readyz:
/// reads requests, asks the engine, renders answers. It keeps nothing but the
/// keys of requests that are running and who failed to log in.

#include "protocol/rest/auth_limiter.hpp"
#include "protocol/rest/idempotency.hpp"
#include "protocol/rest/service.hpp"
#include "protocol/server/http_handler.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol::rest {

struct exchange;

struct rest_api_options {
  /// hash_token_key() of the server's admin token. Empty: there is none.
  std::string admin_token_hash;
  /// Runs a job on a thread that may wait for the disk. Called on I/O threads;
  /// must not block. A job that it throws away closes its connection.
  std::function<void(std::function<void()>)> run_blocking;
  /// The same for jobs that wait for a commit, so that a disk that takes none
  /// does not keep those that only read from their threads. Empty:
  /// run_blocking.
  std::function<void(std::function<void()>)> run_writing = {};
  /// The same for reading large publications, which takes a processor for a
  /// while; in their order. Empty: they are read where they arrive.
  std::function<void(std::function<void()>)> run_reading = {};
  /// Wrong keys of one address in a row before it must wait; 0: no limit.
  std::size_t failed_logins = 50;
};

/// A path of the API, what it answers to, and who may ask.
struct route_rule {
  std::string path;       ///< "/api/v1/organizers/{organizer}/events/"
  std::string_view allow; ///< "GET, POST, HEAD, OPTIONS"
  bool open = false;      ///< to everybody, without a token
  /// Any of these bits of `permission`, any_permission or no_permission.
  std::uint8_t read = 0;
  std::uint8_t write = 0;
};
/// All of them: what the description of the API has to agree with.
[[nodiscard]] std::vector<route_rule> route_rules();

class rest_api final : public http_handler {
public:
  /// `of` must outlive the answers to all requests.
  rest_api(rest::service& of, rest_api_options options);

  /// Any thread.
  void handle(http_request request,
              std::function<void(http_response)> respond) override;
  /// Whether the path, who asks and the method would be refused anyway.
  std::optional<http_response> check_head(const http_request& head) override;

private:
  void serve(std::shared_ptr<exchange> x);
  /// Whether the caller is known and asks for it to be carried out once.
  [[nodiscard]] bool is_keyed(const exchange& x) const;
  /// Has the answer kept under the key. False: a request with it is running.
  bool begin_keyed(exchange& x);
  void serve_idempotency_query(std::shared_ptr<exchange> x);
  void serve_publication(std::shared_ptr<exchange> x);
  void run(std::shared_ptr<exchange> x);

  rest::service& service_;
  rest_api_options options_;
  running_keys running_;
  auth_limiter limiter_;
};

} // namespace fanfare::protocol::rest
