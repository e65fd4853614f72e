// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Organizers, action types, events, webhooks and their secrets.

#include "engine/c/boundary.hpp"

struct fanfare_webhooks {
  struct entry {
    fanfare::webhook value;
    std::string action_types, events, headers;
  };
  std::vector<entry> all;
};

namespace fanfare::c {

namespace {

/// In place of a header's value.
constexpr std::string_view hidden = "***";

fanfare_webhook default_webhook() {
  fanfare_webhook to{};
  to.enabled = 1;
  to.all_events = 1;
  to.signing = FANFARE_SIGN_HMAC_SHA256;
  return to;
}

result<std::vector<delivery_settings::header>>
read_headers(const char* given,
             const std::vector<delivery_settings::header>& stored) {
  std::vector<delivery_settings::header> out;
  for (const auto& line : split(given, '\n')) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos)
      return bad("delivery.headers",
                 "Each line of headers must be \"Name: value\".");
    delivery_settings::header one{line.substr(0, colon),
                                  line.substr(colon + 2)};
    if (one.value.bytes() == hidden) {
      const auto kept = std::ranges::find(stored, one.name,
                                          &delivery_settings::header::name);
      if (kept == stored.end())
        return bad("delivery.headers", "There is no value of \"" + one.name
                                         + "\" to be kept: give it.");
      one.value = kept->value;
    }
    out.push_back(std::move(one));
  }
  return out;
}

fanfare_webhooks::entry entry_of(webhook one) {
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
  to.name = d.name.c_str();
  return to;
}

/// Writes what the struct says; what it cannot say, or is too short to say,
/// stays.
result<void> write(const fanfare_webhook* given, webhook& to) {
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
  d.signing = static_cast<signing_algorithm>(from.signing);
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
  d.name = to_text(from.name);
  return {};
}

result<void> give_list(std::vector<webhook> found, fanfare_webhooks** list) {
  if (list == nullptr)
    return bad_null("list");
  auto made = std::make_unique<fanfare_webhooks>();
  for (auto& one : found)
    made->all.push_back(entry_of(std::move(one)));
  *list = made.release();
  return {};
}

/// What receivers check signatures with.
result<void> give_key(const secret_view& from, char** text) {
  return give_text(from.secret.empty() ? from.public_key : from.secret, text);
}

} // namespace

} // namespace fanfare::c

using namespace fanfare::c;
using fanfare::result;

fanfare_code fanfare_ensure_organizer(fanfare_engine* engine, const char* slug,
                                      uint32_t* id, fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return put(it.ensure_organizer(to_text(slug)), id, &fanfare::organizer::id);
  });
}

fanfare_code fanfare_ensure_action_type(fanfare_engine* engine,
                                        const char* name,
                                        fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return it.ensure_action_type(to_text(name));
  });
}

fanfare_code fanfare_ensure_event(fanfare_engine* engine, uint32_t organizer,
                                  const char* slug, const char* name,
                                  fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) -> result<void> {
    if (it.find_event(organizer, to_text(slug)))
      return {};
    auto shown = to_text(name).empty() ? to_text(slug) : to_text(name);
    const auto added = it.add_event(organizer, to_text(slug), std::move(shown));
    if (!added && added.error().code != fanfare::ec::already_exists)
      return added.error();
    return {};
  });
}

void fanfare_webhook_init(fanfare_webhook* webhook, size_t size) {
  initialize(webhook, size, default_webhook());
}

fanfare_code fanfare_add_webhook(fanfare_engine* engine, uint32_t organizer,
                                 const fanfare_webhook* webhook, uint64_t* id,
                                 fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) -> result<void> {
    fanfare::webhook made;
    if (auto written = write(webhook, made); !written)
      return written;
    return put(it.add_webhook(organizer, made), id, &fanfare::webhook::id);
  });
}

fanfare_code fanfare_change_webhook(fanfare_engine* engine, uint32_t organizer,
                                    uint64_t id, const fanfare_webhook* webhook,
                                    fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return it.change_webhook(organizer, id, [webhook](fanfare::webhook& to) {
      return write(webhook, to);
    });
  });
}

fanfare_code fanfare_enable_webhook(fanfare_engine* engine, uint32_t organizer,
                                    uint64_t id, int enabled,
                                    fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return it.change_webhook(organizer, id,
                             [enabled](fanfare::webhook& to) -> result<void> {
                               to.enabled = enabled != 0;
                               return {};
                             });
  });
}

fanfare_code fanfare_list_webhooks(fanfare_engine* engine, uint32_t organizer,
                                   size_t offset, size_t limit,
                                   fanfare_webhooks** list,
                                   fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(
      it.webhooks(organizer, {.offset = offset, .limit = limit}),
      [&](auto found) { return give_list(std::move(found), list); });
  });
}

fanfare_code fanfare_find_webhook(fanfare_engine* engine, uint32_t organizer,
                                  uint64_t id, fanfare_webhooks** list,
                                  fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(it.find_webhook(organizer, id), [&](auto found) {
      return give_list({std::move(found)}, list);
    });
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
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(it.find_secret(organizer, webhook),
                    [&](const auto& found) { return give_key(found, text); });
  });
}

fanfare_code fanfare_rotate_secret(fanfare_engine* engine, uint32_t organizer,
                                   uint64_t webhook, const char* secret,
                                   int64_t overlap, char** text,
                                   fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(it.rotate_secret(organizer, webhook,
                                     {.secret = to_text(secret),
                                      .overlap = milliseconds{overlap}}),
                    [&](const auto& made) {
                      return text == nullptr ? result<void>{}
                                             : give_key(made, text);
                    });
  });
}
