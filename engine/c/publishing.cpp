// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Publishing, and what was published.

#include "engine/c/boundary.hpp"

namespace fanfare::c {

namespace {

result<std::vector<publication>> read_items(const fanfare_publication* items,
                                            std::size_t count) {
  if (items == nullptr)
    return bad_null("items");
  if (count == 0 || count > 1'000)
    return bad("count", "Publish 1 to 1000 notifications at once.");
  std::vector<publication> out;
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
std::function<void(result<std::vector<position>>)>
callback(fanfare_published done, void* user) {
  return [done, user](const result<std::vector<position>>& ids) {
    if (ids)
      return done(user, ids->front(), ids->size(), nullptr);
    fanfare_error e{};
    e.size = sizeof e;
    report(&e, ids.error());
    done(user, 0, 0, &e);
  };
}

} // namespace

} // namespace fanfare::c

using namespace fanfare::c;
using fanfare::result;

fanfare_code fanfare_publish(fanfare_engine* engine, uint32_t organizer,
                             const fanfare_publication* items, size_t count,
                             uint64_t* first, fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(read_items(items, count), [&](auto read) {
      return put(it.publish(organizer, std::move(read)), first,
                 [](const auto& ids) { return ids.front(); });
    });
  });
}

fanfare_code fanfare_try_publish(fanfare_engine* engine, uint32_t organizer,
                                 const fanfare_publication* items, size_t count,
                                 fanfare_published done, void* user,
                                 fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) -> result<void> {
    if (done == nullptr)
      return bad_null("done");
    return and_then(read_items(items, count), [&](auto read) {
      return it.try_publish(organizer, std::move(read), callback(done, user));
    });
  });
}

fanfare_code fanfare_publish_once(fanfare_engine* engine, uint32_t organizer,
                                  const void* key, size_t key_size,
                                  const fanfare_publication* items,
                                  size_t count, uint64_t* first,
                                  fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(read_items(items, count), [&](auto read) -> result<void> {
      if (key == nullptr)
        return bad_null("key");
      return put(it.publish_once(organizer,
                                 {static_cast<const char*>(key), key_size},
                                 std::move(read)),
                 first, [](const auto& ids) { return ids.front(); });
    });
  });
}

fanfare_code fanfare_get_body(fanfare_engine* engine, uint32_t organizer,
                              uint64_t notification, char** text,
                              fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return and_then(
      it.find_notification(organizer, notification),
      [&](const auto& found) { return give_text(found->body, text); });
  });
}
