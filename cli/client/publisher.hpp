// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Publishes so that interrupted requests can be repeated: each has an
/// idempotency key, so the server carries it out once.

#include "cli/client/api.hpp"

#include <boost/json/value.hpp>

#include <string>

namespace fanfare::cli {

/// A new key: 32 random hexadecimal digits.
[[nodiscard]] std::string make_idempotency_key();

class publisher {
public:
  explicit publisher(api& server) : server_{server} {}

  /// Posts the body to notifications/ and returns the answer. Up to six
  /// attempts within a few minutes if the server has no room (503, 429) or the
  /// connection is lost, but one only if there never was a connection.
  boost::json::value publish(const std::string& body, const std::string& key);

private:
  api& server_;
  bool connected_ = false;
};

} // namespace fanfare::cli
