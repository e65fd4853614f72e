// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What became of notifications: calls, retries, health, replays.

#include "engine/c/calls.hpp"

#include "engine/c/boundary.hpp"

#include <future>

struct fanfare_calls {
  std::vector<fanfare::call> all;
};

namespace fanfare::c {

fanfare_call to_c(const call& from) {
  fanfare_call to{};
  to.id = from.id;
  to.webhook = from.hook;
  to.notification = from.subject;
  to.time = since_epoch(from.time);
  to.retry_due = since_epoch(from.retry_due);
  to.duration_us = from.timings.total.count();
  to.outcome = static_cast<std::int32_t>(from.result);
  to.attempt = from.attempt;
  to.status = from.status;
  to.resent = from.resent ? 1 : 0;
  to.target_url = from.target_url.c_str();
  to.reason = from.reason.c_str();
  to.response_head = from.response_head.c_str();
  to.response_body = from.response_body.c_str();
  to.response_body_size = from.response_body.size();
  return to;
}

namespace {

fanfare_replay to_c(const replay_progress& from) {
  fanfare_replay to{};
  to.state = static_cast<std::int32_t>(from.state);
  to.count = from.count;
  to.skipped = from.skipped;
  to.queued = from.queued;
  to.waiting = from.waiting;
  return to;
}

fanfare_retry to_c(const retry& from) {
  fanfare_retry to{};
  to.notification = from.subject;
  to.due = since_epoch(from.due);
  to.attempt = from.attempt;
  to.resent = from.resent ? 1 : 0;
  return to;
}

fanfare_health to_c(const webhook_health& from) {
  fanfare_health to{};
  to.verdict = static_cast<std::int32_t>(from.status);
  to.backlog_complete = from.backlog_complete ? 1 : 0;
  to.calls = from.calls;
  to.successes = from.successes;
  to.unclear = from.unclear;
  to.retries = from.retries;
  to.backlog = from.backlog;
  to.next_retry = since_epoch(from.next_retry);
  to.last_success = since_epoch(from.last_success);
  return to;
}

result<void> give_list(std::vector<call> found, fanfare_calls** list) {
  if (list == nullptr)
    return bad_null("list");
  *list = new fanfare_calls{std::move(found)};
  return {};
}

/// Fills an array whose elements have the size that the first one says.
result<void> give_array(const std::vector<retry>& from, fanfare_retry* to,
                        std::size_t capacity) {
  if (to == nullptr || capacity == 0)
    return {};
  const auto stride = to->size;
  for (std::size_t i = 0; i < std::min(capacity, from.size()); ++i) {
    auto* at = reinterpret_cast<fanfare_retry*>(reinterpret_cast<char*>(to)
                                                + i * stride);
    at->size = stride;
    if (auto given = give(to_c(from[i]), at, "out"); !given)
      return given;
  }
  return {};
}

} // namespace

} // namespace fanfare::c

using namespace fanfare::c;
using fanfare::result;

// -- calls --------------------------------------------------------------------

fanfare_code fanfare_list_calls(fanfare_engine* engine, uint32_t organizer,
                                uint64_t webhook, uint64_t before, size_t limit,
                                fanfare_calls** list, fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(
      it.calls(organizer, webhook, {.before = before, .limit = limit}),
      [&](auto found) { return give_list(std::move(found), list); });
  });
}

fanfare_code fanfare_test_webhook(fanfare_engine* engine, uint32_t organizer,
                                  uint64_t webhook, fanfare_calls** list,
                                  fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    using made = result<fanfare::test_call>;
    const auto done = std::make_shared<std::promise<made>>();
    it.test_webhook(organizer, webhook,
                    [done](made call) { done->set_value(std::move(call)); });
    return and_then(done->get_future().get(), [&](auto call) {
      return give_list({std::move(call.value)}, list);
    });
  });
}

size_t fanfare_count_calls(const fanfare_calls* list) {
  return list == nullptr ? 0 : list->all.size();
}

fanfare_code fanfare_get_call(const fanfare_calls* list, size_t at,
                              fanfare_call* out, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    if (at >= fanfare_count_calls(list))
      return bad("at", "The list has no such place.");
    return give(to_c(list->all[at]), out, "out");
  });
}

void fanfare_free_calls(fanfare_calls* list) {
  delete list;
}

// -- retries ------------------------------------------------------------------

fanfare_code fanfare_list_retries(fanfare_engine* engine, uint32_t organizer,
                                  uint64_t webhook, fanfare_retry* out,
                                  size_t capacity, size_t* count,
                                  fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(it.retries(organizer, webhook), [&](const auto& found) {
      if (count != nullptr)
        *count = found.size();
      return give_array(found, out, capacity);
    });
  });
}

fanfare_code fanfare_expedite_retries(fanfare_engine* engine,
                                      uint32_t organizer, uint64_t webhook,
                                      size_t* count, fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return put(it.expedite_retries(organizer, webhook), count);
  });
}

fanfare_code fanfare_drop_retries(fanfare_engine* engine, uint32_t organizer,
                                  uint64_t webhook, size_t* count,
                                  fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return put(it.drop_retries(organizer, webhook), count);
  });
}

fanfare_code fanfare_drop_retries_of(fanfare_engine* engine, uint32_t organizer,
                                     uint64_t webhook, const char* action_type,
                                     size_t* count, fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return put(it.drop_retries(organizer, webhook, to_text(action_type)),
               count);
  });
}

fanfare_code fanfare_resend(fanfare_engine* engine, uint32_t organizer,
                            uint64_t webhook, uint64_t call,
                            fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return it.resend(organizer, webhook, call);
  });
}

// -- health -------------------------------------------------------------------

fanfare_code fanfare_get_health(fanfare_engine* engine, uint32_t organizer,
                                uint64_t webhook, fanfare_health* out,
                                fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(it.health(organizer, webhook), [&](const auto& found) {
      return give(to_c(found), out, "out");
    });
  });
}

// -- replays ------------------------------------------------------------------

fanfare_code fanfare_start_replay(fanfare_engine* engine, uint32_t organizer,
                                  uint64_t webhook, int64_t since,
                                  int64_t until, int only_failed, double rate,
                                  fanfare_replay* out, fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(
      it.start_replay(organizer, webhook,
                      {.since = fanfare::timestamp{milliseconds{since}},
                       .until = fanfare::timestamp{milliseconds{until}},
                       .only_failed = only_failed != 0,
                       .rate = rate}),
      [&](const auto& started) {
        return out == nullptr ? result<void>{}
                              : give(to_c(started), out, "out");
      });
  });
}

fanfare_code fanfare_find_replay(fanfare_engine* engine, uint32_t organizer,
                                 uint64_t webhook, fanfare_replay* out,
                                 fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(it.find_replay(organizer, webhook), [&](const auto& found) {
      return give(to_c(found), out, "out");
    });
  });
}

fanfare_code fanfare_cancel_replay(fanfare_engine* engine, uint32_t organizer,
                                   uint64_t webhook, fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return it.cancel_replay(organizer, webhook);
  });
}
