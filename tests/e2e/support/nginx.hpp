// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A real nginx in front of the server.

#include "tests/support/child_process.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace fanfare::test {

class nginx {
public:
  static bool installed();

  /// `site`: its `server`, in which {port} stands for the port to listen on,
  /// {certificate} and {key} for files that make it localhost and 127.0.0.1.
  /// Waits until it listens. Throws `std::runtime_error` with what it said if
  /// it does not.
  explicit nginx(std::string site);
  nginx(const nginx&) = delete;
  nginx& operator=(const nginx&) = delete;
  ~nginx();

  [[nodiscard]] std::uint16_t port() const {
    return place_.local_endpoint().port();
  }
  /// PEM file of who vouches for its certificate.
  [[nodiscard]] std::string ca_file() const {
    return (dir_ / "certificate.pem").string();
  }

private:
  [[nodiscard]] bool listens() const;

  temp_dir dir_;
  // nginx says nowhere which port it got. This socket never listens, but nobody
  // else is given its port.
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket place_;
  std::optional<child_process> process_;
};

} // namespace fanfare::test
