// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/forwarding.hpp"

#include "protocol/ascii.hpp"
#include "protocol/text.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol::server {

namespace {

namespace ip = boost::asio::ip;

/// The members of a list that may stretch over several headers, in order.
std::vector<std::string_view> list_of(const http_request& request,
                                      std::string_view name) {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : request.headers) {
    if (key != name)
      continue;
    for (std::string_view rest = value;;) {
      const auto comma = rest.find(',');
      out.push_back(trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos)
        break;
      rest.remove_prefix(comma + 1);
    }
  }
  return out;
}

/// "192.0.2.7", "2001:db8::7", and with a port "192.0.2.7:80",
/// "[2001:db8::7]:80", as some proxies write it.
std::optional<ip::address> read_address(std::string_view text) {
  if (text.starts_with('[')) {
    text = text.substr(1, text.find(']') - 1);
  } else if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  boost::system::error_code failed;
  auto address = ip::make_address(std::string{text}, failed);
  if (failed)
    return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

/// Of a list that each proxy on the way appends to, or that the last one
/// replaces: what the proxy wrote that stands `hops` before the end.
std::string_view written_by(const std::vector<std::string_view>& list,
                            std::size_t hops) {
  if (list.empty())
    return {};
  return list[list.size()
              - std::min(std::max<std::size_t>(hops, 1), list.size())];
}

bool is_host(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return c > ' ' && c < 0x7F && c != '/' && c != '?' && c != '#' && c != '@'
        && c != '\\';
  });
}

void set_host(http_request& request, std::string_view host) {
  std::string value{host};
  for (auto& [key, old] : request.headers)
    if (key == "host") {
      old = std::move(value);
      return;
    }
  request.headers.emplace_back("host", std::move(value));
}

} // namespace

bool is_trusted(const std::vector<network>& trusted,
                const ip::address& address) {
  return std::ranges::any_of(
    trusted, [&](const network& each) { return each.contains(address); });
}

void read_forwarding(http_request& request,
                     const std::vector<network>& trusted) {
  const auto clients = list_of(request, "x-forwarded-for");
  std::size_t hops = 0;
  while (hops < clients.size()) {
    const auto client = read_address(clients[clients.size() - 1 - hops]);
    if (!client)
      break;
    request.peer_address = client->to_string();
    ++hops;
    if (!is_trusted(trusted, *client))
      break;
  }
  const auto scheme = written_by(list_of(request, "x-forwarded-proto"), hops);
  if (equals_lower(scheme, "https"))
    request.secure = true;
  else if (equals_lower(scheme, "http"))
    request.secure = false;
  if (const auto host = written_by(list_of(request, "x-forwarded-host"), hops);
      is_host(host))
    set_host(request, host);
}

} // namespace fanfare::protocol::server
