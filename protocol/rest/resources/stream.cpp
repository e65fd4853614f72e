// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/stream.hpp"

#include "protocol/rest/access/authentication.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/negotiation.hpp"
#include "protocol/rest/stream/message.hpp"
#include "protocol/rest/stream/stream_hub.hpp"
#include "protocol/rest/stream/stream_query.hpp"

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

http_response head() {
  return {.headers = {{"Content-Type", "text/event-stream; charset=utf-8"},
                      {"Cache-Control", "no-store"},
                      // Tells nginx not to wait until a buffer is full.
                      {"X-Accel-Buffering", "no"}},
          .body = {}};
}

/// Where it begins. `failure` gets the answer to a wrong one.
std::optional<feed_place> first_place(const exchange& x,
                                      const stream_query& what,
                                      http_response& failure) {
  // What a client sends that was cut off is newer than its address.
  auto text = x.request.header("last-event-id");
  if (text.empty())
    text = x.query.last("last_event_id").value_or("");
  if (!text.empty()) {
    if (const auto place = read_place(text))
      return place;
    field_errors errors;
    errors.add("Last-Event-ID", "Must be the id of a message of this stream, "
                                "as in 1207.88.3.18f2c; leave it out to begin "
                                "with what happens from now on.");
    failure = errors.answer(x);
    return std::nullopt;
  }
  if (!what.since)
    return x.service.feed_end();
  const auto place = x.service.feed_at(*what.since);
  if (place)
    return *place;
  failure = answer_to(x, place.error());
  return std::nullopt;
}

http_response too_many(const exchange& x, const error& why) {
  auto out = refusal(x, why.field.empty() ? 503 : 429, why.detail);
  out.headers.emplace_back("Retry-After", "10");
  return out;
}

/// Begins it; else the answer.
std::optional<http_response> begin(const std::shared_ptr<exchange>& x) {
  if (!accepts(accept_header(x->request), "text", "event-stream"))
    return refusal(*x, 406, "Could not satisfy the request Accept header.");
  auto what = std::make_shared<stream_query>();
  if (auto failure = read_stream_query(*x, *what))
    return failure;
  http_response failure;
  const auto place = first_place(*x, *what, failure);
  if (!place)
    return failure;
  if (x->is("HEAD"))
    return head();
  auto& hub = *x->api.streams;
  auto seat = hub.take_seat(x->owner.id);
  if (!seat)
    return too_many(*x, seat.error());
  auto [writer, reader] = body_writer::make_open();
  auto answer = head();
  answer.stream = std::move(reader);
  x->respond(std::move(answer));
  hub.open({.what = std::move(what),
            .after = *place,
            .to = std::move(writer),
            .key = x->token ? std::string{key_of(*x)} : std::string{},
            .taken = std::move(*seat)});
  return std::nullopt;
}

} // namespace

void serve_stream(const std::shared_ptr<exchange>& x) {
  if (auto failure = begin(x))
    x->respond(std::move(*failure));
}

} // namespace fanfare::protocol::rest
