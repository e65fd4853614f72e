// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/calls.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/pagination.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/rest/resources/call_filter.hpp"
#include "protocol/rest/resources/call_json.hpp"
#include "protocol/rest/resources/health.hpp"
#include "protocol/rest/resources/log_page.hpp"
#include "protocol/rest/resources/notification_query.hpp"
#include "protocol/rest/resources/subjects.hpp"
#include "protocol/rest/resources/webhooks.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

/// Calls that are read at a time.
constexpr std::size_t scan_step = 200;
/// Those of others that are passed over at a time.
constexpr std::size_t foreign_scan_step = 20'000;
/// Calls, whosever they are, that a request for an organizer's looks at.
constexpr std::size_t organizer_scan_limit = 50'000;

/// Reads calls with lower ids, newest first, some of them at a time.
using call_source = std::function<result<found_calls>(call_id before)>;

/// The log of one webhook, without a look at others.
call_source calls_of(const exchange& x, webhook_id hook) {
  return [&x, hook](call_id before) -> result<found_calls> {
    auto calls = x.service.calls(x.owner.id, hook,
                                 {.before = before, .limit = scan_step});
    if (!calls)
      return calls.error();
    const auto count = calls->size();
    const auto next = count < scan_step ? 0 : calls->back().id;
    return found_calls{
      .found = std::move(*calls), .scanned = count, .next = next};
  };
}

struct walk_limits {
  std::size_t scan = 5'000; ///< calls that a request looks at
  bool name_webhooks = false;
};

/// Walks a log backwards from `before` and fills a page.
result<log_page> walk(const exchange& x, const call_source& source,
                      const call_filter& filter, call_id before,
                      const walk_limits& limits) {
  const auto wanted = page_size(x);
  subjects of_calls{x.service, x.owner.id};
  log_page page{.next = before};
  std::size_t bytes = 0;
  for (std::size_t scanned = 0; scanned < limits.scan;) {
    const auto step = source(page.next);
    if (!step)
      return step.error();
    for (const auto& c : step->found) {
      // And at least this one more exists.
      if (page.results.size() == wanted || of_calls.read() > log_read_bytes)
        return page;
      page.next = c.id;
      page.looked_back_to = c.time;
      if (filter.is_past(c.time))
        return log_page{.results = std::move(page.results)};
      if (!filter.takes(c))
        continue;
      const auto subject = of_calls.find(c.subject);
      if (!subject)
        return subject.error();
      if (!filter.action.empty()
          && (!*subject || !is_action(filter.action, (*subject)->action)))
        continue;
      auto shown = to_json(c, subject->get());
      if (limits.name_webhooks)
        shown["webhook_id"] = c.hook;
      page.results.push_back(std::move(shown));
      // Escaping text as a JSON string doubles it at most.
      bytes += 2 * (c.response_body.size() + c.response_head.size());
      bytes += *subject ? 2 * (*subject)->body.size() : 0;
      if (bytes > log_page_bytes)
        return page;
    }
    scanned += step->scanned;
    page.next = step->next;
    if (step->looked_back_to)
      page.looked_back_to = step->looked_back_to;
    if (step->next == 0
        || (page.looked_back_to && filter.is_past(*page.looked_back_to)))
      return log_page{.results = std::move(page.results)};
  }
  return page;
}

/// Webhooks of which to show calls; sorted.
std::vector<webhook_id> read_webhooks(const query& q, field_errors& errors) {
  std::vector<webhook_id> out;
  for (const auto text : q.all("webhook")) {
    if (text.empty())
      continue;
    if (const auto id = to_integer(text); id && *id > 0)
      out.push_back(static_cast<webhook_id>(*id));
    else
      errors.add("webhook", "Must be the number of a webhook.");
  }
  std::ranges::sort(out);
  return out;
}

} // namespace

http_response serve_calls(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  field_errors errors;
  const auto filter = call_filter::read(x.query, errors);
  const auto before = read_cursor(x.query, "a call", errors);
  if (!errors.empty())
    return errors.answer(x);
  auto page = walk(x, calls_of(x, hook.id), filter, before, {});
  return page ? page_answer(x, std::move(*page)) : answer_to(x, page.error());
}

http_response serve_calls_of_organizer(const exchange& x) {
  field_errors errors;
  auto filter = call_filter::read(x.query, errors);
  const auto before = read_cursor(x.query, "a call", errors);
  call_search wanted{.hooks = read_webhooks(x.query, errors),
                     .limit = scan_step,
                     .max_scan = foreign_scan_step};
  if (!errors.empty())
    return errors.answer(x);
  // What was published then was not called before.
  if (filter.subject)
    if (const auto n = x.service.find_notification(x.owner.id, *filter.subject))
      filter.since = std::max(filter.since.value_or((*n)->published),
                              (*n)->published);
  const auto page_of = [&](const call_source& source, std::size_t scan) {
    return walk(x, source, filter, before,
                {.scan = scan, .name_webhooks = true});
  };
  auto page = wanted.hooks.size() == 1
              ? page_of(calls_of(x, wanted.hooks.front()), walk_limits{}.scan)
              : page_of(
                [&](call_id from) {
                  wanted.before = from;
                  return x.service.search(x.owner.id, wanted);
                },
                organizer_scan_limit);
  if (!page && page.error().code == ec::not_found)
    page = log_page{}; // as for others that are not the organizer's
  return page ? search_answer(x, std::move(*page)) : answer_to(x, page.error());
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
  const auto subject = subjects{x.service, x.owner.id}.find(found->subject);
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
