// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/description/start_page.hpp"

#include "fanfare/version.hpp"
#include "protocol/rest/description/html.hpp"

#include <string>

namespace fanfare::protocol::rest {

namespace {

// Links are relative: a proxy may have the server below a path of its own.
std::string make_page() {
  return page_head("Fanfare", start_page_css) + "<main><h1>Fanfare <span>"
       + escape_html(version)
       + "</span></h1>\n"
         "<p>This is a webhook server. Programs publish to it what happened, "
         "and it calls every URL that subscribed to that.</p>\n"
         "<ul>\n"
         "<li><a href=\"api/docs/\">API</a>: every request and answer, with "
         "examples</li>\n"
         "<li><a href=\"api/v1/openapi.json\">OpenAPI document</a>: the same "
         "for programs</li>\n"
         "<li><a href=\"readyz\">Readiness</a>: whether it accepts requests "
         "now</li>\n"
         "</ul>\n"
         "<p>Each request of the API carries a token, "
         "<code>Authorization: Token KEY</code>. Whoever runs the server finds "
         "the administrator's in <code>admin.token</code> of its data "
         "directory, and the way from there in <code>fanfare --help</code> and "
         "<code>man fanfare</code>.</p>\n"
         "</main>\n</body>\n</html>\n";
}

} // namespace

http_response serve_start_page(const exchange& x) {
  static const auto page = make_page();
  static const auto policy = page_policy(start_page_css);
  return page_answer(x, page, policy);
}

} // namespace fanfare::protocol::rest
