// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "bench/samples.hpp"

#include "protocol/client/answer_parser.hpp"
#include "protocol/security/vault.hpp"

#include <utility>

namespace fanfare::bench {

notification order_placed(position id) {
  return {.id = id,
          .published = published,
          .owner = owner,
          .event = event,
          .type = type,
          .action = "pretix.event.order.placed",
          .body = R"({"notification_id": )" + std::to_string(id)
                + R"(, "organizer": "bench", "event": "democon", )"
                  R"("action": "pretix.event.order.placed", "code": "ABC23", )"
                  R"("total": "142.00", "locale": "en", "positions": [)"
                  R"({"item": 11, "variation": null, "price": "71.00"}, )"
                  R"({"item": 12, "variation": 4, "price": "71.00"}], )"
                  R"("invoice": {"name": "Example \u00e9diteurs", )"
                  R"("country": "FR", "vat_id": "FR12345678901"}, )"
                  R"("payments": 1, "require_approval": false})"};
}

std::shared_ptr<const payload_filter> filter() {
  return payload_filter::parse(
           R"({"event": "democon", "code": {"$startsWith": "AB"},)"
           R"( "locale": {"$in": ["de", "en", "fr"]},)"
           R"( "invoice": {"country": {"$ne": "US"}}})")
    .value();
}

subscription_index index_of(std::size_t webhooks) {
  subscription_index index;
  for (webhook_id id = 1; id <= 2 * webhooks; ++id) {
    subscription wanted;
    wanted.types = {2, 5};
    // Of those that want it one half has chosen the event.
    if (id % 200 < 2) {
      wanted.types = {2, type, 5};
      wanted.all_events = id % 400 < 2;
      if (!wanted.all_events)
        wanted.events = {event - 1, event, event + 1};
    }
    index.put(id, id % 2 == 0 ? owner : owner + 1, wanted);
  }
  return index;
}

webhook_record signed_webhook(std::initializer_list<std::string_view> secrets) {
  const protocol::vault without_key;
  webhook_record hook;
  hook.id = 1;
  hook.owner = owner;
  hook.target_url = "http://receiver.example.org:8080/hooks/tickets?shop=7";
  hook.versions.push_back(
    {.from = 1, .since = published, .value = {.events = {}, .types = {type}}});
  for (const auto text : secrets)
    hook.secrets.push_back({.sealed = without_key.seal(text, "secret"),
                            .created = published,
                            .expires = {}});
  return hook;
}

protocol::exchange_result read_answer(std::string_view bytes,
                                      const protocol::exchange_limits& limits) {
  protocol::exchange_result out;
  protocol::answer_parser parser{out, limits};
  parser.take(bytes);
  return out;
}

call delivered(webhook_id hook, position subject) {
  using std::chrono::microseconds;
  call entry;
  entry.hook = hook;
  entry.subject = subject;
  entry.settled_upto = subject;
  entry.time = published;
  entry.status = 200;
  entry.timings.first_byte = microseconds{412};
  entry.timings.total = microseconds{437};
  entry.target_url = "http://receiver.example.org:8080/hooks/tickets?shop=7";
  entry.response_head = "Server: nginx/1.22.1\r\n"
                        "Date: Tue, 22 Sep 2026 13:33:20 GMT\r\n"
                        "Content-Type: text/plain\r\n"
                        "Content-Length: 3\r\n"
                        "Connection: keep-alive\r\n";
  entry.response_body = "ok\n";
  return entry;
}

} // namespace fanfare::bench
