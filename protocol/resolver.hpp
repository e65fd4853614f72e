// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Host names to addresses, without blocking the caller. The seam behind which
/// the way of asking can change.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fanfare::protocol {

struct resolution {
  /// In the order in which to try them.
  std::vector<boost::asio::ip::address> addresses;
  /// One plain line that begins with "dns: "; empty if there are addresses.
  std::string failure;
};

/// Belongs to one I/O thread.
class resolver {
public:
  using completion = std::function<void(const resolution&)>;

  virtual ~resolver() = default;

  /// Calls `done` on the I/O thread, maybe before it returns. A resolver that
  /// is destroyed meanwhile never calls it.
  virtual void resolve(const std::string& host, completion done) = 0;
};

/// Asks the system (getaddrinfo) on a few threads that all resolvers of the
/// process share. Remembers answers for five seconds, failures for one;
/// requests for a name that is being looked up share the answer.
[[nodiscard]] std::unique_ptr<resolver>
make_system_resolver(boost::asio::io_context& context);

} // namespace fanfare::protocol
