// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a look-up of a host name came to.

#include <boost/asio/ip/address.hpp>

#include <string>
#include <vector>

namespace fanfare::protocol {

struct resolution {
  /// IPv6 first, each family in the order of its answer.
  std::vector<boost::asio::ip::address> addresses;
  /// One plain line that begins with "dns: "; empty if there are addresses.
  std::string failure;
};

} // namespace fanfare::protocol
