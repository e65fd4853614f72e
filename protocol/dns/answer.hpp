// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads DNS messages (RFC 1035): which addresses a name has in one family, and
/// for how long they are valid. No network. INTERNAL to the resolver.

#include <boost/asio/ip/address.hpp>

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace fanfare::protocol {

/// Bounds of how long answers stay valid, whatever their time to live says.
namespace dns_life {
inline constexpr std::chrono::seconds shortest{1};
inline constexpr std::chrono::seconds longest{300};
/// Of negative answers: a name has no address, or none in one family.
inline constexpr std::chrono::seconds longest_without{30};
} // namespace dns_life

enum class ip_family : std::uint8_t { v4, v6 };

/// The answer to one query for one family. Until it is `done`, the rest is
/// meaningless.
struct family_answer {
  bool done = false;
  int status = 0; ///< of c-ares
  std::vector<boost::asio::ip::address> addresses;
  std::chrono::seconds life{0};

  /// This server knows for certain that there is no address.
  [[nodiscard]] bool says_nothing() const;
};

/// The report of c-ares. `message` is empty if none came.
[[nodiscard]] family_answer read_answer(ip_family family, int status,
                                        std::span<const unsigned char> message);

/// How long to believe a negative answer: as its start of authority says (RFC
/// 2308), without one only briefly.
[[nodiscard]] std::chrono::seconds
negative_life(std::span<const unsigned char> message);

/// Nothing for other families.
[[nodiscard]] std::optional<boost::asio::ip::address>
address_of(const sockaddr* from);

} // namespace fanfare::protocol
