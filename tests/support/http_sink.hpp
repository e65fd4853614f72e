// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A receiver of webhooks inside the test: a real HTTP/1.1 server on a real
/// socket, with or without TLS, that records requests and misbehaves as told.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boost::asio::ssl {
class context;
} // namespace boost::asio::ssl

namespace fanfare::test {

/// One request as it arrived.
struct request_record {
  /// Place among all requests of the sink, from 0, in order of arrival.
  size_t number = 0;
  /// Its connection, from 0 in order of acceptance. Equal numbers: the
  /// connection was kept alive.
  size_t connection = 0;
  std::string method;
  std::string target;
  /// In wire order and spelling.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// When the whole request had arrived.
  std::chrono::steady_clock::time_point time;
  /// With TLS: the server name that the client requested, else empty.
  std::string server_name;
  /// With TLS: whether the client resumed an earlier session.
  bool session_reused = false;

  /// The value of the first header with that name, in any case.
  std::optional<std::string> header(std::string_view name) const;
};

/// How to answer a request. Default: 200, no body, keep alive.
struct response_plan {
  /// How the connection continues after the answer.
  enum class ending {
    keep_alive, ///< unless the client requested the opposite
    close,      ///< orderly
    reset,      ///< with a TCP reset
  };

  unsigned status = 200;
  /// Content-Length is added unless it or Transfer-Encoding is given.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  /// Sent instead of a rendered answer, byte for byte.
  std::optional<std::string> raw = {};
  /// Waits this long before the first byte.
  std::chrono::milliseconds delay{0};
  /// Silent until `http_sink::release`, then continues with the answer.
  bool hang = false;
  /// Sends only that many bytes of the answer, then ends the connection, by
  /// `reset` if `after` says so, else by `close`. 0: no answer at all.
  std::optional<size_t> cut_after = {};
  /// Sends pieces of this size with `drip_pause` between them. 0: at once.
  size_t drip_size = 0;
  std::chrono::milliseconds drip_pause{0};
  ending after = ending::keep_alive;

  /// Only a status, and perhaps a body.
  static response_plan answer(unsigned status, std::string body = {});

  /// 200, but only after `delay`.
  static response_plan late(std::chrono::milliseconds delay);

  /// Nothing until released, then 200.
  static response_plan hanging();

  /// These bytes, then the end of the connection.
  static response_plan bytes(std::string raw);

  /// A TCP reset instead of an answer.
  static response_plan resetting();

  /// An orderly close instead of an answer.
  static response_plan closing();

  /// A redirect to `location`.
  static response_plan redirect(std::string location, unsigned status = 302);
};

/// The setup of a sink.
struct sink_options {
  std::string address = "127.0.0.1";
  /// 0: a free one.
  std::uint16_t port = 0;
  /// Speaks TLS if set, see `server_context`.
  std::shared_ptr<boost::asio::ssl::context> tls = nullptr;
  size_t threads = 1;
  /// How to treat new connection number n, before reading a byte.
  enum class greeting { serve, close, reset, ignore };
  std::function<greeting(size_t n)> on_connect = {};
};

/// The sink. Listens from construction to destruction; any thread may call any
/// function, but a handler must not call `stop`.
class http_sink {
public:
  /// Decides on a request. Called on the sink's threads, concurrently if
  /// there are several. May read the sink's records, which already hold the
  /// request.
  using handler = std::function<response_plan(const request_record&)>;

  /// Answers 200 to everything without `on_request`. Throws
  /// `boost::system::system_error` when it cannot listen.
  explicit http_sink(handler on_request = {}, sink_options options = {});

  http_sink(const http_sink&) = delete;

  http_sink& operator=(const http_sink&) = delete;

  /// Closes all connections at once, even hanging ones.
  ~http_sink();

  std::uint16_t port() const noexcept;

  /// "http://127.0.0.1:PORT/hook", or https; `host` replaces the address.
  std::string url(std::string_view path = "/",
                  std::string_view host = {}) const;

  /// For requests that arrive from now on.
  void set_handler(handler on_request);

  /// Releases all requests received so far; later ones hang again.
  void release();

  /// Closes all connections and refuses new ones. The port stays known, so a
  /// new sink can take over.
  void stop();

  // -- what arrived -----------------------------------------------------------

  /// A copy of all, in order of arrival.
  std::vector<request_record> records() const;

  /// How many arrived.
  size_t size() const;

  /// Waits until at least `count` complete requests have arrived; false once
  /// `limit` has passed.
  bool wait_for(size_t count, std::chrono::milliseconds limit) const;

  /// How many answers were sent as planned, to the last byte. The client may
  /// see the last byte shortly before it counts here.
  size_t answered() const;

  /// Connections accepted so far.
  size_t connections() const;

  /// How many of them are open now.
  size_t open_connections() const;

  /// Clears the records; numbering continues.
  void clear();

private:
  struct impl;

  std::unique_ptr<impl> impl_;
};

} // namespace fanfare::test
