// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/target/network.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

namespace fanfare::protocol {

namespace {

namespace ip = boost::asio::ip;

template <class Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole),
                  b.begin()))
    return false;
  const unsigned rest = bits % 8;
  if (rest == 0)
    return true;
  return ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

template <class Bytes>
Bytes masked(Bytes bytes, unsigned bits) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned before = static_cast<unsigned>(i) * 8;
    const unsigned kept = bits > before ? std::min(bits - before, 8u) : 0;
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00u >> kept));
  }
  return bytes;
}

ip::address first_of(const ip::address& address, unsigned prefix) {
  if (address.is_v4())
    return ip::address_v4{masked(address.to_v4().to_bytes(), prefix)};
  return ip::address_v6{masked(address.to_v6().to_bytes(), prefix)};
}

error refuse(std::string_view text, std::string_view why) {
  return {ec::invalid_argument, "\"" + std::string{text}
                                  + "\" is not a network: " + std::string{why}};
}

} // namespace

result<network> network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto host = text.substr(0, slash);
  boost::system::error_code failed;
  const auto address = ip::make_address(host, failed);
  if (failed || host.find('%') != std::string_view::npos)
    return refuse(
      text,
      "write an IPv4 or IPv6 address and a prefix length, like 10.0.0.0/8");
  const unsigned most = address.is_v4() ? 32 : 128;
  unsigned prefix = most;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, code] = std::from_chars(
      digits.data(), digits.data() + digits.size(), prefix);
    if (digits.empty() || code != std::errc{}
        || end != digits.data() + digits.size() || prefix > most)
      return refuse(text, "the prefix length must be a number from 0 to "
                            + std::to_string(most));
  }
  const auto first = first_of(address, prefix);
  if (first != address)
    return refuse(text, "bits are set behind the prefix; did you mean "
                          + to_string(network{first, prefix}) + "?");
  return network{address, prefix};
}

bool network::contains(const ip::address& address) const {
  if (address.is_v4() != base.is_v4())
    return false;
  if (address.is_v4())
    return same_prefix(address.to_v4().to_bytes(), base.to_v4().to_bytes(),
                       prefix);
  return same_prefix(address.to_v6().to_bytes(), base.to_v6().to_bytes(),
                     prefix);
}

std::string to_string(const network& value) {
  return value.base.to_string() + "/" + std::to_string(value.prefix);
}

} // namespace fanfare::protocol
