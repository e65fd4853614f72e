// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/target/target.hpp"

#include "fanfare/version.hpp"
#include "protocol/ascii.hpp"
#include "protocol/target/host_name.hpp"
#include "protocol/target/url_text.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

namespace fanfare::protocol {

namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t longest_url = 8 * 1024;

error refuse(std::string why) {
  return {ec::invalid_argument, std::move(why), "target_url"};
}

/// The parts of "scheme://authority/rest", not yet judged.
struct parts {
  std::string_view scheme;
  std::string_view user_info; ///< without the @
  bool has_user_info = false;
  std::string_view authority; ///< host and port
  std::string_view rest;      ///< path, query and fragment
};

std::optional<parts> split(std::string_view url) {
  const auto colon = url.find("://");
  if (colon == std::string_view::npos)
    return {};
  parts out;
  out.scheme = url.substr(0, colon);
  const auto behind = url.substr(colon + 3);
  const auto end = std::min(behind.find_first_of("/?#"), behind.size());
  out.authority = behind.substr(0, end);
  out.rest = behind.substr(end);
  // The last @: a password may hold one that its owner did not encode.
  if (const auto at = out.authority.rfind('@'); at != std::string_view::npos) {
    out.has_user_info = true;
    out.user_info = out.authority.substr(0, at);
    out.authority.remove_prefix(at + 1);
  }
  return out;
}

/// What cannot stand in a request line is percent-encoded; all else, also
/// brackets that strict readers of RFC 3986 refuse, goes out as written.
std::string request_target(std::string_view rest) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  rest = rest.substr(0, rest.find('#'));
  std::string out;
  out.reserve(rest.size() + 1);
  if (rest.empty() || rest.front() != '/')
    out += '/';
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    const auto byte = static_cast<unsigned char>(c);
    const bool stray_percent = c == '%'
                            && !(i + 2 < rest.size()
                                 && hex_value(rest[i + 1]) >= 0
                                 && hex_value(rest[i + 2]) >= 0);
    if (byte <= 0x20 || byte >= 0x7f || stray_percent
        || std::string_view{"\"<>\\^`{|}"}.find(c) != std::string_view::npos) {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

/// Whether one of the header lines is `Authorization`.
bool has_authorization(std::string_view headers) {
  constexpr std::string_view name = "authorization:";
  while (!headers.empty()) {
    if (std::ranges::equal(headers.substr(0, name.size()), name, {},
                           ascii_lower))
      return true;
    const auto end = headers.find('\n');
    headers.remove_prefix(end == std::string_view::npos ? headers.size()
                                                        : end + 1);
  }
  return false;
}

} // namespace

result<std::shared_ptr<const target>>
target::parse(std::string_view url, const request_style& style) {
  if (url.size() > longest_url)
    return refuse("the URL is longer than 8 KiB");
  if (std::ranges::any_of(url, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
      }))
    return refuse("the URL holds a control character");
  const auto pieces = split(url);
  if (!pieces)
    return refuse("not a URL: write http://HOST/PATH or https://HOST/PATH");

  auto out = std::make_shared<target>(token{});
  std::string scheme{pieces->scheme};
  std::ranges::transform(scheme, scheme.begin(), ascii_lower);
  if (scheme == "https")
    out->secure_ = true;
  else if (scheme != "http")
    return refuse("only http and https URLs can be called");

  if (pieces->authority.empty() || pieces->authority.front() == ':')
    return refuse("the URL has no host");
  // By hand: Boost.URL 1.81 refuses names like "1.2.3.4.example.org".
  auto host_text = pieces->authority;
  auto port_text = std::string_view{};
  const auto bracket = host_text.front() == '[' ? host_text.find(']') : 0;
  if (bracket == std::string_view::npos)
    return refuse("the host of the URL is malformed: a ] is missing");
  if (const auto colon = host_text.find(':', bracket);
      colon != std::string_view::npos) {
    port_text = host_text.substr(colon + 1);
    host_text = host_text.substr(0, colon);
  }

  out->port_ = out->secure_ ? 443 : 80;
  if (!port_text.empty()) {
    const auto* end = port_text.data() + port_text.size();
    const auto [read, code] = std::from_chars(port_text.data(), end,
                                              out->port_);
    if (code != std::errc{} || read != end || out->port_ == 0)
      return refuse("the port of the URL is malformed: it must be a number "
                    "from 1 to 65535");
  }

  boost::system::error_code no_address;
  if (bracket != 0) {
    if (host_text.back() != ']')
      return refuse("the host of the URL is malformed");
    const auto inside = host_text.substr(1, bracket - 1);
    const auto address = ip::make_address_v6(inside, no_address);
    if (no_address || inside.find('%') != std::string_view::npos)
      return refuse("the host of the URL is malformed: not an IPv6 address");
    out->literal_ = address;
    out->host_ = address.to_string();
  } else {
    auto name = to_ascii_name(host_text);
    if (!name)
      return name.error();
    out->host_ = std::move(*name);
    const auto address = ip::make_address_v4(out->host_, no_address);
    if (!no_address)
      out->literal_ = address;
  }

  const bool brackets = out->literal_ && out->literal_->is_v6();
  const auto host = brackets ? "[" + out->host_ + "]" : out->host_;
  const auto port = std::to_string(out->port_);
  out->destination_ = scheme + "://" + host + ":" + port;
  out->key_.text = out->destination_;
  if (!style.tag.empty())
    out->key_.text += "#" + style.tag;
  out->key_.hash = std::hash<std::string>{}(out->key_.text);
  out->masked_ = mask_url(url);

  auto& head = out->head_;
  head = style.method + " " + request_target(pieces->rest)
       + " HTTP/1.1\r\nHost: " + host;
  if (out->port_ != (out->secure_ ? 443 : 80))
    head += ":" + port;
  head += "\r\nUser-Agent: Fanfare/";
  head += version;
  if (!style.user_agent_suffix.empty())
    head += " " + style.user_agent_suffix;
  head += "\r\nAccept: */*\r\nAccept-Encoding: identity\r\nContent-Type: "
        + style.content_type + "\r\n";
  if (const auto colon = pieces->user_info.find(':');
      colon != std::string_view::npos && !has_authorization(style.headers))
    head += "Authorization: "
          + basic_credentials(
              percent_decode(pieces->user_info.substr(0, colon), false),
              percent_decode(pieces->user_info.substr(colon + 1), false))
          + "\r\n";
  head += style.headers;
  return std::shared_ptr<const target>{std::move(out)};
}

std::string name_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto pieces = split(url);
  if (!pieces || !pieces->has_user_info)
    return std::string{url};
  const auto user = static_cast<std::size_t>(pieces->user_info.data()
                                             - url.data());
  return std::string{url.substr(0, user)}
       + std::string{url.substr(user + pieces->user_info.size() + 1)};
}

std::string mask_url(std::string_view url) {
  const auto pieces = split(url);
  const auto colon = pieces && pieces->has_user_info
                     ? pieces->user_info.find(':')
                     : std::string_view::npos;
  if (colon == std::string_view::npos)
    return std::string{url};
  const auto password = static_cast<std::size_t>(pieces->user_info.data()
                                                 - url.data())
                      + colon + 1;
  std::string out{url.substr(0, password)};
  out += "***";
  out += url.substr(password + pieces->user_info.size() - colon - 1);
  return out;
}

} // namespace fanfare::protocol
