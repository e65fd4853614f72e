// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/notifications.hpp"

#include "protocol/publication.hpp"
#include "protocol/rest/answers.hpp"
#include "protocol/rest/request_body.hpp"
#include "protocol/rest/text.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

/// Not by way of a tree: a batch has a thousand of them.
http_response published_answer(const exchange& x,
                               const std::vector<position>& ids, bool list) {
  if (x.indent > 0) {
    boost::json::array body;
    for (const auto id : ids)
      body.push_back(boost::json::object{{"notification_id", id}});
    return list ? json_answer(x, 202, body) : json_answer(x, 202, body.front());
  }
  std::string body;
  for (const auto id : ids) {
    body += body.empty() ? "" : ",";
    body += R"({"notification_id":)" + std::to_string(id) + '}';
  }
  return text_answer(202, list ? '[' + body + ']' : body);
}

} // namespace

void publish(std::shared_ptr<exchange> x) {
  if (auto failure = check_json_type(*x))
    return x->respond(std::move(*failure));
  auto read = read_publications(x->request.body, x->owner.slug);
  if (!read)
    return x->respond(answer_to(*x, read.error()));
  const bool list = read->list;
  auto& service = x->service;
  const auto owner = x->owner.id;
  service.publish(
    owner, std::move(read->items),
    [x = std::move(x), list](const result<std::vector<position>>& ids) {
      x->respond(ids ? published_answer(*x, *ids, list)
                     : answer_to(*x, ids.error()));
    });
}

http_response serve_notification(const exchange& x) {
  const auto id = to_integer(x.route.id);
  if (!id || *id < 1)
    return not_found(x);
  const auto found = x.service.find_notification(x.owner.id,
                                                 static_cast<position>(*id));
  if (!found)
    return found.error().code == ec::not_found ? not_found(x)
                                               : answer_to(x, found.error());
  const auto& subject = **found;
  const auto event = subject.event == 0 ? std::nullopt
                                        : x.service.find_event(subject.event);
  boost::json::object out;
  out["notification_id"] = subject.id;
  out["datetime"] = to_iso8601(subject.published);
  out["event"] = event ? json_string(event->slug) : boost::json::value(nullptr);
  out["action_type"] = json_string(subject.action);
  out["payload"] = json_string(subject.body);
  return json_answer(x, 200, out);
}

} // namespace fanfare::protocol::rest
