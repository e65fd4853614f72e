// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/http_sink.hpp"

#include "tests/support/certs.hpp"
#include "tests/support/eventually.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

using namespace std::chrono_literals;
using namespace fanfare::test;

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

/// A plain, blocking client on one connection.
class client {
public:
  explicit client(const http_sink& sink) : socket_{io_} {
    socket_.connect({asio::ip::make_address("127.0.0.1"), sink.port()});
  }

  void send(const std::string& bytes) {
    asio::write(socket_, asio::buffer(bytes));
  }

  http::response<http::string_body> receive() {
    http::response<http::string_body> response;
    http::read(socket_, buffer_, response);
    return response;
  }

  http::response<http::string_body> post(const std::string& target,
                                         const std::string& body) {
    send("POST " + target + " HTTP/1.1\r\nHost: x\r\nX-Some: Thing\r\n"
         + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n"
         + body);
    return receive();
  }

  /// Reads to the end; returns the bytes, and how the connection ended.
  std::pair<std::string, error_code> rest() {
    std::string bytes;
    error_code error;
    asio::read(socket_, asio::dynamic_buffer(bytes), error);
    return {bytes, error};
  }

private:
  asio::io_context io_;
  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
};

const std::string get = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";

} // namespace

TEST(HttpSinkTest, KeepsWhatArrivesAndAnswers200) {
  http_sink sink;
  client one{sink};
  EXPECT_EQ(one.post("/hook?a=b", "{}").result_int(), 200U);
  ASSERT_TRUE(sink.wait_for(1, 10s));
  auto record = sink.records().at(0);
  EXPECT_EQ(record.method, "POST");
  EXPECT_EQ(record.target, "/hook?a=b");
  EXPECT_EQ(record.body, "{}");
  EXPECT_EQ(record.header("x-some"), "Thing");
  EXPECT_EQ(record.headers.at(1).first, "X-Some");
  EXPECT_EQ(record.header("x-other"), std::nullopt);
  EXPECT_FALSE(sink.wait_for(2, 0ms));
}

TEST(HttpSinkTest, TellsConnectionsApartAndKeepsThemAlive) {
  http_sink sink;
  client one{sink};
  client two{sink};
  one.post("/", "a");
  two.post("/", "b");
  one.post("/", "c");
  auto records = sink.records();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].connection, records[2].connection);
  EXPECT_NE(records[0].connection, records[1].connection);
  EXPECT_EQ(sink.connections(), 2U);
  EXPECT_EQ(sink.open_connections(), 2U);
}

TEST(HttpSinkTest, FollowsThePlanOfTheHandler) {
  http_sink sink{[](const request_record& request) {
    return request.number == 0 ? response_plan::answer(500, "broken")
                               : response_plan::redirect("/there");
  }};
  client one{sink};
  auto first = one.post("/", "");
  EXPECT_EQ(first.result_int(), 500U);
  EXPECT_EQ(first.body(), "broken");
  auto second = one.post("/", "");
  EXPECT_EQ(second.result_int(), 302U);
  EXPECT_EQ(second[http::field::location], "/there");
}

TEST(HttpSinkTest, ClosesInPlaceOfAnAnswer) {
  http_sink sink{[](auto&) { return response_plan::closing(); }};
  client one{sink};
  one.send(get);
  auto [bytes, error] = one.rest();
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(error, asio::error::eof);
  EXPECT_EQ(sink.answered(), 0U);
  EXPECT_TRUE(eventually(10s, [&] { return sink.open_connections() == 0; }));
}

TEST(HttpSinkTest, ResetsInPlaceOfAnAnswer) {
  http_sink sink{[](auto&) { return response_plan::resetting(); }};
  client one{sink};
  one.send(get);
  EXPECT_EQ(one.rest().second, asio::error::connection_reset);
}

TEST(HttpSinkTest, CutsAnAnswerInTheMiddle) {
  http_sink sink{[](auto&) {
    auto plan = response_plan::answer(200, "0123456789");
    plan.cut_after = 17;
    return plan;
  }};
  client one{sink};
  one.send(get);
  EXPECT_EQ(one.rest().first, "HTTP/1.1 200 OK\r\n");
}

TEST(HttpSinkTest, SendsRawBytesAsTheyAre) {
  http_sink sink{[](auto&) { return response_plan::bytes("nonsense\r\n"); }};
  client one{sink};
  one.send(get);
  EXPECT_EQ(one.rest().first, "nonsense\r\n");
  EXPECT_TRUE(eventually(10s, [&] { return sink.answered() == 1; }));
}

TEST(HttpSinkTest, WaitsBeforeItAnswers) {
  http_sink sink{[](auto&) { return response_plan::late(50ms); }};
  client one{sink};
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(one.post("/", "").result_int(), 200U);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 50ms);
}

TEST(HttpSinkTest, DripsPieces) {
  http_sink sink{[](auto&) {
    auto plan = response_plan::bytes("0123456789");
    plan.drip_size = 3;
    plan.drip_pause = 10ms;
    return plan;
  }};
  client one{sink};
  auto start = std::chrono::steady_clock::now();
  one.send(get);
  EXPECT_EQ(one.rest().first, "0123456789");
  EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
}

TEST(HttpSinkTest, HangsUntilReleasedWithoutHoldingOthersUp) {
  http_sink sink{[](const request_record& request) {
    return request.target == "/hang" ? response_plan::hanging()
                                     : response_plan{};
  }};
  client one{sink};
  auto answer = std::async(std::launch::async,
                           [&] { return one.post("/hang", "").result_int(); });
  ASSERT_TRUE(sink.wait_for(1, 10s));
  client two{sink};
  EXPECT_EQ(two.post("/", "").result_int(), 200U);
  EXPECT_EQ(answer.wait_for(0ms), std::future_status::timeout);
  sink.release();
  EXPECT_EQ(answer.get(), 200U);
}

TEST(HttpSinkTest, ReleasesWhatHasOnlyJustArrived) {
  http_sink sink{[](auto&) { return response_plan::hanging(); },
                 {.threads = 2}};
  client one{sink};
  for (size_t i = 1; i <= 200; ++i) {
    one.send(get);
    ASSERT_TRUE(sink.wait_for(i, 10s));
    sink.release();
    ASSERT_EQ(one.receive().result_int(), 200U);
  }
}

TEST(HttpSinkTest, EndsWithConnectionsHanging) {
  auto sink = std::make_unique<http_sink>(
    [](auto&) { return response_plan::hanging(); });
  client one{*sink};
  one.send(get);
  ASSERT_TRUE(sink->wait_for(1, 10s));
  sink.reset();
  EXPECT_EQ(one.rest().first, "");
}

TEST(HttpSinkTest, RefusesConnectionsOnceStopped) {
  http_sink sink;
  client one{sink};
  one.post("/", "");
  sink.stop();
  EXPECT_EQ(one.rest().second, asio::error::eof);
  EXPECT_THROW(client{sink}, boost::system::system_error);
  http_sink successor{{}, {.port = sink.port()}};
  EXPECT_EQ(client{successor}.post("/", "").result_int(), 200U);
}

TEST(HttpSinkTest, MayResetOrIgnoreConnectionsAtOnce) {
  http_sink sink{{}, {.on_connect = [](size_t n) {
                   return n == 0 ? sink_options::greeting::reset
                        : n == 1 ? sink_options::greeting::ignore
                                 : sink_options::greeting::serve;
                 }}};
  client one{sink};
  EXPECT_EQ(one.rest().second, asio::error::connection_reset);
  client two{sink};
  two.send(get);
  // Had it been read, it would have been so before what comes later.
  client three{sink};
  EXPECT_EQ(three.post("/later", "").result_int(), 200U);
  ASSERT_EQ(sink.size(), 1U);
  EXPECT_EQ(sink.records().at(0).target, "/later");
  EXPECT_EQ(sink.open_connections(), 2U);
}

TEST(HttpSinkTest, ServesManyConnectionsOnSeveralThreads) {
  http_sink sink{{}, {.threads = 4}};
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      client one{sink};
      for (int j = 0; j < 50; ++j)
        one.post("/", std::string(1000, 'x'));
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(sink.size(), 400U);
  EXPECT_TRUE(eventually(10s, [&] { return sink.answered() == 400; }));
}

TEST(HttpSinkTest, SpeaksTlsAndKeepsTheServerName) {
  certificate_authority ca;
  http_sink sink{{}, {.tls = server_context(ca.good())}};
  EXPECT_EQ(sink.url("/y", "localhost"),
            "https://localhost:" + std::to_string(sink.port()) + "/y");
  asio::io_context io;
  asio::ssl::context context{asio::ssl::context::tls_client};
  context.add_certificate_authority(asio::buffer(ca.pem()));
  context.set_verify_mode(asio::ssl::verify_peer);
  asio::ssl::stream<tcp::socket> stream{io, context};
  SSL_set_tlsext_host_name(stream.native_handle(), "localhost");
  stream.next_layer().connect(
    {asio::ip::make_address("127.0.0.1"), sink.port()});
  stream.handshake(asio::ssl::stream_base::client);
  asio::write(stream, asio::buffer(get));
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(stream, buffer, response);
  EXPECT_EQ(response.result_int(), 200U);
  auto record = sink.records().at(0);
  EXPECT_EQ(record.server_name, "localhost");
  EXPECT_FALSE(record.session_reused);
}
