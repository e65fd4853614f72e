// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/http_client.hpp"

#include "fanfare/version.hpp"
#include "protocol/target/target.hpp"
#include "tests/protocol/client/client_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/http_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <atomic>
#include <future>

namespace fanfare::protocol {
namespace {

using test::http_sink;
using test::request_record;
using test::response_plan;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// -- requests -----------------------------------------------------------------

TEST_F(HttpClientTest, SendsTheRequestByteForByte) {
  std::promise<std::string> seen;
  raw_receiver receiver{{[&](tcp::socket& socket) {
    auto text = raw_receiver::read_head(socket);
    std::string body(9, '\0');
    asio::read(socket, asio::buffer(body));
    seen.set_value(text + body);
    raw_receiver::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }}};
  auto url = receiver.url();
  url.insert(7, "us%65r:p%40ss@");
  const auto result = call(url, "{\"a\": \xc3\xbc}");
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(result.reason, "");
  const auto authority = receiver.url().substr(7,
                                               receiver.url().size() - 7 - 5);
  EXPECT_EQ(seen.get_future().get(),
            "POST /hook HTTP/1.1\r\nHost: " + authority
              + "\r\nUser-Agent: Fanfare/" + std::string{version}
              + "\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
                "Content-Type: application/json\r\n"
                "Authorization: Basic dXNlcjpwQHNz\r\n"
                "Content-Length: 9\r\n\r\n{\"a\": \xc3\xbc}");
}

TEST_F(HttpClientTest, ReportsWhatCameBack) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.status = 418;
    plan.headers = {{"X-One", "1"}, {"X-Two", "two words"}};
    plan.body = "short and stout";
    return plan;
  }};
  const auto result = call(sink.url());
  EXPECT_EQ(result.status, 418);
  EXPECT_EQ(result.reason, "");
  EXPECT_THAT(result.response_head,
              HasSubstr("X-One: 1\r\nX-Two: two words\r\n"));
  EXPECT_EQ(result.response_body, "short and stout");
  EXPECT_GT(result.timings.total, 0us);
  EXPECT_GT(result.timings.connect, 0us);
  EXPECT_GT(result.timings.first_byte, 0us);
  EXPECT_EQ(result.timings.tls, 0us);
  EXPECT_GE(result.timings.total,
            result.timings.connect + result.timings.first_byte);
}

TEST_F(HttpClientTest, SendsLargeBodiesUnchanged) {
  http_sink sink;
  std::string body(8'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i)
    body[i] = static_cast<char>('a' + i % 23);
  EXPECT_EQ(call(sink.url(), body).status, 200);
  const auto records = sink.records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(records[0].body == body);
}

TEST_F(HttpClientTest, SendsAnEmptyBody) {
  http_sink sink;
  EXPECT_EQ(call(sink.url(), "").status, 200);
  EXPECT_EQ(sink.records().at(0).header("content-length"), "0");
}

TEST_F(HttpClientTest, FollowsNoRedirect) {
  http_sink elsewhere;
  http_sink sink{[&](const request_record&) {
    return response_plan::redirect(elsewhere.url(), 307);
  }};
  EXPECT_EQ(call(sink.url()).status, 307);
  EXPECT_EQ(elsewhere.size(), 0u);
}

TEST_F(HttpClientTest, ReachesIpv6) {
  test::sink_options six;
  six.address = "::1";
  std::unique_ptr<http_sink> sink;
  try {
    sink = std::make_unique<http_sink>(http_sink::handler{}, six);
  } catch (const std::exception&) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  EXPECT_EQ(call("http://[::1]:" + std::to_string(sink->port()) + "/").status,
            200);
}

// -- connections --------------------------------------------------------------

TEST_F(HttpClientTest, KeepsConnections) {
  http_sink sink;
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 1u);
  EXPECT_EQ(client().connects(), 1u);
  EXPECT_EQ(client().idle(), 1u);
  const auto again = call(sink.url());
  EXPECT_EQ(again.timings.connect, 0us);
  EXPECT_EQ(again.timings.dns, 0us);
}

TEST_F(HttpClientTest, SharesConnectionsBetweenTargetsOfADestination) {
  http_sink sink;
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(call(sink.url("/" + std::to_string(i))).status, 200);
  EXPECT_EQ(sink.connections(), 1u);
  // Another spelling is another destination.
  EXPECT_EQ(call(sink.url("/", "localhost")).status, 200);
  EXPECT_EQ(sink.connections(), 2u);
}

TEST_F(HttpClientTest, RunsManyExchangesOverFewConnections) {
  http_sink sink;
  const auto to = target::parse(sink.url()).value();
  std::size_t started = 0;
  std::size_t succeeded = 0;
  std::size_t ended = 0;
  std::function<void()> next = [&] {
    if (started == 5'000)
      return;
    ++started;
    client().send({to, body_of("{}"), {}}, [&](exchange_result&& result) {
      ++ended;
      succeeded += result.status == 200;
      next();
    });
  };
  for (int i = 0; i < 32; ++i)
    next();
  EXPECT_EQ(client().active(), 32u);
  ASSERT_TRUE(run_until([&] { return ended == 5'000; }));
  EXPECT_EQ(succeeded, 5'000u);
  EXPECT_EQ(sink.size(), 5'000u);
  EXPECT_LE(sink.connections(), 32u);
  EXPECT_EQ(client().active(), 0u);
}

TEST_F(HttpClientTest, HonoursConnectionClose) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.after = response_plan::ending::close;
    return plan;
  }};
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 2u);
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(HttpClientTest, DoesNotKeepHttp10Connections) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.raw = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
    return plan;
  }};
  EXPECT_EQ(call(sink.url()).response_body, "ok");
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(HttpClientTest, RetriesAStaleConnectionUnnoticed) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  // Closes the moment the second request arrives: a race that the client
  // cannot see coming.
  for (const bool hard : {false, true}) {
    raw_receiver receiver{
      {[&](tcp::socket& socket) {
         raw_receiver::read_head(socket);
         raw_receiver::say(socket, fine);
         raw_receiver::read_head(socket);
         if (hard)
           socket.set_option(asio::socket_base::linger{true, 0});
       },
       [&](tcp::socket& socket) {
         raw_receiver::read_head(socket);
         raw_receiver::say(socket, fine);
         raw_receiver::drain(socket);
       }}};
    EXPECT_EQ(call(receiver.url(), "").status, 200);
    const auto before = client().connects();
    const auto result = call(receiver.url(), "");
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.reason, "");
    EXPECT_EQ(client().connects(), before + 1);
    client_ = nullptr;
    options.policy = loopback_allowed();
  }
}

TEST_F(HttpClientTest, RetriesAStaleConnectionOnlyOnce) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  raw_receiver receiver{
    {[&](tcp::socket& socket) {
       raw_receiver::read_head(socket);
       raw_receiver::say(socket, fine);
       raw_receiver::read_head(socket);
     },
     [&](tcp::socket& socket) { raw_receiver::read_head(socket); }}};
  EXPECT_EQ(call(receiver.url(), "").status, 200);
  const auto result = call(receiver.url(), "");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.reason, StartsWith("reset: "));
}

TEST_F(HttpClientTest, NoticesWhenTheReceiverClosesAnIdleConnection) {
  http_sink sink;
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(client().idle(), 1u);
  sink.stop();
  EXPECT_TRUE(run_until([&] { return client().idle() == 0; }));
}

TEST_F(HttpClientTest, ClosesConnectionsThatWaitedTooLong) {
  options.idle_timeout = 50ms;
  http_sink sink;
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(client().idle(), 1u);
  EXPECT_TRUE(run_until([&] { return client().idle() == 0; }));
  EXPECT_TRUE(run_until([&] { return sink.open_connections() == 0; }));
}

TEST_F(HttpClientTest, KeepsNoMoreIdleConnectionsThanToldTo) {
  options.max_idle_per_destination = 2;
  options.max_idle = 3;
  http_sink first;
  http_sink second;
  std::size_t ended = 0;
  for (const auto* sink : {&first, &second})
    for (int i = 0; i < 5; ++i)
      client().send({target::parse(sink->url()).value(), body_of("{}"), {}},
                    [&](exchange_result&& result) {
                      EXPECT_EQ(result.status, 200);
                      ++ended;
                    });
  ASSERT_TRUE(run_until([&] { return ended == 10; }));
  EXPECT_LE(client().idle(), 3u);
  EXPECT_GE(client().idle(), 2u);
}

TEST_F(HttpClientTest, DropsAConnectionWithSurplusBytes) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.raw = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 "
               "smuggled\r\nContent-Length: 0\r\n\r\n";
    return plan;
  }};
  for (std::size_t i = 1; i < 4; ++i) {
    const auto result = call(sink.url());
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.response_body, "ok");
    EXPECT_EQ(sink.connections(), i);
  }
  EXPECT_EQ(client().idle(), 0u);
}

// -- answers ------------------------------------------------------------------

TEST_F(HttpClientTest, ReadsAnswersInEveryFraming) {
  struct row {
    const char* what;
    std::string raw;
    unsigned status;
    const char* body;
  };
  const row table[] = {
    {"no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n",
     200, "abcdefg"},
    {"until the end", "HTTP/1.1 202 Accepted\r\n\r\nuntil the end", 202,
     "until the end"},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nold", 200, "old"},
    {"no reason", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", 200, "x"},
    {"no reason nor space", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200,
     "x"},
    {"interim answers",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
     "<x>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
     201, "ok"},
    {"switching protocols",
     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 101, ""},
    {"a status nobody defined", "HTTP/1.1 799 x\r\nContent-Length: 0\r\n\r\n",
     799, ""},
  };
  for (const auto& row : table)
    for (const std::size_t piece : {0u, 1u, 7u}) {
      http_sink sink{[&](const request_record&) {
        auto plan = response_plan::bytes(row.raw);
        plan.drip_size = piece;
        plan.drip_pause = 0ms;
        return plan;
      }};
      const auto result = call(sink.url());
      EXPECT_EQ(result.status, row.status) << row.what << ": " << result.reason;
      EXPECT_EQ(result.response_body, row.body) << row.what;
      EXPECT_EQ(result.reason, "") << row.what;
      EXPECT_THAT(result.response_head, ::testing::Not(HasSubstr("Link")));
    }
}

TEST_F(HttpClientTest, RefusesMalformedAnswers) {
  const std::pair<std::string, const char*> table[] = {
    {"SSH-2.0-OpenSSH_9.2\r\n", "does not begin with HTTP/1"},
    {"220 mail ESMTP\r\n", "does not begin with HTTP/1"},
    {"\r\n\r\n", "does not begin with HTTP/1"},
    {"HTTP/2.0 200 OK\r\n\r\n", "does not begin with HTTP/1"},
    {"HTTP/1.7 200 OK\r\n\r\n", "bad version"},
    {"HTTP/1.1 2x0 OK\r\n\r\n", "bad status"},
    {"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", "status"},
    {"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "bad field"},
    {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "Content-Length"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     "Content-Length"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
     "bad chunk"},
    {"HTTP/1.1 200 OK\r\nContent-Le", "closed within the head"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour",
     "body ended after 4 of 10 bytes"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nfour",
     "body ended after 4 bytes"},
  };
  for (const auto& [raw, because] : table)
    for (const std::size_t piece : {0u, 3u}) {
      http_sink sink{[&](const request_record&) {
        auto plan = response_plan::bytes(raw);
        plan.drip_size = piece;
        return plan;
      }};
      const auto result = call(sink.url());
      EXPECT_EQ(result.status, 0) << raw;
      EXPECT_THAT(result.reason,
                  AllOf(StartsWith("malformed answer: "), HasSubstr(because)))
        << raw;
      EXPECT_EQ(result.reason.find('\n'), std::string::npos);
    }
}

TEST_F(HttpClientTest, DoesNotWaitForTheEndOfGarbage) {
  http_sink sink{[](const request_record&) {
    response_plan plan; // and the connection stays open
    plan.raw = "220 mail.example ESMTP\r\n";
    return plan;
  }};
  EXPECT_THAT(call(sink.url()).reason, StartsWith("malformed answer: "));
}

TEST_F(HttpClientTest, BoundsInterimAnswers) {
  for (const auto& [count, status] : {std::pair{16, 200}, std::pair{17, 0}}) {
    http_sink sink{[count = count](const request_record&) {
      response_plan plan;
      plan.raw.emplace();
      for (int i = 0; i < count; ++i)
        *plan.raw += "HTTP/1.1 100 Continue\r\n\r\n";
      *plan.raw += "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      return plan;
    }};
    const auto result = call(sink.url());
    EXPECT_EQ(result.status, status);
    if (status == 0) {
      EXPECT_THAT(result.reason, HasSubstr("interim answers"));
    }
  }
}

TEST_F(HttpClientTest, CutsALargeBodyAndStaysSuccessful) {
  std::string raw = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
  const auto head = raw.size();
  raw += std::string(1'000'000, 'x');
  http_sink sink{[&](const request_record&) {
    response_plan plan;
    plan.raw = raw;
    return plan;
  }};
  const auto result = call(sink.url());
  EXPECT_EQ(result.status, 200);
  EXPECT_THAT(result.reason, HasSubstr("body cut at 65536 bytes"));
  EXPECT_EQ(result.response_body, std::string(16 * 1024, 'x'));
  EXPECT_EQ(client().idle(), 0u);

  // Both sides of the limit.
  exchange_limits limits;
  limits.keep_limit = 10;
  raw = "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n";
  limits.body_limit = 20'000;
  raw += std::string(20'000, 'x');
  auto exact = call(sink.url(), "{}", limits);
  EXPECT_EQ(exact.status, 200);
  EXPECT_EQ(exact.reason, "");
  EXPECT_EQ(exact.response_body, std::string(10, 'x'));
  EXPECT_EQ(client().idle(), 1u);
  --limits.body_limit;
  exact = call(sink.url(), "{}", limits);
  EXPECT_EQ(exact.status, 200);
  EXPECT_THAT(exact.reason, HasSubstr("body cut"));
  EXPECT_GT(head, 0u);
}

TEST_F(HttpClientTest, CutsAnEndlessChunkedBody) {
  raw_receiver receiver{{[](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket,
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    boost::system::error_code failed;
    while (!failed)
      asio::write(socket, asio::buffer("5\r\nhello\r\n", 10), failed);
  }}};
  const auto result = call(receiver.url(), "");
  EXPECT_EQ(result.status, 200);
  EXPECT_THAT(result.reason, HasSubstr("body cut at 65536 bytes"));
  EXPECT_THAT(result.response_body, StartsWith("hellohello"));
}

TEST_F(HttpClientTest, RefusesAnEndlessHead) {
  // Many fields, one field, one line of chunk extension.
  const std::string starts[] = {"HTTP/1.1 200 OK\r\n",
                                "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 "};
  const std::string repeats[] = {"X: 0123456789\r\n", "0123456789",
                                 "0123456789"};
  for (std::size_t i = 0; i < 3; ++i) {
    raw_receiver receiver{{[&](tcp::socket& socket) {
      raw_receiver::read_head(socket);
      raw_receiver::say(socket, starts[i]);
      boost::system::error_code failed;
      while (!failed)
        asio::write(socket, asio::buffer(repeats[i]), failed);
    }}};
    const auto result = call(receiver.url(), "");
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.reason,
                StartsWith("too large: the head of the answer exceeds"));
    EXPECT_LE(result.response_head.size(), 8u * 1024);
  }
}

TEST_F(HttpClientTest, TakesAHeadLargerThanItsBuffer) {
  std::string raw = "HTTP/1.1 200 OK\r\nX-Long: " + std::string(30'000, 'y')
                  + "\r\nX-Short: 1\r\nContent-Length: 2\r\n\r\nok";
  http_sink sink{[&](const request_record&) {
    response_plan plan;
    plan.raw = raw;
    return plan;
  }};
  exchange_limits limits;
  limits.head_limit = 64 * 1024;
  for (int i = 0; i < 3; ++i) {
    const auto result = call(sink.url(), "{}", limits);
    EXPECT_EQ(result.status, 200) << result.reason;
    EXPECT_EQ(result.response_body, "ok");
    EXPECT_THAT(result.response_head, HasSubstr("X-Short: 1\r\n"));
    EXPECT_LE(result.response_head.size(), 8u * 1024);
  }
  EXPECT_EQ(client().idle(), 1u);
}

TEST_F(HttpClientTest, TakesAnAnswerThatComesBeforeTheRequestIsRead) {
  std::promise<void> done;
  auto finished = done.get_future().share();
  raw_receiver receiver{{[&](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket,
                      "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    finished.wait(); // never reads the body
  }}};
  const auto result = call(receiver.url(), std::string(30'000'000, 'x'));
  EXPECT_EQ(result.status, 413);
  EXPECT_EQ(result.response_body, "no");
  EXPECT_EQ(client().idle(), 0u);
  done.set_value();
}

TEST_F(HttpClientTest, TakesAnAnswerThatComesBeforeAReset) {
  raw_receiver receiver{{[&](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket,
                      "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    // Closing with unread bytes resets.
  }}};
  const auto result = call(receiver.url(), std::string(30'000'000, 'x'));
  // The kernel may throw away what was received when the reset comes.
  if (result.status == 0) {
    EXPECT_THAT(result.reason, StartsWith("reset: "));
  } else {
    EXPECT_EQ(result.status, 413);
  }
}

// -- failures -----------------------------------------------------------------

TEST_F(HttpClientTest, ReportsARefusedConnection) {
  std::string url;
  {
    http_sink sink;
    url = sink.url();
  }
  const auto result = call(url);
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.reason,
              StartsWith("connect: connection refused (127.0.0.1:"));
}

TEST_F(HttpClientTest, ReportsResets) {
  http_sink sink{
    [](const request_record&) { return response_plan::resetting(); }};
  EXPECT_EQ(call(sink.url()).reason,
            "reset: connection reset before an answer");
  sink.set_handler(
    [](const request_record&) { return response_plan::closing(); });
  EXPECT_EQ(call(sink.url()).reason,
            "reset: connection closed before an answer");
  // In the middle: of the head, of the body.
  raw_receiver receiver{{[](tcp::socket& socket) {
                           raw_receiver::read_head(socket);
                           raw_receiver::say(socket, "HTTP/1.1 200 OK\r\nX");
                           raw_receiver::drain(socket);
                         },
                         [](tcp::socket& socket) {
                           raw_receiver::read_head(socket);
                           raw_receiver::say(socket,
                                             "HTTP/1.1 200 OK\r\nContent-"
                                             "Length: 9\r\n\r\nabc");
                           raw_receiver::drain(socket);
                         }}};
  exchange_limits limits;
  limits.total = 100ms;
  const auto head = call(receiver.url(), "", limits);
  EXPECT_EQ(head.status, 0);
  EXPECT_THAT(head.reason, HasSubstr("(total)"));
  const auto body = call(receiver.url(), "", limits);
  EXPECT_EQ(body.status, 0);
  EXPECT_THAT(body.reason, HasSubstr("(total)"));
  EXPECT_EQ(body.response_body, "abc");

  sink.set_handler([](const request_record&) {
    auto plan = response_plan::answer(200, std::string(100, 'x'));
    plan.cut_after = 60;
    plan.after = response_plan::ending::reset;
    return plan;
  });
  const auto cut = call(sink.url());
  EXPECT_EQ(cut.status, 0);
  EXPECT_THAT(cut.reason, AnyOf(StartsWith("reset: connection reset"),
                                StartsWith("reset: ")));
}

TEST_F(HttpClientTest, ReportsAnUnknownName) {
  const auto result = call("http://nonexistent.invalid/");
  EXPECT_EQ(result.status, 0);
  // Without a network nobody can say that it does not exist.
  EXPECT_THAT(result.reason,
              AllOf(StartsWith("dns: "), EndsWith("nonexistent.invalid"),
                    AnyOf(HasSubstr("not found"), HasSubstr("temporary"))));
}

TEST_F(HttpClientTest, RefusesPrivateAddressesInEverySpelling) {
  options.policy = address_policy{};
  http_sink sink;
  const auto port = ":" + std::to_string(sink.port()) + "/";
  for (const auto* host : {"127.0.0.1",
                           "localhost",
                           "LOCALHOST",
                           "localhost.",
                           "[::1]",
                           "[::]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]",
                           "[::127.0.0.1]",
                           "[64:ff9b::127.0.0.1]",
                           "[2002:7f00:1::]",
                           "2130706433",
                           "0x7f000001",
                           "017700000001",
                           "0x7f.1",
                           "0177.0.0.1",
                           "127.1",
                           "127.0.1",
                           "0x7f.0.0.0x1",
                           "0",
                           "0.0.0.0",
                           "10.0.0.1",
                           "169.254.169.254",
                           "192.168.1.1",
                           "127.0.0.1."}) {
    const auto result = call("http://" + std::string{host} + port);
    EXPECT_EQ(result.status, 0) << host;
    EXPECT_THAT(result.reason, StartsWith("policy: ")) << host;
  }
  EXPECT_EQ(sink.connections(), 0u);
}

TEST_F(HttpClientTest, ReachesAllowedAddressesInEverySpelling) {
  http_sink sink;
  const auto port = ":" + std::to_string(sink.port()) + "/";
  for (const auto* host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]",
                           "2130706433", "0x7f.1", "0177.0.0.1", "127.1"}) {
    const auto result = call("http://" + std::string{host} + port);
    EXPECT_EQ(result.status, 200) << host << ": " << result.reason;
  }
}

TEST_F(HttpClientTest, JudgesEveryAddressOfAName) {
  options.policy = address_policy{{*network::parse("127.0.0.1/32")}};
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  http_sink sink;
  const auto url = sink.url("/", "public.example");
  const auto address = [](const char* text) {
    return asio::ip::make_address(text);
  };
  // Like a name whose records changed between check and use.
  names->at_once = {{address("127.0.0.2"), address("10.0.0.1")}, ""};
  EXPECT_THAT(call(url).reason, HasSubstr("policy: 127.0.0.2 is a loopback"));
  names->at_once = {{address("10.0.0.1"), address("127.0.0.1")}, ""};
  EXPECT_EQ(call(url).status, 200);
  EXPECT_EQ(sink.records().at(0).header("Host"),
            "public.example:" + std::to_string(sink.port()));
}

TEST_F(HttpClientTest, TriesTheNextAddress) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  http_sink sink;
  names->at_once = {
    {asio::ip::make_address("127.0.0.7"), asio::ip::make_address("127.0.0.1")},
    ""};
  EXPECT_EQ(call(sink.url("/", "two.example")).status, 200);
}

// -- limits -------------------------------------------------------------------

TEST_F(HttpClientTest, EndsAHangingAnswer) {
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  exchange_limits limits;
  limits.first_byte = 100ms;
  const auto start = steady_clock::now();
  const auto result = call(sink.url(), "{}", limits);
  EXPECT_GE(steady_clock::now() - start, 100ms);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.reason, "timeout: no answer within 100 ms (first_byte)");
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(HttpClientTest, EndsADrippingAnswer) {
  http_sink sink{[](const request_record&) {
    auto plan = response_plan::answer(200, std::string(1'000, 'x'));
    plan.drip_size = 1;
    plan.drip_pause = 10ms;
    return plan;
  }};
  exchange_limits limits;
  limits.total = 1'250ms;
  const auto result = call(sink.url(), "{}", limits);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.reason, "timeout: no complete answer within 1.25 s (total)");
}

TEST_F(HttpClientTest, EndsARequestThatNobodyReads) {
  std::promise<void> done;
  auto finished = done.get_future().share();
  raw_receiver receiver{{[&](tcp::socket&) { finished.wait(); }}};
  exchange_limits limits;
  limits.total = 200ms;
  const auto result = call(receiver.url(), std::string(30'000'000, 'x'),
                           limits);
  EXPECT_THAT(result.reason, HasSubstr("(total)"));
  done.set_value();
}

TEST_F(HttpClientTest, EndsAConnectThatHangs) {
  // A queue of accepted connections that is full: the kernel drops what comes.
  asio::io_context other;
  tcp::acceptor acceptor{other};
  const tcp::endpoint any{asio::ip::address_v4::loopback(), 0};
  acceptor.open(any.protocol());
  acceptor.bind(any);
  acceptor.listen(0);
  const auto there = acceptor.local_endpoint();
  std::vector<tcp::socket> fillers;
  for (int i = 0; i < 4; ++i) {
    auto& each = fillers.emplace_back(other);
    each.open(there.protocol());
    each.non_blocking(true);
    // Asio's own waits for the outcome, non-blocking or not.
    (void)::connect(each.native_handle(), there.data(),
                    static_cast<socklen_t>(there.size()));
  }
  exchange_limits limits;
  limits.connect = 100ms;
  const auto result = call("http://127.0.0.1:" + std::to_string(there.port()),
                           "{}", limits);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.reason,
            "timeout: connect took longer than 100 ms (connect)");
}

TEST_F(HttpClientTest, EndsALookUpThatHangsAndIgnoresItsLateAnswer) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  http_sink sink;
  exchange_limits limits;
  limits.dns = 50ms;
  const auto result = call(sink.url("/", "slow.example"), "{}", limits);
  EXPECT_EQ(result.reason,
            "timeout: name look-up took longer than 50 ms (dns)");
  EXPECT_EQ(names->cancelled, std::vector<resolver::ticket>{1});
  ASSERT_EQ(names->waiting.size(), 1u);
  names->waiting.front()({{asio::ip::make_address("127.0.0.1")}, ""});
  EXPECT_EQ(client().active(), 0u);
  EXPECT_FALSE(run_until([&] { return sink.connections() > 0; }, 50ms));
}

TEST_F(HttpClientTest, EndsAHandshakeThatHangs) {
  raw_receiver receiver{
    {[](tcp::socket& socket) { raw_receiver::drain(socket); }}};
  auto url = receiver.url();
  url.insert(4, "s");
  exchange_limits limits;
  limits.tls = 100ms;
  const auto result = call(url, "{}", limits);
  EXPECT_EQ(result.reason,
            "timeout: TLS handshake took longer than 100 ms (tls)");
}

// -- TLS ----------------------------------------------------------------------

class HttpClientTlsTest : public HttpClientTest {
protected:
  HttpClientTlsTest() {
    options.tls = tls_settings::trusting(ca.pem()).value();
  }

  static test::sink_options secure(const test::certificate& with) {
    test::sink_options out;
    out.tls = test::server_context(with);
    return out;
  }

  exchange_result call_with(const test::certificate& with,
                            std::string_view host = {}) {
    http_sink sink{{}, secure(with)};
    auto result = call(sink.url("/", host));
    if (result.status == 0) {
      EXPECT_EQ(sink.size(), 0u) << "sent to a receiver that is not trusted";
    }
    return result;
  }

  test::certificate_authority ca;
};

TEST_F(HttpClientTlsTest, TakesAGoodCertificate) {
  http_sink sink{{}, secure(ca.good())};
  const auto result = call(sink.url("/", "localhost"));
  EXPECT_EQ(result.status, 200) << result.reason;
  EXPECT_GT(result.timings.tls, 0us);
  EXPECT_EQ(sink.records().at(0).server_name, "localhost");
  // By address: no server name, the certificate must list the address.
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.records().at(1).server_name, "");
}

TEST_F(HttpClientTlsTest, NamesTheCheckThatFailed) {
  EXPECT_EQ(call_with(test::self_signed()).reason,
            "tls: self-signed certificate");
  EXPECT_EQ(call_with(ca.expired()).reason, "tls: certificate has expired");
  EXPECT_EQ(call_with(ca.not_yet_valid()).reason,
            "tls: certificate is not yet valid");
  EXPECT_EQ(call_with(ca.wrong_host(), "localhost").reason,
            "tls: certificate is not for this host (localhost)");
  EXPECT_EQ(call_with(ca.wrong_host()).reason,
            "tls: certificate is not for this host (127.0.0.1)");
  EXPECT_EQ(call_with(ca.good({"localhost"})).reason,
            "tls: certificate is not for this host (127.0.0.1)");
  EXPECT_EQ(call_with(test::certificate_authority{"Stranger"}.good()).reason,
            "tls: certificate is not signed by a trusted authority");
}

TEST_F(HttpClientTlsTest, TrustsNoPrivateAuthorityByDefault) {
  options.tls = tls_settings::make().value();
  EXPECT_EQ(call_with(ca.good()).reason,
            "tls: certificate is not signed by a trusted authority");
}

TEST_F(HttpClientTlsTest, SaysSoWhenTheReceiverSpeaksNoTls) {
  http_sink sink;
  auto url = sink.url();
  url.insert(4, "s");
  EXPECT_THAT(call(url).reason, StartsWith("tls: "));
}

TEST_F(HttpClientTlsTest, KeepsConnectionsAndSessions) {
  std::atomic<bool> keep{true};
  http_sink sink{[&](const request_record&) {
                   response_plan plan;
                   if (!keep)
                     plan.after = response_plan::ending::close;
                   return plan;
                 },
                 secure(ca.good())};
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(call(sink.url("/", "localhost")).status, 200);
  EXPECT_EQ(sink.connections(), 1u);
  keep = false;
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(call(sink.url("/", "localhost")).status, 200);
  const auto records = sink.records();
  EXPECT_FALSE(records.front().session_reused);
  EXPECT_TRUE(records.back().session_reused);
  EXPECT_EQ(sink.connections(), 3u);
}

TEST_F(HttpClientTlsTest, SendsLargeBodiesUnchanged) {
  http_sink sink{{}, secure(ca.good())};
  for (const std::size_t size : {0u, 100u, 12'288u, 12'289u, 3'000'000u}) {
    std::string body(size, '\0');
    for (std::size_t i = 0; i < body.size(); ++i)
      body[i] = static_cast<char>('a' + i % 23);
    sink.clear();
    ASSERT_EQ(call(sink.url("/", "localhost"), body).status, 200);
    EXPECT_TRUE(sink.records().at(0).body == body) << size;
  }
}

TEST_F(HttpClientTlsTest, RunsManyExchanges) {
  http_sink sink{{}, secure(ca.good())};
  const auto to = target::parse(sink.url("/", "localhost")).value();
  std::size_t started = 0;
  std::size_t succeeded = 0;
  std::size_t ended = 0;
  std::function<void()> next = [&] {
    if (started == 1'000)
      return;
    ++started;
    client().send({to, body_of("{}"), {}}, [&](exchange_result&& result) {
      ++ended;
      succeeded += result.status == 200;
      next();
    });
  };
  for (int i = 0; i < 16; ++i)
    next();
  ASSERT_TRUE(run_until([&] { return ended == 1'000; }));
  EXPECT_EQ(succeeded, 1'000u);
  EXPECT_LE(sink.connections(), 16u);
}

// -- the end ------------------------------------------------------------------

TEST_F(HttpClientTest, EndsEveryExchangeWhenItIsClosed) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  std::vector<std::string> reasons;
  const auto start = [&](const std::string& url) {
    client().send({target::parse(url).value(), body_of("{}"), {}},
                  [&](exchange_result&& result) {
                    EXPECT_EQ(result.status, 0);
                    reasons.push_back(result.reason);
                  });
  };
  start(sink.url());
  ASSERT_TRUE(run_until([&] { return sink.size() == 1; }));
  start(sink.url("/", "looked.up"));
  ASSERT_TRUE(run_until([&] { return names->waiting.size() == 1; }));
  start(sink.url()); // has not begun
  EXPECT_EQ(client().active(), 3u);
  client().close();
  EXPECT_EQ(reasons,
            std::vector<std::string>(3, "cancelled: the engine is stopping"));
  EXPECT_EQ(client().active(), 0u);
  // What comes later ends the same way, but not before send() returns.
  start(sink.url());
  EXPECT_EQ(reasons.size(), 3u);
  ASSERT_TRUE(run_until([&] { return reasons.size() == 4; }));
  EXPECT_EQ(reasons.back(), "cancelled: the engine is stopping");
  // Nothing is left to run.
  io.restart();
  io.run();
  EXPECT_EQ(reasons.size(), 4u);
}

TEST_F(HttpClientTest, CallsNobodyBackAfterItIsGone) {
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  int ended = 0;
  const auto start = [&] {
    client().send({target::parse(sink.url()).value(), body_of("{}"), {}},
                  [&](exchange_result&&) { ++ended; });
  };
  start();
  ASSERT_TRUE(run_until([&] { return sink.size() == 1; }));
  start();
  client_ = nullptr;
  EXPECT_EQ(ended, 2);
  io.restart();
  io.run();
  EXPECT_EQ(ended, 2);
}

TEST_F(HttpClientTest, MayBeDestroyedByACompletion) {
  http_sink sink;
  bool ended = false;
  client().send({target::parse(sink.url()).value(), body_of("{}"), {}},
                [&](exchange_result&& result) {
                  EXPECT_EQ(result.status, 200);
                  client_ = nullptr;
                  ended = true;
                });
  ASSERT_TRUE(run_until([&] { return ended; }));
  io.restart();
  io.run();

  options.policy = address_policy{};
  ended = false;
  client().send({target::parse("http://localhost/").value(), body_of(""), {}},
                [&](exchange_result&&) {
                  client_ = nullptr;
                  ended = true;
                });
  ASSERT_TRUE(run_until([&] { return ended; }));
}

TEST_F(HttpClientTest, MayBeGoneBeforeItsContextRuns) {
  client().send({target::parse("http://127.0.0.1:1/").value(), body_of(""), {}},
                [](exchange_result&&) {});
  client_ = nullptr; // the context still holds what send() posted
}

} // namespace
} // namespace fanfare::protocol
