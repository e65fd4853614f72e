// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/configuration.hpp"

#include <boost/asio/ip/address.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr auto look_again = 30s;

} // namespace

std::optional<ares_addr_port_node> parse_name_server(std::string_view text) {
  std::uint16_t port = 0; // the usual one
  auto host = text;
  auto colon = std::string_view::npos;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      return {};
    host = text.substr(1, end - 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':')
        return {};
      colon = end + 1;
    }
  } else if (std::ranges::count(text, ':') == 1) {
    colon = text.find(':');
    host = text.substr(0, colon);
  }
  if (colon != std::string_view::npos) {
    const auto* end = text.data() + text.size();
    const auto [read, failed] = std::from_chars(text.data() + colon + 1, end,
                                                port);
    if (failed != std::errc{} || read != end || port == 0)
      return {};
  }
  error_code failed;
  const auto address = asio::ip::make_address(std::string{host}, failed);
  if (failed || (text.starts_with('[') && !address.is_v6())
      || (address.is_v6() && address.to_v6().scope_id() != 0))
    return {};
  ares_addr_port_node out{};
  out.udp_port = out.tcp_port = port;
  if (address.is_v4()) {
    out.family = AF_INET;
    out.addr.addr4.s_addr = htonl(address.to_v4().to_uint());
  } else {
    out.family = AF_INET6;
    const auto bytes = address.to_v6().to_bytes();
    std::memcpy(&out.addr.addr6, bytes.data(), bytes.size());
  }
  return out;
}

std::vector<std::string>
dns_configuration::names(const std::string& host) const {
  std::vector<std::string> out;
  for (const auto& each : domains)
    out.push_back(host + "." + each);
  out.insert(std::ranges::count(host, '.') >= dots ? out.begin() : out.end(),
             host);
  return out;
}

std::shared_ptr<const dns_configuration>
read_dns_configuration(std::string path,
                       const std::vector<std::string>& given) {
  auto out = std::make_shared<dns_configuration>();
  ares_options wanted{};
  wanted.resolvconf_path = path.data();
  ares_channel channel = nullptr;
  if (ares_init_options(&channel, &wanted, ARES_OPT_RESOLVCONF) != ARES_SUCCESS)
    channel = nullptr;
  ares_options found{};
  int mask = 0;
  if (channel && ares_save_options(channel, &found, &mask) == ARES_SUCCESS) {
    const std::string_view order = found.lookups ? found.lookups : "fb";
    const auto table = order.find('f');
    const auto dns = order.find('b');
    out->dns = dns != std::string_view::npos;
    out->table_first = table < dns;
    out->table_last = table != std::string_view::npos && !out->table_first;
    out->dots = found.ndots;
    for (int i = 0; i < found.ndomains; ++i)
      if (found.domains[i] && *found.domains[i])
        out->domains.emplace_back(found.domains[i]);
  }
  ares_destroy_options(&found);
  if (given.empty()) {
    ares_addr_port_node* servers = nullptr;
    if (channel && ares_get_servers_ports(channel, &servers) == ARES_SUCCESS)
      for (const auto* each = servers; each; each = each->next)
        out->servers.push_back(*each);
    if (servers)
      ares_free_data(servers);
  } else {
    for (const auto& each : given)
      if (const auto server = parse_name_server(each))
        out->servers.push_back(*server);
  }
  if (channel)
    ares_destroy(channel);
  if (!out->servers.empty())
    out->servers.back().next = nullptr;
  for (std::size_t i = 0; i + 1 < out->servers.size(); ++i)
    out->servers[i].next = &out->servers[i + 1];
  return out;
}

bool configuration_watch::refresh(time_point now) {
  if (current_ && now < checked_ + look_again)
    return false;
  checked_ = now;
  const auto stamp = file_stamp::of(path_);
  if (current_ && stamp == stamp_)
    return false;
  stamp_ = stamp;
  return std::exchange(current_, read_dns_configuration(path_, servers_))
      != nullptr;
}

configuration_watch::file_stamp
configuration_watch::file_stamp::of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0)
    return {};
  return {found.st_ino, found.st_size, found.st_mtim};
}

bool configuration_watch::file_stamp::operator==(
  const file_stamp& other) const {
  return inode == other.inode && size == other.size
      && modified.tv_sec == other.modified.tv_sec
      && modified.tv_nsec == other.modified.tv_nsec;
}

} // namespace fanfare::protocol
