// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/exchange.hpp"

#include <utility>

namespace fanfare::protocol::rest {

exchange::exchange(http_request asked,
                   std::function<void(http_response)> answer,
                   api_context& shared)
  : request{std::move(asked)},
    respond{std::move(answer)},
    api{shared},
    service{shared.service},
    settings{shared.settings.load()} {
  std::string_view target = request.target;
  if (!target.starts_with('/')) // the absolute form, which proxies send
    if (const auto scheme = target.find("://");
        scheme != std::string_view::npos) {
      const auto slash = target.find('/', scheme + 3);
      target = slash == std::string_view::npos ? std::string_view{"/"}
                                               : target.substr(slash);
    }
  target = target.substr(0, target.find('#'));
  const auto mark = target.find('?');
  path = target.substr(0, mark);
  if (mark != std::string_view::npos)
    raw_query = target.substr(mark + 1);
  query = rest::query{raw_query};
}

std::string exchange::link(const rest::query& changed) const {
  auto url = settings->public_url;
  if (url.empty()) {
    url = request.secure ? "https://" : "http://";
    url += request.header("host");
  }
  url += path;
  if (const auto text = changed.text(); !text.empty())
    url += '?' + text;
  return url;
}

} // namespace fanfare::protocol::rest
