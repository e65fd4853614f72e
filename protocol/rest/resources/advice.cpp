// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/advice.hpp"

#include "protocol/rest/messages/answers.hpp"

namespace fanfare::protocol::rest {

namespace {

using trouble = troubled_webhook::trouble;

std::string about(std::string_view command, webhook_id hook,
                  std::string_view rest = {}) {
  std::string out{command};
  out += ' ' + std::to_string(hook);
  if (!rest.empty())
    out += ' ' + std::string{rest};
  return out;
}

std::string look_at_failures(webhook_id hook) {
  return about("fanfare calls list", hook, "--failed --limit 5");
}

advice advice_on_trouble(const troubled_webhook& of) {
  switch (of.what) {
    case trouble::disabled:
      return {"Once its receiver works, enable it; then fanfare replay "
                + std::to_string(of.id)
                + " --only-failed --since TIME sends what it missed.",
              about("fanfare webhooks edit", of.id, "--enable")};
    case trouble::certificate:
      return {"Whoever runs the receiver has to renew its certificate.",
              about("fanfare webhooks show", of.id)};
    case trouble::behind:
      return {"Its receiver takes less than is published; its health shows how "
              "fast it answers.",
              about("fanfare health", of.id)};
    case trouble::slow:
      return {"Its receiver takes long to answer.",
              about("fanfare health", of.id)};
    case trouble::failing:
    case trouble::held:
    case trouble::paused: break;
  }
  if (auto known = advice_on(of.held_by, of.id); !known.sentence.empty())
    return known;
  return {"Failed notifications are tried again by their schedule; the calls "
          "say what the receiver answers.",
          look_at_failures(of.id)};
}

} // namespace

advice advice_on(hold_reason why, webhook_id hook) {
  switch (why) {
    case hold_reason::pause:
      return {"Its owner has paused it; nothing is lost meanwhile.",
              about("fanfare resume", hook)};
    case hold_reason::order:
      return {"It is ordered, and one that failed comes first: try that again "
              "now, or give it up with fanfare retries drop.",
              about("fanfare retries expedite", hook)};
    case hold_reason::breaker:
      return {
        "Its receiver failed too often in a row, and gets one attempt now "
        "and then. Once it works, what failed can be sent at once.",
        about("fanfare retries expedite", hook)};
    case hold_reason::retry_after:
      return {"Its receiver asked to wait (Retry-After). This ends the wait.",
              about("fanfare retries expedite", hook)};
    case hold_reason::rate:
      return {
        "Its rate limit holds it; without one it goes as fast as its "
        "receiver.",
        about("fanfare webhooks edit", hook, "--delivery rate_limit=null")};
    case hold_reason::outage:
      return {
        "This server reaches nobody, or lacks what the call needs: look at "
        "its log, name servers and routes.",
        look_at_failures(hook)};
    case hold_reason::none:
    case hold_reason::batch:
    case hold_reason::concurrency: break;
  }
  return {};
}

advice advice_on(const troubled_webhook& of, bool everywhere) {
  auto out = advice_on_trouble(of);
  if (everywhere && !out.command.empty())
    out.command += " --organizer " + of.organizer;
  return out;
}

boost::json::value text_or_null(std::string_view text) {
  return text.empty() ? boost::json::value(nullptr) : json_string(text);
}

std::string_view trouble_name(trouble what) {
  switch (what) {
    case trouble::failing: return "failing";
    case trouble::held: return "held";
    case trouble::disabled: return "disabled";
    case trouble::behind: return "behind";
    case trouble::paused: return "paused";
    case trouble::slow: return "slow";
    case trouble::certificate: return "certificate";
  }
  return {};
}

} // namespace fanfare::protocol::rest
