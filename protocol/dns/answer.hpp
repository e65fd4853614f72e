// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads messages of DNS (RFC 1035): which addresses a name has in one family,
/// and for how long that may be believed. No network. INTERNAL to the resolver.

#include <boost/asio/ip/address.hpp>

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace fanfare::protocol {

/// Bounds of how long answers are believed, whatever their time to live says.
namespace dns_life {
inline constexpr std::chrono::seconds shortest{1};
inline constexpr std::chrono::seconds longest{300};
/// Of the news that a name has no address, or none in one of the families.
inline constexpr std::chrono::seconds longest_without{30};
} // namespace dns_life

enum class ip_family : std::uint8_t { v4, v6 };

/// The answer to one question about one family. Until it is `done` the rest
/// means nothing.
struct family_answer {
  bool done = false;
  int status = 0; ///< of c-ares
  std::vector<boost::asio::ip::address> addresses;
  std::chrono::seconds life{0};

  /// It is certain that there is no address, as far as this server knows.
  [[nodiscard]] bool says_nothing() const;
};

/// What c-ares has reported. `message` is empty if none came.
[[nodiscard]] family_answer read_answer(ip_family family, int status,
                                        std::span<const unsigned char> message);

/// How long to believe a message that says that there is nothing: as its start
/// of authority says (RFC 2308), without one only shortly.
[[nodiscard]] std::chrono::seconds
negative_life(std::span<const unsigned char> message);

/// Nothing for other families.
[[nodiscard]] std::optional<boost::asio::ip::address>
address_of(const sockaddr* from);

} // namespace fanfare::protocol
