// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/metrics/metrics_page.hpp"

#include "fanfare/version.hpp"
#include "protocol/rest/messages/negotiation.hpp"
#include "protocol/rest/metrics/process_figures.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>

namespace fanfare::protocol::rest {

namespace {

constexpr const char* openmetrics_type = "application/openmetrics-text; "
                                         "version=1.0.0; charset=utf-8";
constexpr const char*
  prometheus_type = "text/plain; version=0.0.4; charset=utf-8";

http_response page_of(const std::vector<metric>& figures,
                      const http_request& asked) {
  const bool open = prefers_openmetrics(accept_header(asked));
  http_response out;
  out.headers.emplace_back("Content-Type",
                           open ? openmetrics_type : prometheus_type);
  out.headers.emplace_back("Vary", "Accept");
  out.body = open ? openmetrics_text(figures) : prometheus_text(figures);
  return out;
}

double quality_of(const media_type& type) {
  const auto* q = type.parameter("q");
  return q != nullptr ? std::strtod(q->c_str(), nullptr) : 1.0;
}

void append(std::vector<metric>& to, std::vector<metric> more) {
  std::ranges::move(more, std::back_inserter(to));
}

} // namespace

bool prefers_openmetrics(std::string_view accept) {
  double open = 0;
  double plain = 0;
  for (bool more = true; more;) {
    const auto end = accept.find(',');
    const media_type type{trim(accept.substr(0, end))};
    more = end != std::string_view::npos;
    if (more)
      accept.remove_prefix(end + 1);
    const auto* version = type.parameter("version");
    if (type.main == "application" && type.sub == "openmetrics-text"
        && (version == nullptr || *version == "1.0.0" || *version == "0.0.1"))
      open = std::max(open, quality_of(type));
    else if (type.main == "text" && type.sub == "plain")
      plain = std::max(plain, quality_of(type));
  }
  return open > 0 && open >= plain;
}

http_response metrics_page::whole(const http_request& asked) const {
  return page_of(all_figures(), asked);
}

result<http_response> metrics_page::of_organizer(const http_request& asked,
                                                 std::string_view slug) const {
  const auto found = service_.find_organizer(slug);
  if (!found)
    return error{ec::not_found, "There is no such organizer.", "organizer"};
  const auto figures = service_.metrics(found->id);
  if (!figures)
    return figures.error();
  return page_of(*figures, asked);
}

std::vector<metric> metrics_page::all_figures() const {
  std::vector<metric> out{{.name = "fanfare_build_info",
                           .help = "1, with the version of the server.",
                           .type = metric::kind::gauge,
                           .labels = {{"version", std::string{version}}},
                           .value = 1}};
  append(out, service_.metrics());
  append(out, requests_.figures());
  if (more_)
    append(out, more_());
  append(out, process_figures());
  return out;
}

} // namespace fanfare::protocol::rest
