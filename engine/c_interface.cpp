// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The interface for C. It is written on the public one for C++ and on nothing
// below.

#include "fanfare/engine.hpp"
#include "fanfare/fanfare.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <future>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct fanfare_engine {
  std::unique_ptr<fanfare::engine> it;
};

struct fanfare_webhooks {
  struct entry {
    fanfare::webhook value;
    std::string action_types, events, headers;
  };
  std::vector<entry> all;
};

struct fanfare_calls {
  std::vector<fanfare::call> all;
};

namespace {

using fanfare::ec;
using fanfare::result;
using std::chrono::milliseconds;

constexpr std::string_view hidden = "***";

// -- errors -------------------------------------------------------------------

template <std::size_t Size>
void put_text(char (&to)[Size], std::string_view text) {
  auto size = std::min(text.size(), Size - 1);
  while (size < text.size() && size > 0
         && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
    --size; // not in the middle of a character
  std::memcpy(to, text.data(), size);
  to[size] = '\0';
}

/// Fills the members that a program of any version has declared.
fanfare_code tell(fanfare_error* to, int code, std::string_view detail,
                  std::string_view field) {
  const auto has = [to](const auto& member) {
    const auto* end = reinterpret_cast<const char*>(&member + 1);
    return end <= reinterpret_cast<const char*>(to) + to->size;
  };
  if (to != nullptr && has(to->code)) {
    to->code = code;
    if (has(to->detail))
      put_text(to->detail, detail);
    if (has(to->field))
      put_text(to->field, field);
  }
  return static_cast<fanfare_code>(code);
}

fanfare_code tell(fanfare_error* to, const fanfare::error& e) {
  return tell(to, static_cast<int>(e.code), e.detail, e.field);
}

/// Runs `body`, which returns a result<void>; what it throws becomes a code.
template <class Body>
fanfare_code guarded(fanfare_error* to, Body&& body) noexcept {
  try {
    const result<void> done = body();
    return done ? FANFARE_OK : tell(to, done.error());
  } catch (const std::bad_alloc&) {
    return tell(to, FANFARE_OUT_OF_MEMORY, "There is no memory left.", "");
  } catch (const std::exception& e) {
    return tell(to, FANFARE_INTERNAL, e.what(), "");
  } catch (...) {
    return tell(to, FANFARE_INTERNAL, "An unknown exception.", "");
  }
}

fanfare::error bad(std::string field, std::string sentence) {
  return {ec::invalid_argument, std::move(sentence), std::move(field)};
}

// -- structs ------------------------------------------------------------------

/// Takes a struct of a program that may be older or newer.
template <class Struct>
result<void> take(const Struct* from, Struct& to, const char* name) {
  if (from == nullptr)
    return bad(name, "It must not be NULL.");
  if (from->size < sizeof(std::size_t))
    return bad("size", std::string{"Set the size of "} + name
                         + " to sizeof its struct.");
  const auto known = std::min(from->size, sizeof to);
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  if (std::any_of(bytes + known, bytes + from->size,
                  [](unsigned char c) { return c != 0; }))
    return bad("size", std::string{name}
                         + " says something that this version of Fanfare does "
                           "not know: use a newer one.");
  std::memcpy(&to, from, known);
  to.size = sizeof to;
  return {};
}

/// Fills a struct of a program that may be older or newer.
template <class Struct>
result<void> give(Struct from, Struct* to, const char* name) {
  if (to == nullptr)
    return bad(name, "It must not be NULL.");
  if (to->size < sizeof(std::size_t))
    return bad("size", std::string{"Set the size of "} + name
                         + " to sizeof its struct.");
  from.size = to->size;
  const auto known = std::min(to->size, sizeof from);
  std::memcpy(to, &from, known);
  std::memset(reinterpret_cast<char*>(to) + known, 0, to->size - known);
  return {};
}

template <class Struct>
void initialize(Struct* to, std::size_t size, Struct defaults) {
  if (to == nullptr || size < sizeof(std::size_t))
    return;
  to->size = size;
  (void)give(defaults, to, "");
}

// -- values -------------------------------------------------------------------

std::string to_text(const char* from) {
  return from == nullptr ? std::string{} : std::string{from};
}

std::vector<std::string> split(const char* from, char at) {
  std::vector<std::string> parts;
  for (std::string_view rest = from == nullptr ? "" : from; !rest.empty();) {
    const auto end = std::min(rest.find(at), rest.size());
    if (end > 0)
      parts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, char by) {
  std::string out;
  for (const auto& part : parts)
    (out.empty() ? out : out += by) += part;
  return out;
}

std::int64_t since_epoch(fanfare::timestamp t) {
  return t.time_since_epoch().count();
}

std::int64_t since_epoch(const std::optional<fanfare::timestamp>& t) {
  return t ? since_epoch(*t) : 0;
}

result<void> give_text(const std::string& from, char** to) {
  if (to == nullptr)
    return bad("text", "It must not be NULL.");
  auto* made = static_cast<char*>(std::malloc(from.size() + 1));
  if (made == nullptr)
    throw std::bad_alloc{};
  std::memcpy(made, from.c_str(), from.size() + 1);
  *to = made;
  return {};
}

fanfare_call to_c(const fanfare::call& from) {
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
  to.replay = from.replay ? 1 : 0;
  to.target_url = from.target_url.c_str();
  to.reason = from.reason.c_str();
  to.response_head = from.response_head.c_str();
  to.response_body = from.response_body.c_str();
  to.response_body_size = from.response_body.size();
  return to;
}

fanfare_replay to_c(const fanfare::replay_progress& from) {
  fanfare_replay to{};
  to.state = static_cast<std::int32_t>(from.state);
  to.count = from.count;
  to.skipped = from.skipped;
  to.queued = from.queued;
  to.waiting = from.waiting;
  return to;
}

result<fanfare::engine*> of(const fanfare_engine* engine) {
  if (engine == nullptr)
    return bad("engine", "It must not be NULL: start one.");
  return engine->it.get();
}

// -- options ------------------------------------------------------------------

fanfare_options default_options() {
  const fanfare::engine_options standard;
  fanfare_options to{};
  to.max_age = standard.max_age.count();
  to.retention = standard.retention.count();
  to.max_in_flight = static_cast<std::uint32_t>(standard.max_in_flight);
  to.max_per_destination = static_cast<std::uint32_t>(
    standard.max_per_destination);
  to.max_per_organizer = static_cast<std::uint32_t>(standard.max_per_organizer);
  to.breaker_failures = standard.breaker_failures;
  to.breaker_pause = standard.breaker_pause.count();
  to.disable_after = standard.disable_after.count();
  to.window = static_cast<std::uint32_t>(standard.window);
  to.dns_timeout = standard.dns_timeout.count();
  to.connect_timeout = standard.connect_timeout.count();
  to.tls_timeout = standard.tls_timeout.count();
  to.first_byte_timeout = standard.first_byte_timeout.count();
  to.total_timeout = standard.total_timeout.count();
  to.max_store_size = standard.max_store_size;
  to.publish_patience = standard.publish_patience.count();
  return to;
}

result<fanfare::engine_options> read_options(const fanfare_options* given) {
  auto from = default_options();
  if (auto taken = take(given, from, "options"); !taken)
    return taken.error();
  if (to_text(from.data).empty())
    return bad("data", "Name the directory of the store.");
  fanfare::engine_options to;
  to.data = from.data;
  to.threads = from.threads;
  to.allow_networks = split(from.allow_networks, ',');
  to.deny_networks = split(from.deny_networks, ',');
  to.dns_servers = split(from.dns_servers, ',');
  to.proxy = to_text(from.proxy);
  to.ca_file = to_text(from.ca_file);
  to.secret_keys = to_text(from.secret_keys);
  to.secret_key_file = to_text(from.secret_key_file);
  if (from.schedule != nullptr)
    for (std::size_t i = 0; i < from.schedule_count; ++i)
      to.schedule.emplace_back(from.schedule[i]);
  to.max_age = milliseconds{from.max_age};
  to.retention = milliseconds{from.retention};
  to.max_in_flight = from.max_in_flight;
  to.max_per_destination = from.max_per_destination;
  to.max_per_organizer = from.max_per_organizer;
  to.breaker_failures = from.breaker_failures;
  to.breaker_pause = milliseconds{from.breaker_pause};
  to.disable_after = milliseconds{from.disable_after};
  to.window = from.window;
  to.dns_timeout = milliseconds{from.dns_timeout};
  to.connect_timeout = milliseconds{from.connect_timeout};
  to.tls_timeout = milliseconds{from.tls_timeout};
  to.first_byte_timeout = milliseconds{from.first_byte_timeout};
  to.total_timeout = milliseconds{from.total_timeout};
  to.max_store_size = from.max_store_size;
  to.publish_patience = milliseconds{from.publish_patience};
  if (from.log != nullptr)
    to.log = [log = from.log, user = from.log_user](fanfare::log_level level,
                                                    const std::string& line) {
      log(user, static_cast<std::int32_t>(level), line.c_str());
    };
  if (from.on_fatal != nullptr)
    to.on_fatal = [tell = from.on_fatal, user = from.on_fatal_user](
                    const std::string& why) { tell(user, why.c_str()); };
  if (from.on_call != nullptr)
    to.call_observers.emplace_back(
      [tell = from.on_call,
       user = from.on_call_user](const fanfare::call& made) {
        auto shown = to_c(made);
        shown.size = sizeof shown;
        tell(user, &shown);
      });
  return to;
}

// -- webhooks -----------------------------------------------------------------

fanfare_webhook default_webhook() {
  fanfare_webhook to{};
  to.enabled = 1;
  to.all_events = 1;
  to.signing = FANFARE_SIGN_HMAC_SHA256;
  return to;
}

result<std::vector<fanfare::delivery_settings::header>>
read_headers(const char* given,
             const std::vector<fanfare::delivery_settings::header>& stored) {
  std::vector<fanfare::delivery_settings::header> out;
  for (const auto& line : split(given, '\n')) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos)
      return bad("delivery.headers",
                 "Each line of headers must be \"Name: value\".");
    fanfare::delivery_settings::header one{line.substr(0, colon),
                                           line.substr(colon + 2)};
    if (one.value.bytes() == hidden) {
      const auto kept = std::ranges::find(
        stored, one.name, &fanfare::delivery_settings::header::name);
      if (kept == stored.end())
        return bad("delivery.headers", "There is no value of \"" + one.name
                                         + "\" to be kept: give it.");
      one.value = kept->value;
    }
    out.push_back(std::move(one));
  }
  return out;
}

fanfare_webhooks::entry entry_of(fanfare::webhook one) {
  fanfare_webhooks::entry e;
  e.action_types = join(one.action_types, ',');
  e.events = join(one.events, ',');
  for (const auto& h : one.delivery.headers)
    e.headers.append(e.headers.empty() ? "" : "\n")
      .append(h.name)
      .append(": ")
      .append(hidden);
  e.value = std::move(one);
  return e;
}

fanfare_webhook to_c(const fanfare_webhooks::entry& from) {
  const auto& w = from.value;
  const auto& d = w.delivery;
  auto to = default_webhook();
  to.id = w.id;
  to.organizer = w.owner;
  to.enabled = w.enabled ? 1 : 0;
  to.all_events = w.all_events ? 1 : 0;
  to.target_url = w.target_url.c_str();
  to.action_types = from.action_types.c_str();
  to.events = from.events.c_str();
  to.filter = w.filter.c_str();
  to.comment = w.comment ? w.comment->c_str() : "";
  to.signing = static_cast<std::int32_t>(d.signing);
  to.ordered = d.ordered ? 1 : 0;
  to.paused = d.paused ? 1 : 0;
  to.put = d.put ? 1 : 0;
  to.thin = d.thin ? 1 : 0;
  to.max_in_flight = d.max_in_flight.value_or(0);
  to.total_timeout = d.timeouts.total.value_or(milliseconds{0}).count();
  to.max_age = d.max_age.value_or(milliseconds{0}).count();
  if (d.rate_limit) {
    to.rate_count = d.rate_limit->count;
    to.rate_period = d.rate_limit->period.count();
  }
  if (d.batch) {
    to.batch_count = d.batch->max_count;
    to.batch_wait = d.batch->max_wait.count();
  }
  to.headers = from.headers.c_str();
  return to;
}

/// Writes what the struct says; what it cannot say, or is too short to say,
/// stays.
result<void> write(const fanfare_webhook* given, fanfare::webhook& to) {
  const auto stored = entry_of(to);
  auto from = to_c(stored);
  if (auto taken = take(given, from, "webhook"); !taken)
    return taken;
  auto headers = read_headers(from.headers, to.delivery.headers);
  if (!headers)
    return headers.error();
  if (from.signing < FANFARE_SIGN_NONE || from.signing > FANFARE_SIGN_ED25519)
    return bad("delivery.signing", "It is no fanfare_signing.");
  to.target_url = to_text(from.target_url);
  to.action_types = split(from.action_types, ',');
  to.enabled = from.enabled != 0;
  to.all_events = from.all_events != 0;
  to.events = split(from.events, ',');
  to.filter = to_text(from.filter);
  to.comment.reset();
  if (!to_text(from.comment).empty())
    to.comment = from.comment;
  auto& d = to.delivery;
  const auto time = [](std::int64_t value) {
    return value == 0 ? std::optional<milliseconds>{} : milliseconds{value};
  };
  d.signing = static_cast<fanfare::signing_algorithm>(from.signing);
  d.ordered = from.ordered != 0;
  d.paused = from.paused != 0;
  d.put = from.put != 0;
  d.thin = from.thin != 0;
  d.max_in_flight.reset();
  if (from.max_in_flight != 0)
    d.max_in_flight = from.max_in_flight;
  d.timeouts.total = time(from.total_timeout);
  d.max_age = time(from.max_age);
  d.rate_limit.reset();
  if (from.rate_count != 0)
    d.rate_limit = {.count = from.rate_count,
                    .period = milliseconds{from.rate_period}};
  d.batch.reset();
  if (from.batch_count != 0)
    d.batch = {.max_count = from.batch_count,
               .max_wait = milliseconds{from.batch_wait}};
  d.headers = std::move(*headers);
  return {};
}

result<void> give_list(std::vector<fanfare::webhook> found,
                       fanfare_webhooks** list) {
  if (list == nullptr)
    return bad("list", "It must not be NULL.");
  auto made = std::make_unique<fanfare_webhooks>();
  for (auto& one : found) {
    made->all.push_back(entry_of(std::move(one)));
  }
  *list = made.release();
  return {};
}

result<void> give_list(std::vector<fanfare::call> found, fanfare_calls** list) {
  if (list == nullptr)
    return bad("list", "It must not be NULL.");
  *list = new fanfare_calls{std::move(found)};
  return {};
}

// -- publishing ---------------------------------------------------------------

result<std::vector<fanfare::publication>>
read_items(const fanfare_publication* items, std::size_t count) {
  if (items == nullptr)
    return bad("items", "It must not be NULL.");
  if (count == 0 || count > 1'000)
    return bad("count", "Publish 1 to 1000 notifications at once.");
  std::vector<fanfare::publication> out;
  out.reserve(count);
  const auto stride = items->size;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* at = reinterpret_cast<const fanfare_publication*>(
      reinterpret_cast<const char*>(items) + i * stride);
    fanfare_publication one{};
    if (at->size != stride)
      return bad("size",
                 "All items of a list must have the size of the first.");
    if (auto taken = take(at, one, "items"); !taken)
      return taken.error();
    out.push_back({.action = to_text(one.action),
                   .event = to_text(one.event),
                   .payload = to_text(one.payload),
                   .trace = to_text(one.trace)});
  }
  return out;
}

/// A program's callback as the engine's.
fanfare::engine::published told(fanfare_published done, void* user) {
  return [done, user](const result<std::vector<fanfare::position>>& ids) {
    if (ids)
      return done(user, ids->front(), ids->size(), nullptr);
    fanfare_error e{};
    e.size = sizeof e;
    tell(&e, ids.error());
    done(user, 0, 0, &e);
  };
}

} // namespace

// -- texts --------------------------------------------------------------------

const char* fanfare_code_name(int32_t code) {
  if (code == FANFARE_OUT_OF_MEMORY)
    return "out_of_memory";
  return code < 0 || code > FANFARE_INTERNAL
         ? "unknown"
         : fanfare::to_string(static_cast<ec>(code)).data();
}

const char* fanfare_version(void) {
  return fanfare::version.data();
}

void fanfare_free_text(char* text) {
  std::free(text);
}

// -- the engine ---------------------------------------------------------------

void fanfare_options_init(fanfare_options* options, size_t size) {
  initialize(options, size, default_options());
}

fanfare_code fanfare_start(const fanfare_options* options,
                           fanfare_engine** engine, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    if (engine == nullptr)
      return bad("engine", "It must not be NULL.");
    auto read = read_options(options);
    if (!read)
      return read.error();
    auto started = fanfare::engine::start(std::move(*read));
    if (!started)
      return started.error();
    *engine = new fanfare_engine{*std::move(started)};
    return {};
  });
}

void fanfare_stop(fanfare_engine* engine, int64_t deadline) {
  guarded(nullptr, [&]() -> result<void> {
    if (engine != nullptr)
      engine->it->stop(milliseconds{std::max<std::int64_t>(deadline, 0)});
    return {};
  });
}

void fanfare_free(fanfare_engine* engine) {
  guarded(nullptr, [&]() -> result<void> {
    delete engine;
    return {};
  });
}

int fanfare_ready(const fanfare_engine* engine) {
  return engine != nullptr && engine->it->ready() ? 1 : 0;
}

void fanfare_wake(fanfare_engine* engine) {
  guarded(nullptr, [&]() -> result<void> {
    if (engine != nullptr)
      engine->it->wake();
    return {};
  });
}

fanfare_code fanfare_get_statistics(const fanfare_engine* engine,
                                    fanfare_statistics* out,
                                    fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto from = (*it)->statistics();
    fanfare_statistics to{};
    to.registered_webhooks = from.registered_webhooks;
    to.active_webhooks = from.active_webhooks;
    to.in_flight = from.in_flight;
    to.newest_notification = from.tail;
    to.routed_notification = from.routed_upto;
    to.newest_call = from.last_call;
    to.store_bytes = from.store_bytes;
    return give(to, out, "out");
  });
}

fanfare_code fanfare_get_metrics(const fanfare_engine* engine, char** text,
                                 fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    return it ? give_text(fanfare::prometheus_text((*it)->metrics()), text)
              : it.error();
  });
}

// -- registry -----------------------------------------------------------------

fanfare_code fanfare_ensure_organizer(fanfare_engine* engine, const char* slug,
                                      uint32_t* id, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto found = (*it)->ensure_organizer(to_text(slug));
    if (!found)
      return found.error();
    if (id != nullptr)
      *id = found->id;
    return {};
  });
}

fanfare_code fanfare_ensure_action_type(fanfare_engine* engine,
                                        const char* name,
                                        fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto found = (*it)->ensure_action_type(to_text(name));
    return found ? result<void>{} : found.error();
  });
}

fanfare_code fanfare_ensure_event(fanfare_engine* engine, uint32_t organizer,
                                  const char* slug, const char* name,
                                  fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    if ((*it)->find_event(organizer, to_text(slug)))
      return {};
    auto shown = to_text(name).empty() ? to_text(slug) : to_text(name);
    const auto added = (*it)->add_event(organizer, to_text(slug),
                                        std::move(shown));
    return added || added.error().code == ec::already_exists ? result<void>{}
                                                             : added.error();
  });
}

void fanfare_webhook_init(fanfare_webhook* webhook, size_t size) {
  initialize(webhook, size, default_webhook());
}

fanfare_code fanfare_add_webhook(fanfare_engine* engine, uint32_t organizer,
                                 const fanfare_webhook* webhook, uint64_t* id,
                                 fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    fanfare::webhook made;
    if (auto written = write(webhook, made); !written)
      return written;
    const auto added = (*it)->add_webhook(organizer, std::move(made));
    if (!added)
      return added.error();
    if (id != nullptr)
      *id = added->id;
    return {};
  });
}

fanfare_code fanfare_change_webhook(fanfare_engine* engine, uint32_t organizer,
                                    uint64_t id, const fanfare_webhook* webhook,
                                    fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto changed = (*it)->change_webhook(
      organizer, id,
      [webhook](fanfare::webhook& stored) { return write(webhook, stored); });
    return changed ? result<void>{} : changed.error();
  });
}

fanfare_code fanfare_enable_webhook(fanfare_engine* engine, uint32_t organizer,
                                    uint64_t id, int enabled,
                                    fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto changed = (*it)->change_webhook(
      organizer, id, [enabled](fanfare::webhook& stored) -> result<void> {
        stored.enabled = enabled != 0;
        return {};
      });
    return changed ? result<void>{} : changed.error();
  });
}

fanfare_code fanfare_list_webhooks(fanfare_engine* engine, uint32_t organizer,
                                   size_t offset, size_t limit,
                                   fanfare_webhooks** list,
                                   fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    auto found = (*it)->webhooks(organizer, {}, offset, limit);
    return found ? give_list(*std::move(found), list) : found.error();
  });
}

fanfare_code fanfare_find_webhook(fanfare_engine* engine, uint32_t organizer,
                                  uint64_t id, fanfare_webhooks** list,
                                  fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    auto found = (*it)->find_webhook(organizer, id);
    return found ? give_list({*std::move(found)}, list) : found.error();
  });
}

size_t fanfare_count_webhooks(const fanfare_webhooks* list) {
  return list == nullptr ? 0 : list->all.size();
}

fanfare_code fanfare_get_webhook(const fanfare_webhooks* list, size_t at,
                                 fanfare_webhook* out, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    if (at >= fanfare_count_webhooks(list))
      return bad("at", "The list has no such place.");
    return give(to_c(list->all[at]), out, "out");
  });
}

void fanfare_free_webhooks(fanfare_webhooks* list) {
  delete list;
}

fanfare_code fanfare_get_secret(fanfare_engine* engine, uint32_t organizer,
                                uint64_t webhook, char** text,
                                fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto found = (*it)->find_secret(organizer, webhook);
    if (!found)
      return found.error();
    return give_text(found->secret.empty() ? found->public_key : found->secret,
                     text);
  });
}

fanfare_code fanfare_rotate_secret(fanfare_engine* engine, uint32_t organizer,
                                   uint64_t webhook, const char* secret,
                                   int64_t overlap, char** text,
                                   fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto made = (*it)->rotate_secret(
      organizer, webhook,
      {.secret = to_text(secret), .overlap = milliseconds{overlap}});
    if (!made)
      return made.error();
    return text == nullptr
           ? result<void>{}
           : give_text(made->secret.empty() ? made->public_key : made->secret,
                       text);
  });
}

// -- publishing ---------------------------------------------------------------

fanfare_code fanfare_publish(fanfare_engine* engine, uint32_t organizer,
                             const fanfare_publication* items, size_t count,
                             uint64_t* first, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    auto read = read_items(items, count);
    if (!read)
      return read.error();
    const auto ids = (*it)->publish_all(organizer, std::move(*read));
    if (!ids)
      return ids.error();
    if (first != nullptr)
      *first = ids->front();
    return {};
  });
}

fanfare_code fanfare_publish_callback(fanfare_engine* engine,
                                      uint32_t organizer,
                                      const fanfare_publication* items,
                                      size_t count, fanfare_published done,
                                      void* user, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    if (done == nullptr)
      return bad("done", "It must not be NULL.");
    auto read = read_items(items, count);
    if (!read)
      return read.error();
    return (*it)->publish_waiting(organizer, std::move(*read),
                                  told(done, user));
  });
}

fanfare_code fanfare_try_publish(fanfare_engine* engine, uint32_t organizer,
                                 const fanfare_publication* items, size_t count,
                                 fanfare_published done, void* user,
                                 fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    if (done == nullptr)
      return bad("done", "It must not be NULL.");
    auto read = read_items(items, count);
    if (!read)
      return read.error();
    return (*it)->try_publish(organizer, std::move(*read), told(done, user));
  });
}

fanfare_code fanfare_publish_idempotent(fanfare_engine* engine,
                                        uint32_t organizer,
                                        const fanfare_publication* item,
                                        const void* key, size_t key_size,
                                        uint64_t* id, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    auto read = read_items(item, 1);
    if (!read)
      return read.error();
    if (key == nullptr)
      return bad("key", "It must not be NULL.");
    const auto published = (*it)->publish_idempotent(
      organizer, std::move(read->front()),
      {static_cast<const char*>(key), key_size});
    if (!published)
      return published.error();
    if (id != nullptr)
      *id = *published;
    return {};
  });
}

fanfare_code fanfare_get_body(fanfare_engine* engine, uint32_t organizer,
                              uint64_t notification, char** text,
                              fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto found = (*it)->find_notification(organizer, notification);
    return found ? give_text((*found)->body, text) : found.error();
  });
}

// -- what became of it --------------------------------------------------------

fanfare_code fanfare_list_calls(fanfare_engine* engine, uint32_t organizer,
                                uint64_t webhook, uint64_t before, size_t limit,
                                fanfare_calls** list, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    auto found = (*it)->calls(organizer, webhook, before, limit);
    return found ? give_list(*std::move(found), list) : found.error();
  });
}

fanfare_code fanfare_test_webhook(fanfare_engine* engine, uint32_t organizer,
                                  uint64_t webhook, fanfare_calls** list,
                                  fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    for (const auto& o : (*it)->organizers())
      if (o.id == organizer) {
        auto
          done = std::make_shared<std::promise<result<fanfare::test_call>>>();
        auto made = done->get_future();
        (*it)->test_webhook(o, webhook, [done](result<fanfare::test_call> c) {
          done->set_value(std::move(c));
        });
        auto call = made.get();
        return call ? give_list({std::move(call->value)}, list) : call.error();
      }
    return fanfare::error{ec::not_found, "There is no such organizer.",
                          "organizer"};
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

fanfare_code fanfare_list_retries(fanfare_engine* engine, uint32_t organizer,
                                  uint64_t webhook, fanfare_retry* out,
                                  size_t capacity, size_t* count,
                                  fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto found = (*it)->retries(organizer, webhook);
    if (!found)
      return found.error();
    if (count != nullptr)
      *count = found->size();
    if (out == nullptr || capacity == 0)
      return {};
    const auto stride = out->size;
    for (std::size_t i = 0; i < std::min(capacity, found->size()); ++i) {
      auto* at = reinterpret_cast<fanfare_retry*>(reinterpret_cast<char*>(out)
                                                  + i * stride);
      const auto& from = (*found)[i];
      fanfare_retry to{};
      to.notification = from.subject;
      to.due = since_epoch(from.due);
      to.attempt = from.attempt;
      to.replay = from.replay ? 1 : 0;
      at->size = stride;
      if (auto given = give(to, at, "out"); !given)
        return given;
    }
    return {};
  });
}

fanfare_code fanfare_expedite_retries(fanfare_engine* engine,
                                      uint32_t organizer, uint64_t webhook,
                                      size_t* count, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto done = (*it)->expedite_retries(organizer, webhook);
    if (!done)
      return done.error();
    if (count != nullptr)
      *count = *done;
    return {};
  });
}

fanfare_code fanfare_drop_retries(fanfare_engine* engine, uint32_t organizer,
                                  uint64_t webhook, size_t* count,
                                  fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto done = (*it)->drop_retries(organizer, webhook);
    if (!done)
      return done.error();
    if (count != nullptr)
      *count = *done;
    return {};
  });
}

fanfare_code fanfare_resend(fanfare_engine* engine, uint32_t organizer,
                            uint64_t webhook, uint64_t call,
                            fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto done = (*it)->resend(organizer, webhook, call);
    return done ? result<void>{} : done.error();
  });
}

fanfare_code fanfare_get_health(fanfare_engine* engine, uint32_t organizer,
                                uint64_t webhook, fanfare_health* out,
                                fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto from = (*it)->health(organizer, webhook);
    if (!from)
      return from.error();
    fanfare_health to{};
    to.verdict = static_cast<std::int32_t>(from->status);
    to.backlog_complete = from->backlog_complete ? 1 : 0;
    to.calls = from->calls;
    to.successes = from->successes;
    to.retries = from->retries;
    to.backlog = from->backlog;
    to.next_retry = since_epoch(from->next_retry);
    to.last_success = since_epoch(from->last_success);
    return give(to, out, "out");
  });
}

fanfare_code fanfare_start_replay(fanfare_engine* engine, uint32_t organizer,
                                  uint64_t webhook, int64_t since,
                                  int64_t until, int only_failed, double rate,
                                  fanfare_replay* out, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto started = (*it)->start_replay(
      organizer, webhook,
      {.since = fanfare::timestamp{milliseconds{since}},
       .until = fanfare::timestamp{milliseconds{until}},
       .only_failed = only_failed != 0,
       .rate = rate});
    if (!started)
      return started.error();
    return out == nullptr ? result<void>{} : give(to_c(*started), out, "out");
  });
}

fanfare_code fanfare_find_replay(fanfare_engine* engine, uint32_t organizer,
                                 uint64_t webhook, fanfare_replay* out,
                                 fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    const auto found = (*it)->find_replay(organizer, webhook);
    return found ? give(to_c(*found), out, "out") : found.error();
  });
}

fanfare_code fanfare_cancel_replay(fanfare_engine* engine, uint32_t organizer,
                                   uint64_t webhook, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    const auto it = of(engine);
    if (!it)
      return it.error();
    return (*it)->cancel_replay(organizer, webhook);
  });
}
