// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/target/host_list.hpp"

#include "protocol/ascii.hpp"
#include "protocol/target/host_name.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace ip = boost::asio::ip;

bool is_network(const std::string& text) {
  boost::system::error_code no_address;
  ip::make_address(text.substr(0, text.find('/')), no_address);
  return !no_address || text.find('/') != std::string::npos;
}

/// Whether `host` is below `parent`, which begins with a dot.
bool is_below(std::string_view host, std::string_view parent) {
  return host.size() > parent.size() && host.ends_with(parent);
}

} // namespace

bool may_be_address(std::string_view host) {
  const auto last = host.substr(host.rfind('.') + 1);
  return std::ranges::all_of(last, is_digit)
      || (last.starts_with("0x")
          && last.find_first_not_of("0123456789abcdef", 2)
               == std::string_view::npos);
}

bool is_host_text(std::string_view text) {
  return text.find_first_of("/:") == std::string_view::npos
      && std::ranges::any_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
               || byte >= 0x80;
         });
}

result<host_list> host_list::parse(const std::vector<std::string>& texts) {
  host_list out;
  for (const auto& text : texts) {
    if (is_network(text)) {
      auto parsed = network::parse(text);
      if (!parsed)
        return error{parsed.error().code, parsed.error().detail, ""};
      out.networks_.push_back(*parsed);
      continue;
    }
    const bool below = text.starts_with('.');
    auto name = to_ascii_name(std::string_view{text}.substr(below ? 1 : 0));
    if (!name || may_be_address(*name))
      return error{ec::invalid_argument,
                   "\"" + text
                     + "\" is no host: write a name like internal.example, "
                       ".internal.example for what is below it, or a network "
                       "like 10.0.0.0/8; without a port",
                   ""};
    out.names_.push_back((below ? "." : "") + std::move(*name));
  }
  return out;
}

bool host_list::holds(std::string_view host) const {
  return std::ranges::any_of(names_, [&](const std::string& each) {
    return each.front() == '.' ? is_below(host, each)
                               : host == each || is_below(host, '.' + each);
  });
}

bool host_list::holds(const ip::address& address) const {
  auto plain = address;
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    plain = ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return std::ranges::any_of(
    networks_, [&](const network& each) { return each.contains(plain); });
}

bool host_list::holds_all(const std::vector<ip::address>& addresses) const {
  return !networks_.empty() && !addresses.empty()
      && std::ranges::all_of(
        addresses, [this](const ip::address& each) { return holds(each); });
}

} // namespace fanfare::protocol
