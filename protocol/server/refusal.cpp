// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/refusal.hpp"

namespace fanfare::protocol::server {

http_response to_response(const refusal& why) {
  http_response out;
  out.status = why.status;
  out.headers.emplace_back("Content-Type", "application/json");
  if (why.status == 503 || why.status == 429)
    out.headers.emplace_back("Retry-After", "1");
  out.body.append(R"({"detail":")").append(why.detail).append("\"}");
  return out;
}

} // namespace fanfare::protocol::server
