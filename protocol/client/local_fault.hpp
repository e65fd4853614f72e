// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Socket errors that say nothing about the peer.

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

namespace fanfare::protocol {

/// This machine has no route to there.
[[nodiscard]] inline bool is_no_route(const boost::system::error_code& code) {
  return code == boost::asio::error::network_down
      || code == boost::asio::error::network_unreachable;
}

/// This machine has no descriptor, memory, local port or route left.
[[nodiscard]] inline bool
is_local_fault(const boost::system::error_code& code) {
  namespace errc = boost::system::errc;
  return code == boost::asio::error::no_descriptors
      || code == errc::too_many_files_open_in_system
      || code == boost::asio::error::no_buffer_space
      || code == boost::asio::error::no_memory
      || code == errc::address_not_available || is_no_route(code);
}

} // namespace fanfare::protocol
