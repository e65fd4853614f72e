// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/probes.hpp"

#include "protocol/rest/messages/answers.hpp"

#include <boost/json/object.hpp>

namespace fanfare::protocol::rest {

namespace {

http_response status_answer(const exchange& x, std::uint16_t code,
                            std::string_view status) {
  boost::json::object body;
  body["status"] = json_string(status);
  return json_answer(x, code, body);
}

} // namespace

http_response serve_healthz(const exchange& x) {
  return status_answer(x, 200, "ok");
}

http_response serve_readyz(const exchange& x) {
  return x.service.ready() ? status_answer(x, 200, "ready")
                           : status_answer(x, 503, "not ready");
}

} // namespace fanfare::protocol::rest
