// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Which connections a receiver sees: one that has few workers, one that moves.

#include "tests/e2e/support/apache.hpp"
#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/eventually.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>

#include <gmock/gmock.h>

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <thread>

namespace fanfare::test {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

/// As Starman or a prefork Apache: each worker serves one connection until its
/// end before it accepts the next, for as long as that takes.
class prefork_receiver {
public:
  explicit prefork_receiver(std::size_t workers)
    : acceptor_(context_, {asio::ip::address_v4::loopback(), 0}) {
    for (std::size_t i = 0; i < workers; ++i)
      workers_.emplace_back([this] { work(); });
  }
  prefork_receiver(const prefork_receiver&) = delete;
  prefork_receiver& operator=(const prefork_receiver&) = delete;
  ~prefork_receiver() {
    // Wakes blocked accepts; connections end with their clients.
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    for (auto& each : workers_)
      each.join();
  }

  [[nodiscard]] std::uint16_t port() {
    return acceptor_.local_endpoint().port();
  }
  [[nodiscard]] std::string url() {
    return "http://127.0.0.1:" + std::to_string(port()) + "/hook";
  }

private:
  void work() {
    for (;;) {
      boost::system::error_code failed;
      tcp::socket socket{context_};
      acceptor_.accept(socket, failed);
      if (failed)
        return;
      serve(socket);
    }
  }

  static void serve(tcp::socket& socket) {
    boost::system::error_code failed;
    std::string text;
    for (;;) {
      const auto head = asio::read_until(socket, asio::dynamic_buffer(text),
                                         "\r\n\r\n", failed);
      if (failed)
        return;
      constexpr std::string_view name = "Content-Length: ";
      const auto at = text.find(name);
      const auto body = at < head ? std::stoul(text.substr(at + name.size()))
                                  : 0;
      if (text.size() < head + body)
        asio::read(socket, asio::dynamic_buffer(text),
                   asio::transfer_exactly(head + body - text.size()), failed);
      text.erase(0, head + body);
      asio::write(socket,
                  asio::buffer(std::string_view{
                    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}),
                  failed);
      if (failed)
        return;
    }
  }

  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::vector<std::thread> workers_;
};

/// How long another client of that port waits for its answer; all of `limit` if
/// it gets none.
std::chrono::milliseconds time_of_a_stranger(std::uint16_t port,
                                             std::chrono::seconds limit) {
  asio::io_context context;
  tcp::socket socket{context};
  const auto begin = steady_clock::now();
  socket.connect({asio::ip::address_v4::loopback(), port});
  const timeval patient{limit.count(), 0};
  ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patient,
               sizeof patient);
  asio::write(socket, asio::buffer(
                        std::string_view{"GET / HTTP/1.1\r\nHost: x\r\n\r\n"}));
  char byte = 0;
  if (::recv(socket.native_handle(), &byte, 1, 0) != 1)
    return limit;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
    steady_clock::now() - begin);
}

class ConnectionsTest : public E2eTest {
protected:
  /// Calls a receiver that has fewer workers than it gets calls at a time.
  void expect_nobody_starves(const std::string& url, std::uint16_t port) {
    constexpr std::size_t most = 8;
    constexpr int rounds = 12;
    start();
    add_organizer("acme");
    const auto hook = add_webhook(
      "acme", {.url = url, .delivery = {{"max_in_flight", most}}});
    boost::json::array all;
    for (std::size_t i = 0; i < most; ++i)
      all.push_back({{"event", "democon"},
                     {"action", order_placed},
                     {"code", "ABC" + std::to_string(i)}});
    // No call and no stranger may wait for a connection that only idles.
    constexpr auto limit = 5s;
    for (int i = 0; i < rounds; ++i) {
      ASSERT_EQ(api().post(publish_path("acme"), all).status, 202U);
      EXPECT_LT(time_of_a_stranger(port, limit), 2s);
    }
    const auto log = wait_for_calls("acme", hook, most * rounds);
    for (const auto& entry : log) {
      EXPECT_TRUE(flag_of(entry, "success")) << text_of(entry, "reason");
      EXPECT_LT(entry.at("execution_time").to_number<double>(), 5.0);
    }
    stop();
  }
};

TEST_F(ConnectionsTest, AReceiverWithFewWorkersStarvesNobody) {
  prefork_receiver receiver{5};
  expect_nobody_starves(receiver.url(), receiver.port());
}

TEST_F(ConnectionsTest, AnApacheWithFewWorkersStarvesNobody) {
  if (!apache::installed())
    GTEST_SKIP() << "there is no Apache: Debian's apache2-bin";
  apache receiver{{.workers = 5, .work = "sleep 0.1"}};
  expect_nobody_starves(receiver.url(), receiver.port());
}

TEST_F(ConnectionsTest, ANameThatMovesTakesItsCallsAlong) {
  dns_server names;
  const auto slowly = [](const request_record&) {
    return response_plan::late(50ms);
  };
  http_sink before{slowly};
  http_sink after{slowly, {.address = "127.0.0.2", .port = before.port()}};
  names.set("moving.example", dns_answer::of({"127.0.0.1"}, {}, 1));
  // One pool of connections.
  start({"--dns-server", names.address(), "--threads", "1"});
  add_organizer("acme");
  // Each time one more, so that one of them needs a connection that is not open
  // yet, for which the name is looked up unless that is known.
  std::size_t hooks = 0;
  const auto publish_to_one_more = [&] {
    const auto hook = add_webhook(
      "acme",
      {.url = before.url("/" + std::to_string(++hooks), "moving.example")});
    const auto all = before.size() + after.size() + hooks;
    publish();
    // Answered, and not only sent: else the next ones would need connections
    // for all of them, and have as many as may be before the name is forgotten.
    wait_for_calls("acme", hook, 1);
    return eventually(patience,
                      [&] { return before.size() + after.size() >= all; });
  };
  ASSERT_TRUE(publish_to_one_more());
  ASSERT_TRUE(publish_to_one_more());
  EXPECT_EQ(after.size(), 0U);
  names.set("moving.example", dns_answer::of({"127.0.0.2"}, {}, 1));
  EXPECT_TRUE(eventually(patience,
                         [&] {
                           const auto stayed = before.size();
                           return publish_to_one_more()
                               && before.size() == stayed;
                         }))
    << "nothing has moved";
  EXPECT_TRUE(
    eventually(patience, [&] { return before.open_connections() == 0; }));
}

TEST_F(ConnectionsTest, OneThatIsAlwaysCalledFollowsItsNameInTime) {
  dns_server names;
  http_sink before;
  http_sink after{{}, {.address = "127.0.0.2", .port = before.port()}};
  names.set("moving.example", dns_answer::of({"127.0.0.1"}, {}, 1));
  start({"--dns-server", names.address(), "--threads", "1"});
  add_organizer("acme");
  add_webhook("acme", {.url = before.url("/", "moving.example")});
  publish();
  ASSERT_TRUE(before.wait_for(1, patience));
  names.set("moving.example", dns_answer::of({"127.0.0.2"}, {}, 1));
  const auto moved = steady_clock::now();
  // One call at a time needs no further connection.
  EXPECT_TRUE(eventually(patience, [&] {
    const auto all = before.size() + after.size();
    publish();
    return eventually(patience,
                      [&] { return before.size() + after.size() > all; })
        && after.size() > 0;
  }));
  EXPECT_LT(steady_clock::now() - moved, 15s) << "not by its age";
  EXPECT_EQ(before.connections(), 1U);
}

TEST_F(ConnectionsTest, AFurtherAttemptGoesElsewhereAlthoughAConnectionIsKept) {
  dns_server names;
  http_sink bad{
    [](const request_record&) { return response_plan::answer(503); }};
  http_sink good{{}, {.address = "127.0.0.2", .port = bad.port()}};
  names.set("two.example", dns_answer::of({"127.0.0.1", "127.0.0.2"}));
  start({"--dns-server", names.address(), "--schedule", "50ms,50ms,50ms",
         "--threads", "1"});
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = bad.url("/", "two.example")});
  publish();
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_EQ(number_of(log[0], "return_code"), 503U);
  EXPECT_EQ(number_of(log[1], "return_code"), 200U);
  // Now both have a connection that is kept, and the other one is bad.
  good.set_handler(
    [](const request_record&) { return response_plan::answer(503); });
  bad.set_handler({});
  publish();
  wait_for_calls("acme", hook, 4);
  EXPECT_EQ(bad.size(), 2U);
  EXPECT_EQ(good.size(), 2U);
}

TEST_F(ConnectionsTest, EachAttemptBeginsWithAnotherAddress) {
  dns_server names;
  const auto failing = [](const request_record&) {
    auto plan = response_plan::answer(500);
    plan.after = response_plan::ending::close;
    return plan;
  };
  http_sink one{failing};
  http_sink two{failing, {.address = "127.0.0.2", .port = one.port()}};
  names.set("two.example", dns_answer::of({"127.0.0.1", "127.0.0.2"}));
  start({"--dns-server", names.address(), "--schedule", "50ms,50ms,50ms"});
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = one.url("/", "two.example")});
  publish();
  for (const auto& entry : wait_for_calls("acme", hook, 4))
    EXPECT_EQ(number_of(entry, "return_code"), 500U);
  EXPECT_EQ(one.size(), 2U);
  EXPECT_EQ(two.size(), 2U);
}

TEST_F(ConnectionsTest, AnIntermediateThatIsGivenIsTrusted) {
  const certificate_authority root;
  const auto middle = root.intermediate("Middle");
  http_sink sink{{}, {.tls = server_context(middle.good())}};
  start({"--schedule", "1h"});
  add_organizer("acme");
  const auto hook = add_webhook(
    "acme", {.url = sink.url(), .delivery = {{"tls", {{"ca", middle.pem()}}}}});
  publish();
  const auto entry = wait_for_calls("acme", hook, 1)[0];
  EXPECT_TRUE(flag_of(entry, "success")) << text_of(entry, "reason");
}

} // namespace

} // namespace fanfare::test
