// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/egress.hpp"

#include "protocol/target/target.hpp"
#include "protocol/target/url_text.hpp"
#include "protocol/text.hpp"

#include <boost/beast/core/string.hpp>

#include <cstddef>

namespace fanfare::protocol {

namespace {

// The longest user and password that SOCKS5 has room for (RFC 1929).
constexpr std::size_t longest_credential = 255;

constexpr std::string_view direct = "direct";

error refuse(std::string why) {
  return {ec::invalid_argument, std::move(why), "proxy"};
}

/// Percent-encodes the characters that would end the user in a URL.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f
        || std::string_view{":/?#[]@%\"<>\\"}.find(c)
             != std::string_view::npos) {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

} // namespace

result<proxy> proxy::parse(std::string_view url) {
  proxy out;
  if (url == direct) {
    out.how = kind::none;
    return out;
  }
  const auto colon = url.find("://");
  const auto scheme = url.substr(0, colon);
  if (colon != std::string_view::npos && boost::beast::iequals(scheme, "http"))
    out.how = kind::http_connect;
  else if (colon != std::string_view::npos
           && (boost::beast::iequals(scheme, "socks5")
               || boost::beast::iequals(scheme, "socks5h")))
    out.how = kind::socks5;
  else
    return refuse("not a proxy that can be used: write http://HOST:PORT or "
                  "socks5://HOST:PORT; direct for none");
  out.resolves = out.how == kind::socks5 && scheme.size() == 7;
  auto place = url.substr(colon + 3);
  if (place.ends_with('/'))
    place.remove_suffix(1);
  // The last @: a password may hold one that its owner did not encode.
  if (const auto at = place.rfind('@'); at != std::string_view::npos) {
    const auto who = place.substr(0, at);
    place.remove_prefix(at + 1);
    const auto middle = who.find(':');
    out.user = percent_decode(who.substr(0, middle), false);
    if (middle != std::string_view::npos)
      out.password = percent_decode(who.substr(middle + 1), false);
    if (out.user.empty())
      return refuse("the user of the proxy is missing");
    if (out.user.size() > longest_credential
        || out.password.size() > longest_credential)
      return refuse("the user and the password of a proxy may have 255 bytes "
                    "each");
    if (out.how == kind::http_connect
        && out.user.find(':') != std::string::npos)
      return refuse("the user of an HTTP proxy cannot have a colon");
  }
  if (place.find_first_of("/?#") != std::string_view::npos)
    return refuse("nothing may come behind the port of the proxy");
  const auto port = place.rfind(':');
  if (port == std::string_view::npos || port + 1 == place.size()
      || place.find(']', port) != std::string_view::npos)
    return refuse("the port of the proxy is missing: write HOST:PORT");
  const auto there = target::parse("http://" + std::string{place});
  if (!there)
    return refuse("the proxy cannot be used: " + there.error().detail);
  out.host = (*there)->host();
  out.port = (*there)->port();
  return out;
}

std::string proxy::masked() const {
  if (how == kind::none)
    return std::string{direct};
  std::string out = how == kind::http_connect ? "http://"
                  : resolves                  ? "socks5h://"
                                              : "socks5://";
  if (!user.empty())
    out += percent_encoded(user) + (password.empty() ? "@" : ":***@");
  out += host.find(':') == std::string::npos ? host : "[" + host + "]";
  return out + ":" + std::to_string(port);
}

} // namespace fanfare::protocol
