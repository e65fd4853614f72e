// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/target/target_url.hpp"

#include "protocol/ascii.hpp"
#include "protocol/target/host_name.hpp"
#include "protocol/text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

namespace fanfare::protocol {

namespace {

constexpr std::size_t label_limit = 63;
constexpr std::size_t host_limit = 253;

bool has_space(std::string_view text) {
  while (!text.empty()) {
    const auto c = first_code_point(text);
    if (is_space(c.value))
      return true;
    text.remove_prefix(c.size);
  }
  return false;
}

/// Letters, digits and hyphens; beyond ASCII, characters that an international
/// name may have.
bool is_host_text(std::string_view text, bool digits) {
  while (!text.empty()) {
    const auto c = first_code_point(text);
    const bool letter = (c.value >= 'a' && c.value <= 'z')
                     || (c.value >= 0xA1 && c.value <= 0xFFFF);
    const bool digit = c.value >= '0' && c.value <= '9';
    if (!letter && c.value != '-' && !(digit && digits))
      return false;
    text.remove_prefix(c.size);
  }
  return true;
}

bool is_label(std::string_view label, bool digits = true) {
  return !label.empty() && count_code_points(label) <= label_limit
      && !label.starts_with('-') && !label.ends_with('-')
      && is_host_text(label, digits);
}

bool is_top_level(std::string_view label) {
  if (label.starts_with("xn--"))
    return is_label(label) && label.size() > 4;
  return count_code_points(label) >= 2 && is_label(label, false);
}

bool is_name(std::string_view host) {
  if (host == "localhost")
    return true;
  if (host.ends_with('.'))
    host.remove_suffix(1);
  const auto dot = host.rfind('.');
  if (dot == std::string_view::npos || !is_top_level(host.substr(dot + 1)))
    return false;
  host = host.substr(0, dot);
  for (;;) {
    const auto next = host.find('.');
    if (!is_label(host.substr(0, next)))
      return false;
    if (next == std::string_view::npos)
      return true;
    host.remove_prefix(next + 1);
  }
}

/// Letters, digits, hyphens and underscores between dots; not what would be
/// read as an address written in another way.
bool is_local_name(std::string_view host) {
  if (host.ends_with('.'))
    host.remove_suffix(1);
  const auto last = host.substr(host.rfind('.') + 1); // npos + 1 is 0
  if (last.empty() || is_digit(last.front()))
    return false;
  for (;;) {
    const auto next = host.find('.');
    std::string label{host.substr(0, next)};
    std::ranges::replace(label, '_', 'x'); // anywhere in it
    if (!is_label(label))
      return false;
    if (next == std::string_view::npos)
      return true;
    host.remove_prefix(next + 1);
  }
}

bool is_ipv4(const std::string& host) {
  in_addr address{}; // takes neither leading zeros nor fewer than four parts
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_user_info(std::string_view text) {
  const auto colon = text.find(':');
  return colon != 0 && !text.empty() && text.find('@') == std::string_view::npos
      && (colon == std::string_view::npos
          || text.find(':', colon + 1) == std::string_view::npos);
}

/// Removes ":80" from the end of `authority`. False if the port is malformed.
bool take_port(std::string_view& authority) {
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  if (colon == std::string_view::npos
      || (bracket != std::string_view::npos && bracket > colon))
    return true;
  const auto port = authority.substr(colon + 1);
  authority = authority.substr(0, colon);
  return !port.empty() && port.size() <= 5
      && std::ranges::all_of(port, is_digit);
}

} // namespace

bool is_target_url(std::string_view text, host_names which) {
  if (has_space(text))
    return false;
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos)
    return false;
  const auto scheme = to_lower(text.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https")
    return false;
  text.remove_prefix(scheme_end + 3);
  auto authority = text.substr(0, text.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    if (!is_user_info(authority.substr(0, at)))
      return false;
    authority.remove_prefix(at + 1);
  }
  if (!take_port(authority))
    return false;
  const auto host = to_lower(authority);
  if (host.starts_with('['))
    return host.ends_with(']') && is_ipv6(host.substr(1, host.size() - 2));
  if (count_code_points(host) > host_limit)
    return false;
  if (is_ipv4(host))
    return true;
  const bool fine = is_name(host)
                 || (which == host_names::local_too && is_local_name(host));
  // What an attempt could not look up anyway.
  return fine && to_ascii_name(host).has_value();
}

} // namespace fanfare::protocol
