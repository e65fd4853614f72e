// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A webhook's target URL, parsed once and turned into the bytes that every
/// request to it begins with. Nothing in a URL can reach the wire except inside
/// the one request line and the headers written here.

#include "fanfare/error.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol {

/// Scheme, host and port; exchanges with the same key share connections.
struct pool_key {
  std::string text; ///< "https://example.org:443"
  std::size_t hash = 0;

  bool operator==(const pool_key& other) const {
    return text == other.text;
  }
};

/// How a webhook's settings change its requests.
struct request_style {
  std::string method = "POST";
  std::string content_type = "application/json";
  /// Further header lines, each with its CRLF, already checked. They come last.
  /// If one is `Authorization`, the URL's user and password are left out.
  std::string headers;
  /// Comes after "Fanfare/VERSION " in the header User-Agent.
  std::string user_agent_suffix;
  /// `egress::tag`, part of the pool's key.
  std::string tag;
};

/// Immutable; any thread.
class target {
  struct token {};

public:
  /// Reads a URL. invalid_argument (field "target_url", one plain sentence):
  /// neither http nor https, no or a malformed host, a port out of range,
  /// control characters, longer than 8 KiB. International host names are
  /// turned into their xn-- form (IDNA 2008 with UTS #46).
  [[nodiscard]] static result<std::shared_ptr<const target>>
  parse(std::string_view url, const request_style& style = {});

  [[nodiscard]] bool secure() const noexcept {
    return secure_;
  }
  /// In lower case, IPv6 without brackets, without a final dot.
  [[nodiscard]] const std::string& host() const noexcept {
    return host_;
  }
  [[nodiscard]] std::uint16_t port() const noexcept {
    return port_;
  }
  /// Set if the host is written as an IPv4 or IPv6 address.
  [[nodiscard]] const std::optional<boost::asio::ip::address>&
  literal() const noexcept {
    return literal_;
  }
  /// The pool's key: targets with the same one share connections.
  [[nodiscard]] const pool_key& key() const noexcept {
    return key_;
  }
  /// Scheme, host and port without the tag: "https://example.org:443".
  [[nodiscard]] const std::string& destination() const noexcept {
    return destination_;
  }
  /// The request line and all headers but Content-Length, each with its CRLF.
  [[nodiscard]] const std::string& head() const noexcept {
    return head_;
  }
  /// The URL as given, for logs: a password in it is "***".
  [[nodiscard]] const std::string& masked_url() const noexcept {
    return masked_;
  }

  explicit target(token) {}

private:
  bool secure_ = false;
  std::uint16_t port_ = 0;
  std::string host_;
  std::optional<boost::asio::ip::address> literal_;
  std::string destination_;
  pool_key key_;
  std::string head_;
  std::string masked_;
};

/// The text with the password of its user info, if any, replaced by "***". Also
/// works on texts that `target` would refuse.
[[nodiscard]] std::string mask_url(std::string_view url);
/// The URL without whatever may be a secret: user and password, and the query.
[[nodiscard]] std::string name_url(std::string_view url);

} // namespace fanfare::protocol
