// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/worker.hpp"

#include "model/without_signals.hpp"
#include "protocol/server/connection.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace fanfare::protocol::server {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// A deadline is noticed within an eighth of the shortest one.
std::chrono::milliseconds tick_of(const http_server_options& options) {
  const auto shortest = std::min(
    {options.handshake_timeout, options.head_timeout, options.body_timeout,
     options.idle_timeout, options.open_body_timeout});
  return std::clamp(shortest / 8, std::chrono::milliseconds{5ms},
                    std::chrono::milliseconds{250ms});
}

} // namespace

worker::worker(const http_server_options& options, http_handler& handler,
               body_budget& budget)
  : context_(
    options, handler,
    std::make_shared<inbox>([this] { asio::post(io_, [this] { deliver(); }); }),
    body_queue{budget,
               [this] { asio::post(io_, [this] { resume_bodies(); }); }},
    tick_of(options)),
    work_(io_.get_executor()),
    timer_(io_.get_executor()) {}

worker::~worker() {
  finish();
}

void worker::start() {
  next_tick();
  const without_signals blocked;
  thread_ = std::thread{[this] { run(); }};
}

void worker::run() {
  context_.answers->belong_to_this_thread();
  for (;;)
    try {
      io_.run();
      return;
    } catch (...) { // out of memory where no connection is at fault: go on
    }
}

void worker::next_tick() {
  timer_.expires_after(context_.clock.length());
  timer_.async_wait([this](const boost::system::error_code& ec) {
    // A tick that was due before cancel() comes without an error.
    if (ec || finished_)
      return;
    context_.clock.advance();
    for_each_connection(
      [this](connection& each) { each.check(context_.clock.now()); });
    // Room that another thread's connections gave back is found here.
    resume_bodies();
    next_tick();
  });
}

void worker::drain() {
  asio::post(io_, [this] {
    context_.draining = true;
    for_each_connection([](connection& each) { each.drain(); });
  });
}

void worker::finish() {
  if (!thread_.joinable())
    return;
  asio::post(io_, [this] {
    context_.draining = finished_ = true;
    for_each_connection([](connection& each) { each.close(); });
    timer_.cancel();
    work_.reset(); // run() returns after the aborted operations
  });
  thread_.join();
  context_.answers->close();
}

void worker::adopt(tcp_socket socket, admission::pass pass,
                   const tls_identity* identity) {
  const bool refused = pass.how() != admission::verdict::admitted;
  if (context_.draining || (identity != nullptr && refused))
    return;
  std::make_shared<connection>(context_, std::move(socket), std::move(pass))
    ->start(identity);
}

void worker::deliver() {
  context_.answers->collect(delivered_);
  std::size_t body_bytes = 0;
  for (auto& entry : delivered_) {
    body_bytes += entry.body_bytes;
    if (const auto to = entry.to.lock())
      to->take(entry.number, std::move(entry.answer));
  }
  context_.bodies.give_back(body_bytes);
  // Written when all are there: answers to one connection share a system call.
  for (const auto& entry : delivered_)
    if (const auto to = entry.to.lock(); to && to->has_news())
      to->pump();
  delivered_.clear();
}

void worker::resume_bodies() {
  while (auto turn = context_.bodies.next())
    turn->who->resume(std::move(turn->share));
}

/// `step` may close the connection that it is given.
template <class Step>
void worker::for_each_connection(Step step) {
  auto& all = context_.connections;
  for (auto i = all.begin(); i != all.end();) {
    const auto each = *i++;
    step(*each);
  }
}

} // namespace fanfare::protocol::server
