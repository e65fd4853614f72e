// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A plain client of the REST API: one connection, kept alive, one request at a
/// time.

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::test {

struct rest_response {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// The server keeps the connection open.
  bool keep_alive = false;

  /// Throws `std::runtime_error` with the status and the body if it is none.
  boost::json::value json() const;

  /// The value of the first header of that name, whatever its case.
  std::optional<std::string> header(std::string_view name) const;
};

/// Throws `boost::system::system_error` when there is no connection, no answer
/// or none within a minute. Never sends anything twice.
class rest_client {
public:
  /// Requests carry "Authorization: Token KEY"; none if the key is empty.
  explicit rest_client(std::uint16_t port, std::string key = {});

  rest_client(rest_client&&) noexcept;

  rest_client& operator=(rest_client&&) noexcept;

  ~rest_client();

  rest_response get(std::string_view target);

  rest_response post(std::string_view target, const boost::json::value& body);

  rest_response patch(std::string_view target, const boost::json::value& body);

  rest_response erase(std::string_view target);

  using fields = std::vector<std::pair<std::string, std::string>>;

  /// Any method and any bytes. With a body and without a Content-Type among the
  /// fields it is said to be JSON.
  rest_response send(std::string_view method, std::string_view target,
                     std::optional<std::string> body = {},
                     const fields& more = {});

  /// How many connections were made so far.
  std::size_t connections() const;

private:
  struct impl;

  std::unique_ptr<impl> impl_;
};

} // namespace fanfare::test
