// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/idempotency_query.hpp"

#include "protocol/rest/access/idempotency.hpp"
#include "protocol/rest/messages/answers.hpp"

namespace fanfare::protocol::rest {

void serve_idempotency_query(const std::shared_ptr<exchange>& x) {
  const auto key = x->query.last("key").value_or("");
  if (key.empty())
    return x->respond(refusal(*x, 404, "No idempotency key given."));
  const auto id = make_idempotency_key(x->request.header("authorization"), key);
  if (x->api.running.contains(id))
    return x->respond(key_is_running(*x));
  x->api.run.blocking([x, id] {
    const auto kept = x->service.find_answer(id);
    x->respond(!kept   ? answer_to(*x, kept.error())
               : *kept ? to_response(**kept)
                       : refusal(*x, 404, "Idempotency key not seen before."));
  });
}

} // namespace fanfare::protocol::rest
