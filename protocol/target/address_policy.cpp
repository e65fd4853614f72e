// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/target/address_policy.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace fanfare::protocol {

namespace {

namespace ip = boost::asio::ip;

struct special {
  network block;
  const char* what;
};

special v4(const char* base, unsigned prefix, const char* what) {
  return {{ip::make_address_v4(base), prefix}, what};
}

special v6(const char* base, unsigned prefix, const char* what) {
  return {{ip::make_address_v6(base), prefix}, what};
}

// The IANA special-purpose registries, and the metadata services of clouds
// that have addresses of their own. The first match names the address, so more
// specific blocks come first.
const std::vector<special>& special_v4() {
  static const std::vector<special> table{
    v4("169.254.169.254", 32, "a cloud metadata address"),
    v4("169.254.170.2", 32, "a cloud metadata address"),
    v4("100.100.100.200", 32, "a cloud metadata address"),
    v4("192.0.0.192", 32, "a cloud metadata address"),
    v4("168.63.129.16", 32, "a cloud metadata address"),
    v4("255.255.255.255", 32, "the broadcast address"),
    v4("0.0.0.0", 8, "an address of \"this network\""),
    v4("10.0.0.0", 8, "a private address"),
    v4("100.64.0.0", 10, "a carrier-grade NAT address"),
    v4("127.0.0.0", 8, "a loopback address"),
    v4("169.254.0.0", 16, "a link-local address"),
    v4("172.16.0.0", 12, "a private address"),
    v4("192.0.0.0", 24, "an address for protocol assignments"),
    v4("192.0.2.0", 24, "a documentation address"),
    v4("192.88.99.0", 24, "a 6to4 relay address"),
    v4("192.168.0.0", 16, "a private address"),
    v4("198.18.0.0", 15, "a benchmarking address"),
    v4("198.51.100.0", 24, "a documentation address"),
    v4("203.0.113.0", 24, "a documentation address"),
    v4("224.0.0.0", 4, "a multicast address"),
    v4("240.0.0.0", 4, "a reserved address"),
  };
  return table;
}

const std::vector<special>& special_v6() {
  static const std::vector<special> table{
    v6("fd00:ec2::254", 128, "a cloud metadata address"),
    v6("fd20:ce::254", 128, "a cloud metadata address"),
    v6("::", 128, "the unspecified address"),
    v6("::1", 128, "a loopback address"),
    v6("::", 96, "an IPv4-compatible address"),
    v6("::ffff:0:0:0", 96, "an IPv4-translated address"),
    v6("64:ff9b::", 96, "a NAT64 address"),
    v6("64:ff9b:1::", 48, "a local NAT64 address"),
    v6("100::", 64, "a discard-only address"),
    v6("2001::", 32, "a Teredo address"),
    v6("2001::", 23, "an address for protocol assignments"),
    v6("2001:db8::", 32, "a documentation address"),
    v6("2002::", 16, "a 6to4 address"),
    v6("3fff::", 20, "a documentation address"),
    v6("fc00::", 7, "a private address"),
    v6("fe80::", 10, "a link-local address"),
    v6("fec0::", 10, "a site-local address"),
    v6("ff00::", 8, "a multicast address"),
  };
  return table;
}

const special* find(const std::vector<special>& table,
                    const ip::address& address) {
  const auto found = std::ranges::find_if(
    table, [&](const special& entry) { return entry.block.contains(address); });
  return found == table.end() ? nullptr : &*found;
}

ip::address_v4 bytes_at(const ip::address_v6& address, std::size_t at) {
  const auto bytes = address.to_bytes();
  return ip::address_v4{ip::address_v4::bytes_type{
    {bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]}}};
}

struct translated {
  ip::address_v4 inner;
  unsigned prefix; ///< a block at most this long says nothing about `inner`
};

// The IPv4 address that a translator on the way would make of it.
std::optional<translated> translation(const ip::address_v6& address) {
  static const network nat64{ip::make_address_v6("64:ff9b::"), 96};
  static const network siit{ip::make_address_v6("::ffff:0:0:0"), 96};
  static const network compatible{ip::make_address_v6("::"), 96};
  static const network six_to_four{ip::make_address_v6("2002::"), 16};
  if (nat64.contains(address) || siit.contains(address)
      || (compatible.contains(address) && !address.is_loopback()
          && !address.is_unspecified()))
    return translated{bytes_at(address, 12), 96};
  if (six_to_four.contains(address))
    return translated{bytes_at(address, 2), 16};
  return {};
}

/// All IPv4 addresses that a translator on the way could make of it. None of
/// them may be a denied one.
std::vector<ip::address_v4> stands_for(const ip::address_v6& address) {
  static const network local_nat64{ip::make_address_v6("64:ff9b:1::"), 48};
  static const network teredo{ip::make_address_v6("2001::"), 32};
  std::vector<ip::address_v4> out;
  if (const auto inside = translation(address))
    out.push_back(inside->inner);
  if (local_nat64.contains(address)) {
    // The longer prefixes that its owner may have chosen (RFC 6052, 2.2).
    const auto bytes = address.to_bytes();
    out.push_back(bytes_at(address, 12));
    out.push_back(bytes_at(address, 9));
    out.emplace_back(
      ip::address_v4::bytes_type{{bytes[7], bytes[9], bytes[10], bytes[11]}});
    out.emplace_back(
      ip::address_v4::bytes_type{{bytes[6], bytes[7], bytes[9], bytes[10]}});
  }
  if (teredo.contains(address)) {
    out.push_back(bytes_at(address, 4)); // the server
    out.emplace_back(bytes_at(address, 12).to_uint()
                     ^ 0xffffffffu); // the client
  }
  return out;
}

std::string sentence(const ip::address& address, const char* what,
                     const network& block) {
  return "policy: " + address.to_string() + " is " + what
       + "; allow it with --allow-network " + to_string(block);
}

} // namespace

const network* address_policy::allowing(const ip::address& address) const {
  const network* best = nullptr;
  for (const auto& candidate : allowed_)
    if (candidate.contains(address)
        && (!best || candidate.prefix > best->prefix))
      best = &candidate;
  return best;
}

const network* address_policy::denying(const ip::address& address) const {
  const auto holds = [&](const network& candidate) {
    return candidate.contains(address)
        || (address.is_v4()
            && candidate.contains(
              ip::make_address_v6(ip::v4_mapped, address.to_v4())));
  };
  const auto found = std::ranges::find_if(denied_, holds);
  return found == denied_.end() ? nullptr : &*found;
}

std::optional<std::string>
address_policy::denial(const ip::address& address) const {
  if (const auto* by = denying(address))
    return "policy: " + address.to_string()
         + " is denied by the configuration (" + to_string(*by) + ")";
  if (address.is_v6())
    for (const auto& inside : stands_for(address.to_v6()))
      if (const auto* by = denying(inside))
        return "policy: " + address.to_string() + " stands for "
             + inside.to_string() + ", which is denied by the configuration ("
             + to_string(*by) + ")";
  return {};
}

std::optional<std::string>
address_policy::refusal_of_name(std::string_view host) const {
  if (!denied_names_.holds(host))
    return {};
  return "policy: " + std::string{host} + " is denied by the configuration";
}

std::optional<std::string>
address_policy::refusal_of_unresolved(std::string_view host) const {
  if (auto why = refusal_of_name(host))
    return why;
  if (may_be_address(host))
    return "policy: a proxy may read " + std::string{host}
         + " as an address: write it as four decimal numbers";
  if (host == "localhost" || host.ends_with(".localhost"))
    for (const ip::address& own : {ip::address{ip::address_v4::loopback()},
                                   ip::address{ip::address_v6::loopback()}})
      if (auto why = refusal(own))
        return why;
  return {};
}

address_policy address_policy::with(const std::vector<network>& allowed,
                                    const std::vector<network>& denied) const {
  auto out = *this;
  out.allowed_.insert(out.allowed_.end(), allowed.begin(), allowed.end());
  out.denied_.insert(out.denied_.end(), denied.begin(), denied.end());
  return out;
}

std::optional<std::string>
address_policy::refusal(const ip::address& address) const {
  if (address.is_v4()) {
    if (auto denied = denial(address))
      return denied;
    const auto* entry = find(special_v4(), address);
    if (!entry || allowing(address))
      return {};
    return sentence(address, entry->what, entry->block);
  }
  // A scope ("%eth0") is no part of what is judged.
  const ip::address_v6 bare{address.to_v6().to_bytes()};
  if (bare.is_v4_mapped())
    return refusal(ip::make_address_v4(ip::v4_mapped, bare));
  if (auto denied = denial(bare))
    return denied;
  if (const auto* allowed = allowing(bare)) {
    const auto inside = translation(bare);
    if (!inside || allowed->prefix > inside->prefix)
      return {};
    return refusal(inside->inner);
  }
  if (const auto* entry = find(special_v6(), bare))
    return sentence(bare, entry->what, entry->block);
  static const network global_unicast{ip::make_address_v6("2000::"), 3};
  if (!global_unicast.contains(bare))
    return sentence(bare, "not a public address", network{bare, 128});
  return {};
}

} // namespace fanfare::protocol
