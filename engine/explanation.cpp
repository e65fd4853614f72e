// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/explanation.hpp"

#include "model/subscription.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t calls_limit = 20'000;
constexpr std::size_t calls_step = 200;
/// Calls are in the order in which they ended; no attempt takes this long.
constexpr auto longest_attempt = 1h;

std::optional<timestamp> known(timestamp t) {
  return t == timestamp{} ? std::nullopt : std::optional{t};
}

/// When the disabling was made that holds at `at`.
std::optional<timestamp> disabled_since(const webhook_record& hook,
                                        position at) {
  std::optional<timestamp> since;
  for (const auto& v : hook.versions) {
    if (v.from > at)
      break;
    if (v.value.enabled)
      since.reset();
    else if (!since)
      since = known(v.since);
  }
  return since;
}

explanation::rule failed_rule(const subscription* then,
                              const notification& what) {
  using rule = explanation::rule;
  if (then == nullptr)
    return rule::created_later;
  if (!then->enabled)
    return rule::disabled;
  if (!names_type(*then, what.type)
      && !names_action(*then, what.type, what.action))
    return rule::action_type;
  if (!takes_event(*then, what.event))
    return rule::event;
  return passes(*then, what) ? rule::none : rule::filter;
}

result<void> read_calls(const storage::call_log& log, const notification& what,
                        explanation& out) {
  call_id before = 0;
  for (std::size_t seen = 0; seen < calls_limit; seen += calls_step) {
    auto step = log.newest(out.hook.id, before, calls_step);
    if (!step)
      return step.error();
    for (auto& c : *step) {
      before = c.id;
      if (c.time < what.published - longest_attempt)
        return {};
      if (c.subject == what.id)
        out.calls.push_back(std::move(c));
    }
    if (step->size() < calls_step)
      return {};
  }
  out.calls_complete = false;
  return {};
}

} // namespace

result<explanation> explain(const storage::store& store,
                            const webhook_record& hook,
                            const notification& what) {
  using fate = explanation::fate;
  explanation out;
  out.hook.id = hook.id;
  out.failed = failed_rule(version_at(hook, what.id), what);
  if (auto read = read_calls(store.call_log(), what, out); !read)
    return read.error();
  std::ranges::reverse(out.calls);
  const auto stands = store.deliveries().find_standing(hook.id, what.id);
  if (!stands)
    return stands.error();
  if (stands->waiting) {
    out.state = out.calls.empty() ? fate::waiting : fate::retrying;
    out.due = stands->waiting->due;
  } else if (!out.calls.empty()) {
    switch (out.calls.back().result) {
      case outcome::delivered: out.state = fate::delivered; break;
      case outcome::given_up: out.state = fate::given_up; break;
      case outcome::retried:
      case outcome::gone: out.state = fate::ended; break;
    }
  } else if (out.failed != explanation::rule::none) {
    out.state = fate::not_matched;
  } else {
    out.state = stands->settled ? fate::ended : fate::waiting;
  }
  if (out.failed == explanation::rule::disabled)
    out.disabled_since = disabled_since(hook, what.id);
  else if (!hook.current().enabled)
    out.disabled_since = disabled_since(hook, hook.versions.back().from);
  return out;
}

} // namespace fanfare
