// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/public_url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace fanfare::cli {

result<std::string> parse_public_url(std::string_view text) {
  const auto refused = [&](const char* why) {
    return error{ec::invalid_argument,
                 '"' + std::string{text} + "\" " + why
                   + ": give the address that clients use, as in "
                     "https://hooks.example.com or "
                     "https://example.com/hooks",
                 "public_url"};
  };
  const auto url = boost::urls::parse_absolute_uri({text.data(), text.size()});
  if (!url)
    return refused("is not a URL");
  if (url->scheme_id() != boost::urls::scheme::http
      && url->scheme_id() != boost::urls::scheme::https)
    return refused("does not begin with http:// or https://");
  if (!url->has_authority() || url->host().empty())
    return refused("names no host");
  if (url->has_userinfo())
    return refused("must not have a user name");
  if (url->has_query())
    return refused("must not have a query");
  std::string out{text};
  while (out.ends_with('/'))
    out.pop_back();
  return out;
}

} // namespace fanfare::cli
