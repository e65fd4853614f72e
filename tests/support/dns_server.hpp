// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A name server inside the test: real DNS on loopback, over UDP and TCP, that
/// says what it is told to, or nothing.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::test {

/// What is said about a name.
struct dns_answer {
  std::vector<std::string> v4 = {};
  std::vector<std::string> v6 = {};
  /// Another name for it (CNAME), whose answer is told in the same message.
  std::string alias = {};
  /// Of all records, in seconds.
  std::uint32_t ttl = 60;
  /// 2: the server failed, 3: there is no such name, 5: refused.
  unsigned code = 0;
  /// With a record that says how long to believe in there being nothing.
  std::optional<std::uint32_t> negative_ttl = {};
  bool silent = false;
  bool silent_v6 = false; ///< only about addresses of IPv6
  /// Waits this long before it answers.
  std::chrono::milliseconds delay{0};
  /// Over UDP it says only that the answer is too long for it.
  bool truncated = false;
  /// Sent in place of a message, behind its id.
  std::optional<std::string> garbage = {};

  static dns_answer of(std::vector<std::string> v4,
                       std::vector<std::string> v6 = {},
                       std::uint32_t ttl = 60);
  static dns_answer missing(std::optional<std::uint32_t> negative_ttl = {});
  static dns_answer failing();
  static dns_answer hanging();
};

/// Answers on a thread of its own; all functions may be called on any thread.
class dns_server {
public:
  dns_server();
  dns_server(const dns_server&) = delete;
  dns_server& operator=(const dns_server&) = delete;
  ~dns_server();

  /// "127.0.0.1:PORT".
  [[nodiscard]] std::string address() const;

  /// `name` is in lower case. There are no names but those that were set.
  void set(const std::string& name, dns_answer answer);

  /// How often it was asked for addresses of that name, of both families.
  [[nodiscard]] std::size_t asked(const std::string& name) const;
  /// How often for those of IPv6.
  [[nodiscard]] std::size_t asked_v6(const std::string& name) const;
  /// How often over TCP.
  [[nodiscard]] std::size_t asked_over_tcp() const;

private:
  class state;
  std::unique_ptr<state> state_;
};

} // namespace fanfare::test
