// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A blocking client of the REST API, for the command line: one server, one
/// connection that is kept alive, one request at a time. It speaks to the host
/// it was made for and to no other: a redirect is handed back as it is, so that
/// the token cannot be led elsewhere.

#include "fanfare/error.hpp"

#include <chrono>
#include <cstddef>
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
  /// On top of Host, Authorization, Accept and those of the body.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// For all of it: looking up, connecting, sending, receiving.
  std::chrono::milliseconds timeout = std::chrono::seconds{30};
};

struct api_response {
  unsigned status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;

  /// The value of the first header of that name, whatever its case; else empty.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct api_client_options {
  std::string url;     ///< http://HOST[:PORT] or https://…, without a path
  std::string token;   ///< none is sent if empty
  std::string ca_file; ///< PEM; empty: the system's authorities
  std::size_t answer_limit = std::size_t{64} << 20; ///< bytes of a body
};

/// Not to be used by several threads at once.
class api_client {
public:
  /// Connects to nothing yet. invalid_argument: the URL is not of the form
  /// above, the token has characters that no header takes; io_error: the
  /// authorities cannot be read.
  [[nodiscard]] static result<api_client> make(api_client_options options);

  api_client(api_client&&) noexcept;
  api_client& operator=(api_client&&) noexcept;
  ~api_client();

  /// Sends it and waits for the answer, of whatever status. A kept connection
  /// that the server has closed in the meantime is replaced, once, for requests
  /// that are safe to repeat: GET, and those with an Idempotency-Key. io_error:
  /// no connection, no whole answer, none in time, one over the limit; the
  /// sentence begins with "cannot reach" if the request was not sent.
  [[nodiscard]] result<api_response> send(const api_request& request);

  /// "http://127.0.0.1:8080": where requests go.
  [[nodiscard]] const std::string& origin() const noexcept;

private:
  struct impl;

  explicit api_client(std::unique_ptr<impl> made);

  std::unique_ptr<impl> impl_;
};

/// The scheme, host and port of a URL as `api_client` takes it, in one
/// spelling: "http://example.org:80". invalid_argument as above.
[[nodiscard]] result<std::string> api_origin(std::string_view url);

} // namespace fanfare::protocol
