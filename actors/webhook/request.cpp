// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/request.hpp"

#include "actors/webhook/batch.hpp"
#include "protocol/payload/composed_body.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare {

std::shared_ptr<delivery_order>
carry(delivery_queue& queue, notification_ptr what, attempt a, bool thin) {
  a.thin = thin;
  queue.begin(a);
  if (thin) {
    auto thinned = std::make_shared<notification>(*what);
    thinned->body = protocol::thin_body(what->body);
    what = std::move(thinned);
  }
  auto request = std::make_shared<delivery_order>();
  request->what = std::move(what);
  request->attempt = a.number;
  return request;
}

std::shared_ptr<delivery_order> carry_together(delivery_queue& queue,
                                               delivery_queue::source from,
                                               std::size_t count, bool thin) {
  auto request = std::make_shared<delivery_order>();
  request->members.reserve(count);
  request->attempt = 0;
  for (; count > 0; --count) {
    auto a = queue.attempt_of(from);
    a.thin = thin;
    queue.begin(a);
    request->attempt = std::max(request->attempt, a.number);
    request->members.push_back(queue.pop(from));
  }
  request->what = combine(request->members, thin);
  return request;
}

void prepare(delivery_order& request, delivery_plan& by, webhook_id to,
             const webhook_context& of, timestamp now) {
  request.wire = of.wire;
  request.to = by.to;
  request.by = by.by;
  request.limits = by.limits;
  request.started = now;
  const auto& what = *request.what;
  std::string own_trace;
  std::string_view trace = what.trace;
  if (of.shared.tracing != nullptr) {
    own_trace = of.shared.tracing->trace_of({.what = what,
                                             .members = request.members,
                                             .to = to,
                                             .attempt = request.attempt,
                                             .started = now});
    trace = own_trace;
  }
  if (!request.members.empty()) {
    request.headers = by.headers(protocol::batch_id(request.members), what.body,
                                 trace, now);
    return;
  }
  char id[24] = "msg_";
  const auto* end = std::to_chars(id + 4, std::end(id), what.id).ptr;
  request.headers = by.headers(
    std::string_view{id, static_cast<std::size_t>(end - id)}, what.body, trace,
    now);
}

attempt_result unsendable(delivery_order&& request, const delivery_plan& by,
                          timestamp now) {
  attempt_result failed{.what = std::move(request.what),
                        .members = std::move(request.members),
                        .to = nullptr,
                        .attempt = request.attempt,
                        .started = now,
                        .exchange = {}};
  failed.exchange.reason = by.error;
  if (by.lacking)
    failed.exchange.whose = protocol::fault::engine;
  return failed;
}

} // namespace fanfare
