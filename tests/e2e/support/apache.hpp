// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A real Apache as a receiver: each of its few workers serves one connection
/// until that ends (the module "prefork"), as PHP is commonly run.

#include "tests/support/child_process.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::test {

struct apache_options {
  std::size_t workers = 5;
  /// What a shell does for a call of "/hook" before it answers 200.
  std::string work = {};
  /// Beyond those that are needed anyway: "ssl".
  std::vector<std::string> modules = {};
  /// Further lines of its configuration. Files there are read by root, if that
  /// runs the test.
  std::string directives = {};
};

class apache {
public:
  /// Debian's apache2-bin is there.
  static bool installed();

  /// Waits until it listens. Throws `std::runtime_error` with what it wrote to
  /// standard error if it does not.
  explicit apache(const apache_options& options);
  apache(const apache&) = delete;
  apache& operator=(const apache&) = delete;

  /// Ends it and its workers.
  ~apache();

  [[nodiscard]] std::uint16_t port() const {
    return place_.local_endpoint().port();
  }

  [[nodiscard]] std::string url(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port()) + "/hook";
  }

private:
  void configure(const apache_options& options);

  temp_dir dir_;
  // Apache takes no port of 0. This socket never listens, but nobody else is
  // given its port.
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket place_;
  std::optional<child_process> process_;
};

} // namespace fanfare::test
