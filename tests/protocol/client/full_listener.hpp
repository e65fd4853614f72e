// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A listener whose queue of accepted connections is full: the kernel drops
/// what comes, and whoever connects waits.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fanfare::test {

class full_listener {
public:
  /// Port 0: any.
  explicit full_listener(const std::string& address, std::uint16_t port = 0) {
    using boost::asio::ip::tcp;
    const tcp::endpoint wanted{boost::asio::ip::make_address(address), port};
    listener_.open(wanted.protocol());
    listener_.bind(wanted);
    listener_.listen(0);
    const auto there = at();
    for (int i = 0; i < 4; ++i) {
      auto& each = fillers_.emplace_back(io_);
      each.open(there.protocol());
      each.non_blocking(true);
      // Asio's own waits for the outcome, non-blocking or not.
      (void)::connect(each.native_handle(), there.data(),
                      static_cast<socklen_t>(there.size()));
    }
  }

  [[nodiscard]] boost::asio::ip::tcp::endpoint at() const {
    return listener_.local_endpoint();
  }

private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor listener_{io_};
  std::vector<boost::asio::ip::tcp::socket> fillers_;
};

} // namespace fanfare::test
