// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/stream/stream_page.hpp"

#include "protocol/payload/json_text.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/resources/advice.hpp"
#include "protocol/rest/resources/call_json.hpp"
#include "protocol/rest/resources/notification_json.hpp"
#include "protocol/rest/resources/notification_query.hpp"
#include "protocol/rest/resources/subjects.hpp"
#include "protocol/rest/stream/message.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string_view>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

constexpr std::size_t most_entries = 64;
constexpr std::size_t max_bytes = std::size_t{64} << 10;
/// Calls of all organizers that are passed over for a page.
constexpr std::size_t max_scan = 20'000;
/// Of messages; the one with which it is reached goes with them. What is read
/// may be far more: a call is read without the payload that is shown with it.
constexpr std::size_t most_text = std::size_t{512} << 10;
/// A larger payload is left out: who wants it can ask for it.
constexpr std::size_t largest_payload = std::size_t{64} << 10;

std::string_view name_of(webhook_change::kind what) {
  using enum webhook_change::kind;
  switch (what) {
    case created: return "created";
    case changed: return "changed";
    case enabled: return "enabled";
    case disabled: return "disabled";
    case paused: return "paused";
    case resumed: return "resumed";
    case failing: return "failing";
    case healthy: return "healthy";
    case breaker_opened: return "breaker_opened";
    case breaker_closed: return "breaker_closed";
    case held: return "held";
    case troubled: return "troubled";
  }
  return "changed";
}

void leave_out_payload(boost::json::object& of) {
  of["payload"] = nullptr;
  of["payload_omitted"] = true;
}

boost::json::object to_json(const call& c, const notification* subject,
                            bool payload) {
  boost::json::object out;
  out["webhook_id"] = c.hook;
  for (auto& member : rest::to_json(c, subject))
    out.emplace(member.key(), std::move(member.value()));
  if (!payload)
    for (const auto* key : {"payload", "response_headers", "response_body"})
      out.stable_erase(key);
  else if (subject != nullptr && subject->body.size() > largest_payload)
    leave_out_payload(out);
  return out;
}

boost::json::object to_json(const service& of, const notification& n,
                            bool payload) {
  auto out = rest::to_json(of, n);
  if (!payload)
    out.stable_erase("payload");
  else if (n.body.size() > largest_payload)
    leave_out_payload(out);
  return out;
}

boost::json::object to_json(const webhook_change& c) {
  boost::json::object out;
  out["webhook_id"] = c.hook;
  out["datetime"] = nullptr;
  if (c.time != timestamp{})
    out["datetime"] = to_iso8601(c.time);
  out["target_url"] = json_string(c.target_url);
  out["change"] = json_string(name_of(c.what));
  out["trouble"] = nullptr;
  if (c.trouble)
    out["trouble"] = json_string(trouble_name(*c.trouble));
  out["detail"] = text_or_null(c.sentence);
  return out;
}

/// Makes messages, each with the place after it.
class page_writer {
public:
  page_writer(service& of, const stream_query& what, const feed_place& after)
    : service_{of},
      what_{what},
      at_{after} {}

  void add_gap(const feed_page& read) {
    boost::json::array lost;
    if (read.lost.calls)
      lost.emplace_back("call");
    if (read.lost.notifications)
      lost.emplace_back("notification");
    if (read.lost.changes)
      lost.emplace_back("webhook");
    if (lost.empty())
      return;
    std::string detail;
    if (read.lost.calls || read.lost.notifications)
      detail = "Some of what happened after the Last-Event-ID is not kept any "
               "more. ";
    if (read.lost.changes)
      detail += "Changes of webhooks are not stored, and the server does not "
                "know them any more: those with the change \"troubled\" that "
                "follow say which are in trouble now. ";
    detail.pop_back();
    boost::json::object out;
    out["lost"] = std::move(lost);
    out["detail"] = json_string(detail);
    append_message(page_.text, "gap", {}, to_json_text(std::move(out), 0));
  }

  void add(const notification& n) {
    at_.notification = n.id;
    if (what_.takes(n))
      add("notification", to_json(service_, n, what_.notification_payloads));
  }

  result<void> add(const feed_page::called& c) {
    at_.call = c.what->id;
    if (!what_.takes(*c.what))
      return {};
    auto subject = c.subject;
    if (!subject) {
      auto found = subjects_.find(c.what->subject);
      if (!found)
        return found.error();
      subject = std::move(*found);
    }
    if (what_.asks_for_subject() && (!subject || !is_of(*subject)))
      return {};
    add("call", to_json(*c.what, subject.get(), what_.call_payloads));
    return {};
  }

  void add(const webhook_change& c, std::uint64_t run) {
    if (c.number != 0) {
      at_.run = run;
      at_.change = c.number;
    }
    if (what_.takes(c))
      add("webhook", to_json(c));
  }

  /// Whether the rest of the calls and notifications is for the next page.
  bool is_full() {
    is_cut_ |= page_.text.size() >= most_text;
    return is_cut_;
  }

  /// Once all changes are in it.
  stream_page end(const feed_page& read) {
    auto next = read.next;
    if (is_cut_) {
      next.call = at_.call;
      next.notification = at_.notification;
    }
    if (!page_.text.empty() && next != at_)
      append_id(page_.text, to_text(next));
    page_.next = next;
    page_.more = read.more || is_cut_;
    return std::move(page_);
  }

private:
  [[nodiscard]] bool is_of(const notification& n) const {
    return (!what_.event || *what_.event == n.event)
        && is_action(what_.action, n.action);
  }
  void add(std::string_view type, boost::json::object&& data) {
    append_message(page_.text, type, to_text(at_),
                   to_json_text(std::move(data), 0));
  }

  service& service_;
  const stream_query& what_;
  feed_place at_;
  subjects subjects_{service_, what_.owner};
  stream_page page_;
  bool is_cut_ = false;
};

} // namespace

result<stream_page> make_stream_page(service& of, const stream_query& what,
                                     const feed_place& after) {
  const auto read = of.read_feed(what.owner, after,
                                 {.calls = what.calls,
                                  .notifications = what.notifications,
                                  .changes = what.changes,
                                  .most = most_entries,
                                  .max_bytes = max_bytes,
                                  .max_scan = max_scan});
  if (!read)
    return read.error();
  page_writer page{of, what, after};
  page.add_gap(*read);
  for (const auto& n : read->notifications) {
    if (page.is_full())
      break;
    page.add(*n);
  }
  for (const auto& c : read->calls) {
    if (page.is_full())
      break;
    if (auto added = page.add(c); !added)
      return added.error();
  }
  for (const auto& c : read->changes)
    page.add(*c, read->next.run);
  return page.end(*read);
}

} // namespace fanfare::protocol::rest
