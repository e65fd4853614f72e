// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One I/O thread of the HTTP server: its connections, and the tick on which
/// they check their deadlines.

#include "protocol/server/admission.hpp"
#include "protocol/server/body_budget.hpp"
#include "protocol/server/http_handler.hpp"
#include "protocol/server/http_server_options.hpp"
#include "protocol/server/inbox.hpp"
#include "protocol/server/stream.hpp"
#include "protocol/server/tls_identity.hpp"
#include "protocol/server/worker_context.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <thread>
#include <vector>

namespace fanfare::protocol::server {

using timer = boost::asio::basic_waitable_timer<
  std::chrono::steady_clock,
  boost::asio::wait_traits<std::chrono::steady_clock>, executor>;

class worker {
public:
  worker(const http_server_options& options, http_handler& handler,
         body_budget& budget);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker(); ///< finish()

  void start();
  /// Idle connections close now, the others when done. Any thread.
  void drain();
  /// Closes everything and joins the thread.
  void finish();

  [[nodiscard]] boost::asio::io_context& io() {
    return io_;
  }
  /// Serves a client. `identity` null: plain HTTP. On the I/O thread.
  void adopt(tcp_socket socket, admission::pass pass,
             const tls_identity* identity);

private:
  void run();
  void next_tick();
  void deliver();
  void resume_bodies();
  template <class Step>
  void for_each_connection(Step step);

  // Pending operations are destroyed with io_ and refer to the context.
  worker_context context_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<executor> work_;
  timer timer_;
  std::vector<inbox::entry> delivered_; // keeps its memory
  bool finished_ = false;               // nothing may be started any more
  std::thread thread_;
};

} // namespace fanfare::protocol::server
