// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// `fanfare sink`: a receiver to try webhooks with. It prints each call as one
/// line of JSON and answers with a fixed status.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace CLI {
class App;
} // namespace CLI

namespace fanfare::cli {

/// An address to listen on.
struct listen_address {
  std::string host; ///< IPv6 without brackets
  std::uint16_t port = 0;
  bool operator==(const listen_address&) const = default;
};

/// Reads "HOST:PORT", "[IPV6]:PORT". invalid_argument.
result<listen_address> parse_listen_address(std::string_view text);

struct sink_options {
  std::string listen = "127.0.0.1:9000"; ///< port 0: a free one
  int status = 200;                      ///< 200 to 599
  std::int64_t delay = 0; ///< before each answer, in milliseconds
  /// "whsec_BASE64", "whpk_BASE64", "whsk_BASE64", or any other text unchanged.
  std::optional<std::string> secret;
};

/// Verifies signatures of Standard Webhooks 1.0, a list of "v1,BASE64"
/// (HMAC-SHA256) and "v1a,BASE64" (Ed25519), and the age of a call.
class signature_check {
public:
  /// `secret` as in `sink_options`. invalid_argument.
  static result<signature_check> of(std::string_view secret);

  /// "valid", "absent", or "invalid: " and the reason. An empty view means a
  /// missing header.
  [[nodiscard]] std::string
  verdict(std::string_view id, std::string_view timestamp,
          std::string_view signatures, std::string_view body,
          std::chrono::system_clock::time_point now) const;

private:
  signature_check(std::string key, signing_algorithm algorithm)
    : key_(std::move(key)),
      algorithm_(algorithm) {}

  std::string key_; ///< as `protocol::verify_signature` takes it
  signing_algorithm algorithm_;
};

/// Adds the sub-command; parsing fills `options`.
CLI::App* add_sink_command(CLI::App& app, sink_options& options);

/// Listens until SIGTERM or SIGINT, then returns 0. 1: cannot listen, or
/// standard output is closed; 2: bad options. Standard error says why.
int run_sink(const sink_options& options);

} // namespace fanfare::cli
