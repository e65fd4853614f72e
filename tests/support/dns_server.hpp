// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A name server inside the test: real DNS on loopback, over UDP and TCP, with
/// scripted answers, or none.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::test {

/// The answer for a name.
struct dns_answer {
  std::vector<std::string> v4 = {};
  std::vector<std::string> v6 = {};
  /// Its canonical name (CNAME), whose answer is in the same message.
  std::string alias = {};
  /// Of all records, in seconds.
  std::uint32_t ttl = 60;
  /// 2: server failure, 3: no such name, 5: refused.
  unsigned code = 0;
  /// With a record that says how long a negative answer is valid.
  std::optional<std::uint32_t> negative_ttl = {};
  bool silent = false;
  bool silent_v6 = false; ///< only for IPv6 addresses
  /// Waits this long before it answers.
  std::chrono::milliseconds delay{0};
  /// Over UDP it only reports a truncated answer.
  bool truncated = false;
  /// Sent instead of a message, after its id.
  std::optional<std::string> garbage = {};

  static dns_answer of(std::vector<std::string> v4,
                       std::vector<std::string> v6 = {},
                       std::uint32_t ttl = 60);
  static dns_answer missing(std::optional<std::uint32_t> negative_ttl = {});
  static dns_answer failing();
  static dns_answer hanging();
};

/// Answers on its own thread; any thread may call any function.
class dns_server {
public:
  dns_server();
  dns_server(const dns_server&) = delete;
  dns_server& operator=(const dns_server&) = delete;
  ~dns_server();

  /// "127.0.0.1:PORT".
  [[nodiscard]] std::string address() const;

  /// `name` is in lower case. No other names exist.
  void set(const std::string& name, dns_answer answer);

  /// How often addresses of that name were queried, in both families.
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
