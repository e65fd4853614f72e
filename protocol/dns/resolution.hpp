// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The result of a look-up of a host name.

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace fanfare::protocol {

/// The source of the answer.
enum class answered_by : std::uint8_t {
  server,  ///< a name server
  machine, ///< the hosts file, or the rules for special names
  unable,  ///< a name server, which could not find out (SERVFAIL)
  nobody,  ///< no name server gave an answer
};

struct resolution {
  /// IPv6 first, each family in the order of its answer.
  std::vector<boost::asio::ip::address> addresses;
  /// One plain line that begins with "dns: "; empty if there are addresses.
  std::string failure;
  answered_by source = answered_by::server;
  /// When it is to be asked for again; by default it never is.
  std::chrono::steady_clock::time_point
    until = std::chrono::steady_clock::time_point::max();
  /// The family of which there is no address here may have some: its answer
  /// came too late, or was a failure.
  bool is_partial = false;
};

} // namespace fanfare::protocol
