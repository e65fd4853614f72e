// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/metrics/metrics_listener.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/query.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

namespace {

struct scrape_request {
  http_request request;
  std::function<void(http_response)> respond;
  std::optional<std::string> organizer;
};

http_response answer_scrape(const metrics_page& page,
                            const scrape_request& asked) {
  if (!asked.organizer)
    return page.whole(asked.request);
  auto found = page.of_organizer(asked.request, *asked.organizer);
  if (found)
    return std::move(*found);
  return found.error().code == ec::not_found
         ? text_answer(404, R"({"detail":"There is no such organizer."})")
         : text_answer(503, R"({"detail":"The figures cannot be read now."})");
}

} // namespace

void metrics_listener::handle(http_request request,
                              std::function<void(http_response)> respond) {
  const std::string_view target = request.target;
  const auto mark = target.find('?');
  if (target.substr(0, mark) != "/metrics")
    return respond(text_answer(404, R"({"detail":"Not found."})"));
  if (request.method != "GET" && request.method != "HEAD") {
    auto refused = text_answer(405, R"({"detail":"Method not allowed."})");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    return respond(std::move(refused));
  }
  const query asked{mark != std::string_view::npos ? target.substr(mark + 1)
                                                   : std::string_view{}};
  const auto scrape = std::make_shared<scrape_request>();
  scrape->organizer = asked.last("organizer");
  scrape->request = std::move(request);
  scrape->respond = std::move(respond);
  run_([this, scrape] { scrape->respond(answer_scrape(page_, *scrape)); });
}

} // namespace fanfare::protocol::rest
