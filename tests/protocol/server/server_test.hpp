// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What tests of the whole HTTP server share: requests, handlers that answer as
/// told, and a way to know that the server has looked at what was sent.

#include "protocol/server/http_server.hpp"
#include "tests/protocol/server/raw_client.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol::server {

using namespace std::chrono_literals;
using respond_fn = std::function<void(http_response)>;

// -- requests -----------------------------------------------------------------

inline std::string get(std::string_view target = "/",
                       std::string_view headers = "") {
  return "GET " + std::string{target} + " HTTP/1.1\r\nHost: x\r\n"
       + std::string{headers} + "\r\n";
}

/// The head of a POST with a body of that size.
inline std::string post_head(std::size_t size, std::string_view headers = "") {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string{headers}
       + "Content-Length: " + std::to_string(size) + "\r\n\r\n";
}

inline std::string post(std::string_view body, std::string_view headers = "") {
  return post_head(body.size(), headers) + std::string{body};
}

// -- handlers -----------------------------------------------------------------

/// Answers with "METHOD target body" unless told otherwise.
class scripted final : public http_handler {
public:
  using script = std::function<void(http_request, respond_fn)>;

  explicit scripted(script what = {}) : script_(std::move(what)) {}

  void handle(http_request request, respond_fn respond) override {
    calls.fetch_add(1);
    if (script_)
      return script_(std::move(request), std::move(respond));
    respond(echo(request));
  }

  static http_response echo(const http_request& request) {
    return {200,
            {{"Content-Type", "text/plain"}},
            request.method + ' ' + request.target + ' ' + request.body};
  }

  std::atomic<std::size_t> calls{0};

private:
  script script_;
};

/// Keeps requests until the test answers them.
class waiting_room {
public:
  scripted::script door() {
    return [this](http_request request, respond_fn respond) {
      const std::lock_guard guard{mutex_};
      guests_.emplace_back(std::move(request), std::move(respond));
      changed_.notify_all();
    };
  }

  bool wait_for(std::size_t count) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, patience,
                             [&] { return guests_.size() >= count; });
  }

  std::size_t size() {
    const std::lock_guard guard{mutex_};
    return guests_.size();
  }

  void answer(std::size_t index, http_response response = {}) {
    respond_fn respond;
    {
      const std::lock_guard guard{mutex_};
      respond = guests_.at(index).second;
    }
    respond(std::move(response));
  }

  void echo(std::size_t index) {
    http_response response;
    {
      const std::lock_guard guard{mutex_};
      response = scripted::echo(guests_.at(index).first);
    }
    answer(index, std::move(response));
  }

  /// Nobody will answer this one.
  void drop(std::size_t index) {
    respond_fn gone;
    const std::lock_guard guard{mutex_};
    gone.swap(guests_.at(index).second);
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<http_request, respond_fn>> guests_;
};

// -- servers ------------------------------------------------------------------

inline std::unique_ptr<http_server> serve(http_handler& handler,
                                          http_server_options options = {}) {
  options.port = 0;
  auto made = http_server::start(options, handler);
  if (!made)
    throw std::runtime_error{made.error().detail};
  return std::move(*made);
}

inline void expect_alive(const http_server& server) {
  raw_client client{server.port()};
  client.send(post("alive"));
  EXPECT_EQ(client.read().body, "POST / alive");
}

/// Returns when a server of one thread has read everything that was sent to it
/// before, and has sent what it had to say: its thread takes what comes in
/// order, and answers somebody who came later. So silence is a fact then, and
/// no matter of time. Needs no handler.
inline void catch_up(const http_server& server) {
  for (int round = 0; round < 2; ++round) {
    raw_client later{server.port()};
    later.send("\r\r");
    EXPECT_EQ(later.read().status, 400);
  }
}

} // namespace fanfare::protocol::server
