// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/notifications.hpp"

#include "protocol/payload/publication.hpp"
#include "protocol/payload/trace_context.hpp"
#include "protocol/rest/access/idempotency.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/pagination.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/rest/resources/explanation_json.hpp"
#include "protocol/rest/resources/log_page.hpp"
#include "protocol/rest/resources/notification_json.hpp"
#include "protocol/rest/resources/notification_query.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

/// Larger publications are not parsed on an I/O thread: it takes a few hundred
/// microseconds.
constexpr std::size_t large_publication = 64 * 1024;

/// The part about webhooks: a page of them, or the one asked for.
boost::system::result<boost::json::object, http_response>
explain(const exchange& x, const notification& subject) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(
    std::chrono::system_clock::now());
  boost::json::array webhooks;
  std::optional<page> p;
  if (const auto text = x.query.last("webhook"); text && !text->empty()) {
    const auto id = to_integer(*text);
    if (!id || *id < 1)
      return refusal(x, 404, "No WebHook matches the given query.");
    const auto one = x.service.explain(subject, static_cast<webhook_id>(*id));
    if (!one)
      return answer_to(x, one.error());
    webhooks.push_back(rest::to_json(*one, subject, now));
    p = page{.count = 1};
  } else {
    const auto count = x.service.count_webhooks(subject.owner, std::nullopt);
    if (!count)
      return answer_to(x, count.error());
    p = find_page(x, *count);
    if (!p)
      return invalid_page(x);
    const auto all = x.service.explain(subject, p->offset(), p->size);
    if (!all)
      return answer_to(x, all.error());
    for (const auto& one : *all)
      webhooks.push_back(rest::to_json(one, subject, now));
  }
  boost::json::object out;
  out["webhooks_count"] = p->count;
  out["next"] = page_link(x, *p, p->number + 1);
  out["previous"] = page_link(x, *p, p->number - 1);
  out["webhooks"] = std::move(webhooks);
  return out;
}

/// The trace that the request belongs to (W3C Trace Context). As specified, a
/// malformed one is ignored.
std::string read_trace(const http_request& request) {
  const auto parent = request.header("traceparent");
  if (!is_traceparent(parent))
    return {};
  std::string trace{parent};
  if (const auto state = request.header("tracestate"); is_tracestate(state))
    trace.append("\n").append(state);
  return trace;
}

void publish(const std::shared_ptr<exchange>& x) {
  if (x->keyed)
    x->keyed->note(x->request);
  if (auto failure = check_json_type(*x))
    return x->respond(std::move(*failure));
  auto read = read_publications(x->request.body, x->owner.slug);
  if (!read)
    return x->respond(answer_to(*x, read.error()));
  const bool list = read->list;
  if (const auto trace = read_trace(x->request); !trace.empty())
    for (auto& item : read->items)
      item.trace = trace;
  auto& service = x->service;
  const auto owner = x->owner.id;
  if (const auto keyed = x->keyed) {
    const publish_once once{.key = keyed->key(),
                            .list = list,
                            .indent = x->indent,
                            .asked = keyed->asked()};
    return service.publish_keyed(
      owner, std::move(read->items), once,
      [x, keyed](const result<stored_answer>& answer) {
        if (!answer)
          x->respond(answer_to(*x, answer.error()));
        else if (keyed->accepts(*answer))
          keyed->answer_kept(*answer);
        else
          x->respond(key_is_used(*x));
      });
  }
  // Never waits for room: this thread serves other connections too.
  const auto refused = service.try_publish(
    owner, std::move(read->items),
    [x, list](const result<std::vector<position>>& ids) {
      if (!ids)
        return x->respond(answer_to(*x, ids.error()));
      const publish_receipt receipt{
        .first = ids->front(),
        .count = static_cast<std::uint32_t>(ids->size()),
        .list = list,
        .indent = x->indent};
      x->respond(to_response(receipt));
    });
  if (!refused)
    x->respond(answer_to(*x, refused.error()));
}

http_response search(const exchange& x) {
  field_errors errors;
  const auto wanted = read_notification_query(x, errors);
  if (!errors.empty())
    return errors.answer(x);
  const auto read = x.service.search(x.owner.id, wanted);
  if (!read)
    return answer_to(x, read.error());
  log_page page{.next = read->next, .looked_back_to = read->looked_back_to};
  for (const auto& n : read->found)
    page.results.push_back(rest::to_json(x.service, *n));
  return search_answer(x, std::move(page));
}

} // namespace

void serve_notifications(const std::shared_ptr<exchange>& x) {
  if (x->is_read())
    return x->respond(search(*x));
  if (!x->api.run.parsing || x->request.body.size() <= large_publication)
    return publish(x);
  x->api.run.parsing([x] {
    try {
      publish(x);
    } catch (const std::exception& e) { // must not end the thread
      x->respond(answer_to(*x, {ec::internal, e.what()}));
    }
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
  const auto why = explain(x, subject);
  if (!why)
    return why.error();
  auto out = rest::to_json(x.service, subject);
  for (const auto& item : *why)
    out[item.key()] = item.value();
  return json_answer(x, 200, out);
}

} // namespace fanfare::protocol::rest
