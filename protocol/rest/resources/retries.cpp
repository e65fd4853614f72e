// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/retries.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/iso8601.hpp"
#include "protocol/rest/messages/pagination.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/rest/messages/text_field.hpp"
#include "protocol/rest/resources/advice.hpp"
#include "protocol/rest/resources/health.hpp"
#include "protocol/rest/resources/webhooks.hpp"
#include "protocol/rules/action_types.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

/// How many calls are searched for the last failures.
constexpr std::size_t scan_limit = 5'000;
constexpr std::size_t scan_step = 200;

/// Why each of these notifications failed last, if that is in the part of the
/// log that is searched.
result<std::map<position, std::string>>
last_reasons(const exchange& x, webhook_id hook,
             std::span<const retry> waiting) {
  std::set<position> wanted;
  for (const auto& r : waiting)
    wanted.insert(r.subject);
  std::map<position, std::string> reasons;
  call_id before = 0;
  for (std::size_t scanned = 0; !wanted.empty() && scanned < scan_limit;
       scanned += scan_step) {
    const auto step = x.service.calls(x.owner.id, hook,
                                      {.before = before, .limit = scan_step});
    if (!step)
      return step.error();
    for (const auto& c : *step) {
      before = c.id;
      if (wanted.erase(c.subject) > 0)
        reasons.emplace(c.subject, c.reason);
    }
    if (step->size() < scan_step)
      break;
  }
  return reasons;
}

/// What was expedited at several webhooks.
struct expedited {
  std::size_t retries = 0;
  std::size_t webhooks = 0;
};

/// Webhooks are looked at in steps of so many.
constexpr std::size_t webhook_step = 1'000;

/// Adds what it expedites at the webhooks of an organizer. Only those that have
/// retries are asked, since asking wakes a webhook.
result<void> expedite_all(service& of, organizer_id owner, expedited& sum) {
  for (std::size_t offset = 0;; offset += webhook_step) {
    const auto step = of.webhooks(owner,
                                  {.offset = offset, .limit = webhook_step});
    if (!step)
      return step.error();
    for (const auto& hook : *step) {
      const auto waiting = of.retries(owner, hook.id);
      if (!waiting)
        return waiting.error();
      if (waiting->empty())
        continue;
      const auto count = of.expedite_retries(owner, hook.id);
      if (!count)
        return count.error();
      sum.retries += *count;
      sum.webhooks += *count > 0 ? 1 : 0;
    }
    if (step->size() < webhook_step)
      return {};
  }
}

http_response expedite_of(const exchange& x,
                          const std::vector<organizer>& organizers) {
  if (auto failure = read_nothing(x))
    return *failure;
  expedited sum;
  for (const auto& one : organizers)
    if (auto done = expedite_all(x.service, one.id, sum); !done)
      return answer_to(x, done.error());
  return json_answer(x, 200,
                     boost::json::object{{"expedited", sum.retries},
                                         {"webhooks", sum.webhooks}});
}

/// What still holds them, and what would help; null while that is unknown, or
/// nothing does.
boost::json::object hold_json(const result<delivery_state>& state,
                              webhook_id hook) {
  const auto by = state ? state->held_by : hold_reason::none;
  const auto help = advice_on(by, hook);
  boost::json::object out;
  out["held_by"] = text_or_null(help.sentence.empty() ? "" : hold_name(by));
  out["held_until"] = nullptr;
  if (state && !help.sentence.empty())
    out["held_until"] = time_or_null(state->held_until);
  out["advice"] = text_or_null(help.sentence);
  out["command"] = text_or_null(help.command);
  return out;
}

} // namespace

http_response serve_expedite_all(const exchange& x) {
  return expedite_of(x, {x.owner});
}

http_response serve_expedite_everywhere(const exchange& x) {
  return expedite_of(x, x.service.organizers());
}

http_response serve_expedite(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  if (auto failure = read_nothing(x))
    return *failure;
  const auto count = x.service.expedite_retries(x.owner.id, hook.id);
  if (!count)
    return answer_to(x, count.error());
  boost::json::object out{{"expedited", *count}};
  for (auto& item : hold_json(x.service.inspect(x.owner.id, hook.id), hook.id))
    out[item.key()] = std::move(item.value());
  return json_answer(x, 200, out);
}

http_response serve_drop(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  field_errors errors;
  std::optional<std::string> action_type;
  for (const auto& item : json)
    if (const std::string_view key{item.key().data(), item.key().size()};
        key == "action_type")
      action_type = read_text(json, key, action_type_limit, errors);
    else
      errors.add(key, "Unknown key."); // lest a misspelt one drops all
  if (!errors.empty())
    return errors.answer(x);
  const auto count = x.service.drop_retries(x.owner.id, hook.id, action_type);
  if (!count)
    return answer_to(x, count.error());
  return json_answer(x, 200, boost::json::object{{"dropped", *count}});
}

http_response serve_retries(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  const auto found = x.service.retries(x.owner.id, hook.id);
  if (!found)
    return answer_to(x, found.error());
  const auto p = find_page(x, found->size());
  if (!p)
    return invalid_page(x);
  const auto begin = std::min(p->offset(), found->size());
  const auto shown = std::span{*found}.subspan(
    begin, std::min(p->size, found->size() - begin));
  const auto reasons = last_reasons(x, hook.id, shown);
  if (!reasons)
    return answer_to(x, reasons.error());
  boost::json::array results;
  for (const auto& r : shown) {
    const auto reason = reasons->find(r.subject);
    boost::json::object out;
    out["notification_id"] = r.subject;
    out["attempt"] = r.attempt;
    out["due"] = to_iso8601(r.due);
    out["reason"] = nullptr;
    if (reason != reasons->end())
      out["reason"] = json_string(reason->second);
    results.push_back(std::move(out));
  }
  return page_answer(x, *p, std::move(results));
}

} // namespace fanfare::protocol::rest
