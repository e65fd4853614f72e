// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Publishes so that what is interrupted can be tried again: each request has
/// an idempotency key, so the server takes it once, however often it is sent.

#include "cli/client/api.hpp"

#include <boost/json/value.hpp>

#include <string>

namespace fanfare::cli {

/// A new key: 32 random hexadecimal digits.
[[nodiscard]] std::string make_idempotency_key();

class publisher {
public:
  explicit publisher(api& server) : server_{server} {}

  /// Sends the body of a POST to notifications/ and gives the answer. Tries up
  /// to six times if the server has no room (503, 429) or the connection is
  /// lost, for at most a few minutes; not if it was never there.
  boost::json::value publish(const std::string& body, const std::string& key);

private:
  api& server_;
  bool connected_ = false;
};

} // namespace fanfare::cli
