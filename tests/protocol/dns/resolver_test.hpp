// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What tests of the resolver share: a name server that says what it is told
/// to, a clock that stands still, and a resolver that runs on the test's
/// thread.

#include "protocol/dns/resolver.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::protocol {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;
using test::dns_answer;
using test::dns_server;

inline std::vector<std::string> texts(const resolution& answer) {
  std::vector<std::string> out;
  for (const auto& each : answer.addresses)
    out.push_back(each.to_string());
  return out;
}

class ResolverTest : public ::testing::Test {
protected:
  ResolverTest() {
    options.servers = {server.address()};
    options.configuration = (directory.path() / "resolv.conf").string();
    configure("options ndots:1\n");
    options.now = [this] { return now; };
    // So that a slow machine changes nothing.
    options.patience = 5s;
    options.other_family = 5s;
    options.fair_share = 60s;
  }

  void configure(const std::string& text) {
    std::ofstream{options.configuration} << text;
  }

  resolver& names() {
    if (!names_)
      names_ = make_system_resolver(io, options);
    return *names_;
  }

  template <class Predicate>
  bool run_until(Predicate reached, milliseconds limit = 20s) {
    const auto end = steady_clock::now() + limit;
    io.restart();
    while (!reached()) {
      const auto left = end - steady_clock::now();
      if (left <= 0ms)
        return false;
      if (io.run_one_for(std::min<steady_clock::duration>(left, 50ms)) == 0)
        io.restart();
    }
    return true;
  }

  resolution ask(const std::string& host) {
    std::optional<resolution> out;
    names().resolve(host, [&](const resolution& answer) {
      EXPECT_FALSE(out) << "called back twice";
      out = answer;
    });
    EXPECT_TRUE(run_until([&] { return out.has_value(); })) << host;
    return out.value_or(resolution{});
  }

  /// Nothing is left for the context to do.
  bool is_quiet() {
    io.restart();
    io.run_for(20s);
    return io.stopped();
  }

  test::temp_dir directory;
  dns_server server;
  asio::io_context io{1};
  steady_clock::time_point now = steady_clock::time_point{} + 1h;
  resolver_options options;
  std::unique_ptr<resolver> names_;
};

} // namespace fanfare::protocol
