// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/answer.hpp"

#include <ares.h>

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
using std::chrono::seconds;

constexpr std::size_t most_addresses = 32; // of a family

void read_v4(family_answer& out, std::span<const unsigned char> message) {
  std::array<ares_addrttl, most_addresses> found;
  int count = found.size();
  out.status = ares_parse_a_reply(message.data(),
                                  static_cast<int>(message.size()), nullptr,
                                  found.data(), &count);
  if (out.status != ARES_SUCCESS)
    return;
  out.life = dns_life::longest;
  for (int i = 0; i < count; ++i) {
    out.addresses.emplace_back(
      asio::ip::address_v4{ntohl(found[i].ipaddr.s_addr)});
    out.life = std::min(out.life, seconds{found[i].ttl});
  }
}

void read_v6(family_answer& out, std::span<const unsigned char> message) {
  std::array<ares_addr6ttl, most_addresses> found;
  int count = found.size();
  out.status = ares_parse_aaaa_reply(message.data(),
                                     static_cast<int>(message.size()), nullptr,
                                     found.data(), &count);
  if (out.status != ARES_SUCCESS)
    return;
  out.life = dns_life::longest;
  for (int i = 0; i < count; ++i) {
    asio::ip::address_v6::bytes_type address;
    std::memcpy(address.data(), &found[i].ip6addr, address.size());
    out.addresses.emplace_back(asio::ip::address_v6{address});
    out.life = std::min(out.life, seconds{found[i].ttl});
  }
}

} // namespace

bool family_answer::says_nothing() const {
  return status == ARES_ENODATA || status == ARES_ENOTFOUND
      || status == ARES_EBADNAME;
}

family_answer read_answer(ip_family family, int status,
                          std::span<const unsigned char> message) {
  family_answer out;
  out.done = true;
  out.status = status;
  if (status == ARES_SUCCESS)
    (family == ip_family::v4 ? read_v4 : read_v6)(out, message);
  if (out.status == ARES_SUCCESS && out.addresses.empty())
    out.status = ARES_ENODATA; // an alias of a name that has none
  if (out.says_nothing())
    out.life = negative_life(message);
  return out;
}

seconds negative_life(std::span<const unsigned char> message) {
  std::size_t at = 0;
  const auto number = [&](std::size_t size) {
    std::uint32_t out = 0;
    for (; size > 0 && at < message.size(); --size)
      out = out << 8 | message[at++];
    return out;
  };
  const auto skip = [&](std::size_t size) {
    at = std::min(message.size(), at + size);
  };
  const auto skip_name = [&] {
    while (at < message.size()) {
      const std::size_t length = message[at++];
      if (length >= 0xc0)
        skip(1);
      if (length == 0 || length >= 0xc0)
        return;
      skip(length);
    }
  };
  skip(4);
  const auto questions = number(2);
  const auto answers = number(2);
  const auto authorities = number(2);
  skip(2);
  for (std::uint32_t i = 0; i < questions && at < message.size(); ++i) {
    skip_name();
    skip(4);
  }
  for (std::uint32_t i = 0; i < answers + authorities && at < message.size();
       ++i) {
    constexpr std::uint32_t start_of_authority = 6;
    skip_name();
    const auto type = number(2);
    skip(2);
    const auto life = number(4);
    const auto length = number(2);
    const auto end = at + length;
    if (end > message.size())
      break;
    if (i >= answers && type == start_of_authority && length >= 22) {
      at = end - 4;
      return seconds{std::min(life, number(4))};
    }
    at = end;
  }
  return dns_life::shortest;
}

std::optional<asio::ip::address> address_of(const sockaddr* from) {
  if (from->sa_family == AF_INET) {
    sockaddr_in address;
    std::memcpy(&address, from, sizeof address);
    return asio::ip::address_v4{ntohl(address.sin_addr.s_addr)};
  }
  if (from->sa_family == AF_INET6) {
    sockaddr_in6 address;
    std::memcpy(&address, from, sizeof address);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
    return asio::ip::address_v6{bytes, address.sin6_scope_id};
  }
  return {};
}

} // namespace fanfare::protocol
