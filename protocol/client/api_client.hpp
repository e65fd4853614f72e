// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A blocking client of the REST API, for the command line: one server, one
/// keep-alive connection, one request at a time. It talks to no other host:
/// redirects are returned, not followed, so the token cannot leak.

#include "fanfare/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol {

struct api_request {
  std::string method = "GET";
  std::string target; ///< path and query, beginning with a slash
  std::string body = {};
  /// In addition to Host, Authorization, Accept and those of the body.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// For everything: look-up, connect, send, receive.
  std::chrono::milliseconds timeout = std::chrono::seconds{30};
};

struct api_response {
  unsigned status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;

  /// The first header with that name, in any case; empty: none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// Takes the body of an answer as it comes; an error gives the request up.
struct answer_taker {
  /// Before all else: how many bytes will come.
  std::function<result<void>(std::uint64_t size)> begin;
  std::function<result<void>(std::string_view bytes)> take;
};

struct api_client_options {
  std::string url;     ///< http://HOST[:PORT] or https://…, without a path
  std::string token;   ///< empty: none is sent
  std::string ca_file; ///< PEM; empty: the system's authorities
  std::size_t answer_limit = std::size_t{64} << 20; ///< bytes of a body
};

/// One thread at a time.
class api_client {
public:
  /// Does not connect yet. invalid_argument: the URL has another form, or the
  /// token has characters not allowed in a header; io_error: the authorities
  /// cannot be read.
  [[nodiscard]] static result<api_client> make(api_client_options options);

  api_client(api_client&&) noexcept;
  api_client& operator=(api_client&&) noexcept;
  ~api_client();

  /// Sends a request and waits for its answer, of any status. If the server
  /// closed the kept connection meanwhile, requests that are safe to repeat
  /// (GET, or with an Idempotency-Key) are sent once more on a new one.
  /// io_error: no connection, an incomplete, late or too large answer; the
  /// sentence begins with "cannot reach" if the request was not sent.
  [[nodiscard]] result<api_response> send(const api_request& request);

  /// Sends a request whose answer may be of any size: the body of one with a
  /// status of 2xx goes to `to`, that of another one into the response. On a
  /// connection of its own; the timeout is for each part of the answer. Errors
  /// as of send(), those of `to`.
  [[nodiscard]] result<api_response> receive(const api_request& request,
                                             const answer_taker& to);

  /// Where requests go: "http://127.0.0.1:8080".
  [[nodiscard]] const std::string& origin() const noexcept;

private:
  struct impl;

  explicit api_client(std::unique_ptr<impl> made);

  std::unique_ptr<impl> impl_;
};

/// The normalized scheme, host and port of a URL that `api_client` accepts:
/// "http://example.org:80". invalid_argument.
[[nodiscard]] result<std::string> api_origin(std::string_view url);

} // namespace fanfare::protocol
