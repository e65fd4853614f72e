// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// State shared by the connections of one I/O thread. Its worker owns it; all
/// but the inbox is for that thread only.

#include "protocol/server/body_budget.hpp"
#include "protocol/server/http_handler.hpp"
#include "protocol/server/http_server_options.hpp"
#include "protocol/server/inbox.hpp"
#include "protocol/server/response_head.hpp"
#include "protocol/server/tick_clock.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <utility>

namespace fanfare::protocol::server {

class connection;

struct worker_context {
  worker_context(const http_server_options& limits, http_handler& serve,
                 std::shared_ptr<inbox> put_here, body_queue queue,
                 std::chrono::milliseconds tick)
    : options(limits),
      handler(serve),
      answers(std::move(put_here)),
      bodies(std::move(queue)),
      clock(tick) {}

  const http_server_options& options;
  http_handler& handler;
  std::shared_ptr<inbox> answers;
  body_queue bodies;
  tick_clock clock;
  date_line date;
  /// The server stops: idle connections close, busy ones close afterwards.
  bool draining = false;
  /// Bytes of answers not yet taken by clients, over all connections.
  std::size_t unwritten = 0;
  /// Discarded input goes here.
  std::array<char, 64 * 1024> scratch;
  /// A connection joins when it starts and leaves when it is closed.
  std::list<std::shared_ptr<connection>> connections;
};

} // namespace fanfare::protocol::server
