// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What tests of the HTTP client share: receivers that speak bytes as told, a
/// resolver that answers as told, and a client that runs on the test's thread.

#include "protocol/client/http_client.hpp"
#include "protocol/target/target.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::protocol {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

inline address_policy loopback_allowed() {
  return address_policy{
    {*network::parse("127.0.0.0/8"), *network::parse("::1/128")}};
}

/// A receiver that speaks bytes, one connection after the other, as told.
class raw_receiver {
public:
  using script = std::function<void(tcp::socket&)>;

  explicit raw_receiver(std::vector<script> scripts)
    : acceptor_(context_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}),
      thread_([this, scripts = std::move(scripts)] {
        for (const auto& each : scripts) {
          boost::system::error_code failed;
          tcp::socket socket{context_};
          acceptor_.accept(socket, failed);
          if (failed)
            return;
          each(socket);
        }
      }) {}

  ~raw_receiver() {
    // Wakes a blocked accept.
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
  }

  [[nodiscard]] std::string url() {
    return "http://127.0.0.1:"
         + std::to_string(acceptor_.local_endpoint().port()) + "/hook";
  }

  /// Reads a request up to the end of its head.
  static std::string read_head(tcp::socket& socket) {
    std::string text;
    boost::system::error_code failed;
    while (text.find("\r\n\r\n") == std::string::npos && !failed) {
      char byte = 0;
      if (asio::read(socket, asio::buffer(&byte, 1), failed) == 1)
        text += byte;
    }
    return text;
  }

  static void say(tcp::socket& socket, std::string_view text) {
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(text), ignored);
  }

  /// Until the peer closes.
  static void drain(tcp::socket& socket) {
    boost::system::error_code failed;
    char bytes[4096];
    while (!failed)
      (void)socket.read_some(asio::buffer(bytes), failed);
  }

private:
  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

/// Answers when told, with what it is told.
class scripted_resolver final : public resolver {
public:
  struct state {
    std::deque<completion> waiting;
    std::vector<std::string> asked;
    std::optional<resolution> at_once;
    bool first_at_once = false; ///< only the first is answered so
    std::vector<ticket> cancelled;
    bool heard = true;   ///< name servers answer other look-ups
    bool queued = false; ///< everything waits for its turn
  };

  explicit scripted_resolver(std::shared_ptr<state> shared)
    : state_(std::move(shared)) {}

  ticket resolve(const std::string& host, completion done) override {
    state_->asked.push_back(host);
    const auto which = state_->asked.size();
    if (const auto answer = state_->at_once) {
      if (state_->first_at_once)
        state_->at_once.reset();
      done(*answer);
      return 0;
    }
    state_->waiting.push_back(std::move(done));
    return which;
  }

  void cancel(ticket which) override {
    state_->cancelled.push_back(which);
  }

  [[nodiscard]] bool
  heard_since(std::chrono::steady_clock::time_point) const override {
    return state_->heard;
  }

  [[nodiscard]] bool is_queued(ticket) const override {
    return state_->queued;
  }

private:
  std::shared_ptr<state> state_;
};

class HttpClientTest : public ::testing::Test {
protected:
  static constexpr auto patience = 20s;

  HttpClientTest() {
    options.policy = loopback_allowed();
    options.tick = 5ms;
  }

  http_client& client() {
    if (!client_)
      client_ = std::make_unique<http_client>(io, std::move(options));
    return *client_;
  }

  static notification_ptr body_of(std::string body) {
    auto out = std::make_shared<notification>();
    out->body = std::move(body);
    return out;
  }

  template <class Predicate>
  bool run_until(Predicate reached, milliseconds limit = patience) {
    const auto end = steady_clock::now() + limit;
    io.restart();
    while (!reached()) {
      const auto left = end - steady_clock::now();
      if (left <= 0ms)
        return false;
      if (io.run_one_for(std::min<steady_clock::duration>(left, 50ms)) == 0)
        io.restart();
    }
    return true;
  }

  exchange_result call(const std::string& url, std::string body = "{}",
                       exchange_limits limits = {}) {
    return call_target(target::parse(url).value(), std::move(body), limits);
  }

  exchange_result call_target(std::shared_ptr<const target> to,
                              std::string body = "{}",
                              exchange_limits limits = {}) {
    return run({std::move(to), body_of(std::move(body)), limits});
  }

  exchange_result run(exchange_request request) {
    std::optional<exchange_result> out;
    client().send(std::move(request), [&](exchange_result&& result) {
      EXPECT_FALSE(out) << "called back twice";
      out = std::move(result);
    });
    EXPECT_FALSE(out) << "called back before send() returned";
    EXPECT_TRUE(run_until([&] { return out.has_value(); }));
    return out.value_or(exchange_result{});
  }

  asio::io_context io{1};
  http_client_options options;
  std::unique_ptr<http_client> client_;
};

} // namespace fanfare::protocol
