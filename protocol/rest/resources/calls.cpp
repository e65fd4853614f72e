// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/calls.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/pagination.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/rest/resources/call_filter.hpp"
#include "protocol/rest/resources/call_json.hpp"
#include "protocol/rest/resources/health.hpp"
#include "protocol/rest/resources/webhooks.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

/// Calls that a request looks at when a filter drops most of them.
constexpr std::size_t scan_limit = 5'000;
constexpr std::size_t scan_step = 200;
/// Bytes of bodies in a page, which ends early beyond: fifty of the largest
/// would be many megabytes.
constexpr std::size_t page_bytes = 1024 * 1024;

/// Loads the notifications of calls, each only once.
class notifications {
public:
  explicit notifications(const exchange& x) : x_{x} {}

  /// Null if it has expired.
  result<notification_ptr> find(position id) {
    if (const auto i = found_.find(id); i != found_.end())
      return i->second;
    auto loaded = x_.service.find_notification(x_.owner.id, id);
    if (!loaded && loaded.error().code != ec::not_found)
      return std::move(loaded).error();
    if (found_.size() > scan_step)
      found_.clear(); // bodies may be large
    auto value = loaded ? std::move(*loaded) : nullptr;
    found_.emplace(id, value);
    return value;
  }

private:
  const exchange& x_;
  std::unordered_map<position, notification_ptr> found_;
};

http_response cursor_answer(const exchange& x, boost::json::array results,
                            call_id next) {
  boost::json::object body;
  body["next"] = nullptr;
  if (next != 0) {
    auto changed = x.query;
    changed.set("cursor", std::to_string(next));
    body["next"] = json_string(x.link(changed));
  }
  body["previous"] = nullptr;
  body["results"] = std::move(results);
  return json_answer(x, 200, body);
}

/// Walks the log backwards from `before` and fills a page.
http_response walk(const exchange& x, webhook_id hook,
                   const call_filter& filter, call_id before) {
  const auto wanted = page_size(x);
  notifications subjects{x};
  boost::json::array results;
  std::size_t bytes = 0;
  for (std::size_t scanned = 0; scanned < scan_limit;) {
    const auto step = x.service.calls(x.owner.id, hook,
                                      {.before = before, .limit = scan_step});
    if (!step)
      return answer_to(x, step.error());
    for (const auto& c : *step) {
      if (results.size() == wanted) // and at least this one more exists
        return cursor_answer(x, std::move(results), before);
      before = c.id;
      ++scanned;
      if (filter.is_past(c))
        return cursor_answer(x, std::move(results), 0);
      if (!filter.takes(c))
        continue;
      const auto subject = subjects.find(c.subject);
      if (!subject)
        return answer_to(x, subject.error());
      if (!filter.action.empty()
          && (!*subject || !filter.takes_action((*subject)->action)))
        continue;
      results.push_back(to_json(c, subject->get()));
      // Escaping text as a JSON string doubles it at most.
      bytes += 2 * (c.response_body.size() + c.response_head.size());
      bytes += *subject ? 2 * (*subject)->body.size() : 0;
      if (bytes > page_bytes)
        return cursor_answer(x, std::move(results), before);
    }
    if (step->size() < scan_step)
      return cursor_answer(x, std::move(results), 0);
  }
  return cursor_answer(x, std::move(results), before);
}

} // namespace

http_response serve_calls(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  field_errors errors;
  const auto filter = call_filter::read(x.query, errors);
  call_id before = 0;
  if (const auto text = x.query.last("cursor"); text && !text->empty()) {
    const auto cursor = to_integer(*text);
    if (cursor && *cursor > 0)
      before = static_cast<call_id>(*cursor);
    else
      errors.add("cursor", "Must be the number of a call.");
  }
  if (!errors.empty())
    return errors.answer(x);
  return walk(x, hook.id, filter, before);
}

http_response serve_call(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  const auto id = to_integer(x.route.call);
  if (!id || *id < 1)
    return not_found(x);
  const auto found = x.service.find_call(x.owner.id, hook.id,
                                         static_cast<call_id>(*id));
  if (!found)
    return found.error().code == ec::not_found ? not_found(x)
                                               : answer_to(x, found.error());
  const auto subject = notifications{x}.find(found->subject);
  if (!subject)
    return answer_to(x, subject.error());
  return json_answer(x, 200, to_json(*found, subject->get()));
}

http_response serve_resend(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  const auto id = to_integer(x.route.call);
  if (!id || *id < 1)
    return not_found(x);
  if (auto failure = read_nothing(x))
    return *failure;
  const auto queued = x.service.resend(x.owner.id, hook.id,
                                       static_cast<call_id>(*id));
  if (!queued)
    return answer_to(x, queued.error());
  boost::json::object out;
  out["notification_id"] = queued->subject;
  out["attempt"] = queued->attempt;
  out["due"] = to_iso8601(queued->due);
  return json_answer(x, 202, out);
}

void serve_test(const std::shared_ptr<exchange>& x) {
  webhook hook;
  if (auto failure = load_webhook(*x, hook))
    return x->respond(std::move(*failure));
  if (auto failure = read_nothing(*x))
    return x->respond(std::move(*failure));
  x->service.test_webhook(
    x->owner, hook.id, [x](const result<test_call>& made) {
      if (!made)
        return x->respond(answer_to(*x, made.error()));
      auto out = to_json(made->value, &*made->what);
      const auto held_by = hold_name(made->held_by);
      out["held_by"] = held_by.empty() ? boost::json::value{}
                                       : boost::json::value(held_by);
      out["held_until"] = made->held_until
                          ? boost::json::value(to_iso8601(*made->held_until))
                          : boost::json::value{};
      x->respond(json_answer(*x, 200, out));
    });
}

} // namespace fanfare::protocol::rest
