// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The interface between the HTTP server and its API: one request in, one
/// response out, as plain values.

#include "protocol/server/body_stream.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol {

struct http_request {
  std::string method; ///< as sent: "GET"
  std::string target; ///< as sent: "/api/v1/organizers/?page=2"
  /// Names in lower case, in order, repeats kept.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;         ///< complete, transfer coding removed
  std::string peer_address; ///< of the client: "127.0.0.1"
  bool secure = false;      ///< the client sent it over TLS

  /// The first header with that name (lower case), or an empty view.
  [[nodiscard]] std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name)
        return value;
    return {};
  }
};

struct http_response {
  std::uint16_t status = 200;
  /// The server adds Date, Content-Length and Connection.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body; ///< not sent in answer to a HEAD request
  /// In place of `body`: one that is made while it is sent. The connection is
  /// closed after it. An open one ends early when the server stops, when its
  /// client closes its side, and when its client takes nothing for long.
  std::shared_ptr<body_reader> stream = {};
};

/// Which requests of one connection may run concurrently (RFC 9112, 9.3.2):
/// neighbours of the same kind, unless that is `exclusive`. Any other request
/// begins when all before it are answered.
enum class request_kind : std::uint8_t {
  exclusive, ///< others may see its changes
  safe,      ///< changes nothing (RFC 9110, 9.2.1)
  ordered,   ///< the handler itself keeps such requests in order
};

/// GET, HEAD and OPTIONS are safe, all others exclusive.
[[nodiscard]] inline request_kind kind_of_method(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS"
         ? request_kind::safe
         : request_kind::exclusive;
}

class http_handler {
public:
  virtual ~http_handler() = default;
  /// Called before check_head() and handle() with the head of a request. On an
  /// I/O thread: must not block, and reads only method and target.
  [[nodiscard]] virtual request_kind kind_of(const http_request& head) const {
    return kind_of_method(head.method);
  }
  /// Of an `ordered` request, which begins when earlier ones with the same mark
  /// are answered; 0: it has none. Called like kind_of(), reads headers too.
  [[nodiscard]] virtual std::uint64_t
  mark_of(const http_request& /*head*/) const {
    return 0;
  }
  /// On an I/O thread of the server: must not block. Call `respond` once, now
  /// or later, from any thread; dropping it closes the connection.
  virtual void handle(http_request request,
                      std::function<void(http_response)> respond) = 0;
  /// For a request with a large body (http_server_options::free_body), before
  /// reading it: an answer refuses the request and closes the connection. An
  /// accepted request goes to handle() once its body is complete; `head` has at
  /// most its beginning. On an I/O thread: must not block.
  virtual std::optional<http_response>
  check_head(const http_request& /*head*/) {
    return std::nullopt;
  }
};

} // namespace fanfare::protocol
