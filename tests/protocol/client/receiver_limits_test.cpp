// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What receivers may do to the client, and where it stops them: both sides of
/// each limit, and the exchange that comes next.

#include "protocol/client/http_client.hpp"
#include "protocol/target/target.hpp"
#include "tests/protocol/client/client_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/http_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace fanfare::protocol {
namespace {

using test::http_sink;
using test::request_record;
using test::response_plan;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ReceiverLimitsTest : public HttpClientTest {
protected:
  /// A receiver that says this, byte for byte, and leaves the connection open.
  static http_sink::handler saying(std::string raw, std::size_t piece = 0) {
    return [raw = std::move(raw), piece](const request_record&) {
      response_plan plan;
      plan.raw = raw;
      plan.drip_size = piece;
      return plan;
    };
  }

  /// What comes next on the same client goes well.
  void expect_unaffected() {
    http_sink other;
    EXPECT_EQ(call(other.url()).status, 200);
    EXPECT_EQ(client().active(), 0u);
  }

  /// The last one on a connection.
  static void next_answer(tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket, "HTTP/1.1 204 Next\r\nConnection: close\r\n\r\n");
  }

  exchange_limits limits;
};

// -- the head -----------------------------------------------------------------

TEST_F(ReceiverLimitsTest, TakesAHeadOfExactlyTheLimit) {
  const std::string head = "HTTP/1.1 200 OK\r\nX-Long: " + std::string(300, 'y')
                         + "\r\nContent-Length: 2\r\n\r\n";
  for (const std::size_t piece : {0u, 1u, 100u}) {
    http_sink sink{saying(head + "ok", piece)};
    limits.head_limit = head.size();
    const auto exact = call(sink.url(), "{}", limits);
    EXPECT_EQ(exact.status, 200) << exact.reason;
    EXPECT_EQ(exact.reason, "");
    EXPECT_EQ(client().idle(), 1u);
    --limits.head_limit;
    const auto beyond = call(sink.url(), "{}", limits);
    EXPECT_EQ(beyond.status, 200);
    EXPECT_EQ(beyond.reason, "too large: head cut at "
                               + std::to_string(limits.head_limit) + " bytes");
    EXPECT_EQ(client().idle(), 0u);
  }
}

TEST_F(ReceiverLimitsTest, CountsTheHeadOfTheAnswerAlone) {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: "
                            + std::string(200, 'x') + "\r\n\r\n";
  const std::string last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  for (const std::size_t piece : {0u, 7u}) {
    http_sink sink{saying(interim + interim + interim + last, piece)};
    limits.head_limit = last.size();
    const auto exact = call(sink.url(), "{}", limits);
    EXPECT_EQ(exact.status, 200);
    EXPECT_EQ(exact.reason, "");
    --limits.head_limit;
    const auto beyond = call(sink.url(), "{}", limits);
    EXPECT_EQ(beyond.status, 200);
    EXPECT_THAT(beyond.reason, StartsWith("too large: head cut at "));
  }
}

TEST_F(ReceiverLimitsTest, EndsAStormOfInterimAnswers) {
  raw_receiver receiver{{[](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    boost::system::error_code failed;
    while (!failed)
      asio::write(socket, asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25),
                  failed);
  }}};
  EXPECT_EQ(call(receiver.url(), "").reason,
            "too large: what comes before the answer exceeds 1048576 bytes");
  expect_unaffected();
}

TEST_F(ReceiverLimitsTest, EndsAHeadWithoutEnd) {
  // Many lines, one line, a line that is folded for ever.
  const std::pair<const char*, const char*> table[] = {
    {"HTTP/1.1 200 OK\r\n", "X: 0123456789\r\n"},
    {"HTTP/1.1 200 OK\r\nX: ", "0123456789"},
    {"HTTP/1.1 200 ", "0123456789"},
    {"HTTP/1.1 200 OK\r\nX: 1", "\r\n 0123456789"}};
  for (const auto& each : table) {
    const std::string_view start = each.first;
    const std::string_view repeated = each.second;
    raw_receiver receiver{{[&](tcp::socket& socket) {
      raw_receiver::read_head(socket);
      raw_receiver::say(socket, start);
      boost::system::error_code failed;
      while (!failed)
        asio::write(socket, asio::buffer(repeated), failed);
    }}};
    const auto result = call(receiver.url(), "");
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.reason,
              start.find('\n') != std::string_view::npos
                ? "too large: head cut at 16384 bytes"
                : "head cut: its status line exceeds 8192 bytes");
    EXPECT_LE(result.response_head.size(), 8u * 1024);
    expect_unaffected();
  }
}

TEST_F(ReceiverLimitsTest, UnfoldsHeaders) {
  http_sink sink{
    saying("HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\n\tthree\r\n"
           "Content-Length: 2\r\n\r\nok")};
  const auto result = call(sink.url());
  EXPECT_EQ(result.status, 200) << result.reason;
  EXPECT_THAT(result.response_head, HasSubstr("X-Folded: one two three\r\n"));
  EXPECT_EQ(result.response_body, "ok");
}

// -- Retry-After --------------------------------------------------------------

TEST_F(ReceiverLimitsTest, ReportsRetryAfterAsItWasSent) {
  const auto date = "Wed, 21 Oct 2026 07:28:00 GMT";
  const auto answer = [](const std::string& lines) {
    return "HTTP/1.1 503 x\r\n" + lines + "Content-Length: 0\r\n\r\n";
  };
  const std::pair<std::string, std::string> table[] = {
    {answer(""), ""},
    {answer("Retry-After: 120\r\n"), "120"},
    {answer("retry-after:  " + std::string{date} + " \r\n"), date},
    {answer("Retry-After: soon\r\n"), "soon"},
    {answer("Retry-After: 1\r\nRetry-After: 2\r\n"), "1"},
    {answer("Retry-After: " + std::string(128, '1') + "\r\n"),
     std::string(128, '1')},
    {answer("Retry-After: " + std::string(129, '1') + "\r\n"), ""},
    // Behind more than is kept of a head.
    {answer("X-Long: " + std::string(9'000, 'x') + "\r\nRetry-After: 7\r\n"),
     "7"},
    // Of the final answer only, and of its head only.
    {"HTTP/1.1 103 x\r\nRetry-After: 5\r\n\r\n" + answer(""), ""},
    {"HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\nRetry-After: 5\r\n\r\n",
     ""},
  };
  for (const auto& [raw, expected] : table) {
    http_sink sink{saying(raw)};
    const auto result = call(sink.url());
    EXPECT_EQ(result.status, 503) << raw << ": " << result.reason;
    EXPECT_EQ(result.retry_after, expected) << raw;
  }
}

// -- the body -----------------------------------------------------------------

TEST_F(ReceiverLimitsTest, TakesABodyOfExactlyTheLimit) {
  struct row {
    const char* what;
    std::string head;
    std::string body; // as it comes over the wire
    bool ends = false;
  };
  const row table[] = {
    {"by length", "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n",
     std::string(20'000, 'x')},
    {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     "7d0\r\n" + std::string(2'000, 'x') + "\r\n0\r\n\r\n"},
    {"until the end", "HTTP/1.1 200 OK\r\n\r\n", std::string(9'000, 'x'), true},
  };
  for (const auto& row : table)
    for (const std::size_t piece : {0u, 997u}) {
      http_sink sink{[&](const request_record&) {
        response_plan plan;
        plan.raw = row.head + row.body;
        plan.drip_size = piece;
        if (row.ends)
          plan.after = response_plan::ending::close;
        return plan;
      }};
      limits.body_limit = row.body.size();
      const auto exact = call(sink.url(), "{}", limits);
      EXPECT_EQ(exact.status, 200) << row.what;
      EXPECT_EQ(exact.reason, "") << row.what;
      EXPECT_EQ(client().idle(), row.ends ? 0u : 1u);
      --limits.body_limit;
      const auto beyond = call(sink.url(), "{}", limits);
      EXPECT_EQ(beyond.status, 200) << row.what;
      EXPECT_EQ(beyond.reason, "too large: body cut at "
                                 + std::to_string(limits.body_limit) + " bytes")
        << row.what;
      EXPECT_EQ(client().idle(), 0u);
    }
}

TEST_F(ReceiverLimitsTest, DoesNotCountTheHeadAsBody) {
  // Both together are more than the limit of either.
  const std::string head = "HTTP/1.1 200 OK\r\nX-Long: " + std::string(900, 'y')
                         + "\r\nContent-Length: 1000\r\n\r\n";
  http_sink sink{saying(head + std::string(1'000, 'x'))};
  limits.head_limit = 1'000;
  limits.body_limit = 1'000;
  const auto result = call(sink.url(), "{}", limits);
  EXPECT_EQ(result.status, 200) << result.reason;
  EXPECT_EQ(result.reason, "");
}

TEST_F(ReceiverLimitsTest, TakesNoBodyAtAllIfToldTo) {
  http_sink sink{saying("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")};
  limits.body_limit = 0;
  const auto result = call(sink.url(), "{}", limits);
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(result.reason, "too large: body cut at 0 bytes");
  EXPECT_EQ(result.response_body, "");
  sink.set_handler(saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(call(sink.url(), "{}", limits).reason, "");
}

TEST_F(ReceiverLimitsTest, CutsABodyWithoutEnd) {
  for (const auto* repeated :
       {"5\r\nhello\r\n", "5;an=extension\r\nhello\r\n"}) {
    raw_receiver receiver{{[&](tcp::socket& socket) {
      raw_receiver::read_head(socket);
      raw_receiver::say(
        socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      boost::system::error_code failed;
      while (!failed)
        asio::write(socket, asio::buffer(std::string_view{repeated}), failed);
    }}};
    const auto result = call(receiver.url(), "");
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.reason, "too large: body cut at 65536 bytes");
    EXPECT_THAT(result.response_body, StartsWith("hellohello"));
    expect_unaffected();
  }
}

TEST_F(ReceiverLimitsTest, CutsAChunkExtensionWithoutEnd) {
  raw_receiver receiver{{[](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(
      socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=");
    boost::system::error_code failed;
    while (!failed)
      asio::write(socket, asio::buffer("0123456789", 10), failed);
  }}};
  const auto result = call(receiver.url(), "");
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(result.reason, "too large: body cut at 65536 bytes");
  expect_unaffected();
}

TEST_F(ReceiverLimitsTest, CutsTheBodyAtGarbageInPlaceOfChunks) {
  for (const auto* garbage :
       {"xyz\r\n", "-5\r\nhello\r\n", "fffffffffffffffff\r\n",
        "5\r\nhelloXX5\r\nhello\r\n", "5x5\r\nhello\r\n",
        "\r\n5\r\nhello\r\n"}) {
    http_sink sink{
      saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             + std::string{garbage})};
    const auto result = call(sink.url());
    EXPECT_EQ(result.status, 200) << garbage;
    EXPECT_THAT(result.reason, HasSubstr("its chunks cannot be told apart"))
      << garbage;
    EXPECT_EQ(client().idle(), 0u);
  }
  expect_unaffected();
}

TEST_F(ReceiverLimitsTest, NeverDecompresses) {
  // Ten kilobytes of zeros would be ten megabytes of them.
  std::string bomb = "\x1f\x8b\x08";
  bomb.resize(10'000, '\0');
  http_sink sink{saying("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                        "Content-Length: 10000\r\n\r\n"
                        + bomb)};
  const auto result = call(sink.url());
  EXPECT_EQ(result.status, 200);
  EXPECT_TRUE(result.response_body == bomb);
  EXPECT_EQ(sink.records().at(0).header("Accept-Encoding"), "identity");
}

// -- the pace -----------------------------------------------------------------

TEST_F(ReceiverLimitsTest, EndsAnAnswerThatDripsBelowTheRate) {
  http_sink sink{[](const request_record&) {
    auto plan = response_plan::answer(200, std::string(60'000, 'x'));
    plan.drip_size = 1;
    plan.drip_pause = 5ms; // at most 200 bytes a second
    return plan;
  }};
  limits.min_rate = 1'000;
  const auto start = steady_clock::now();
  const auto result = call(sink.url(), "{}", limits);
  EXPECT_EQ(result.status, 200);
  EXPECT_THAT(result.reason, StartsWith("body cut after "));
  EXPECT_THAT(result.reason, HasSubstr(" of 60000 bytes: timeout: the answer "
                                       "came with less than 1000 bytes per "
                                       "second (min_rate)"));
  // Nobody is judged before the second second.
  EXPECT_GE(steady_clock::now() - start, 1s);
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(ReceiverLimitsTest, LetsAnAnswerComeThatKeepsTheRate) {
  // It pauses for longer than the first second, but has come fast before.
  http_sink sink{[](const request_record&) {
    auto plan = response_plan::answer(200, std::string(8'000, 'x'));
    plan.drip_size = 6'000;
    plan.drip_pause = 1'300ms;
    return plan;
  }};
  limits.min_rate = 100;
  const auto result = call(sink.url(), "{}", limits);
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(result.reason, "");
}

TEST_F(ReceiverLimitsTest, DoesNotJudgeThePaceOfAnAnswerThatHasNotBegun) {
  http_sink sink{
    [](const request_record&) { return response_plan::late(1'300ms); }};
  limits.min_rate = 1'000'000;
  EXPECT_EQ(call(sink.url(), "{}", limits).status, 200);
}

// -- endings ------------------------------------------------------------------

TEST_F(ReceiverLimitsTest, SaysWhatAResetBroke) {
  const std::pair<const char*, const char*> table[] = {
    {"HTTP/1.1 20", "reset: "},
    {"HTTP/1.1 200 OK\r\nX-He", "head cut: reset: "},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
     "body cut after 3 of 9 bytes: reset: "},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
     "body cut after 3 bytes, before its last chunk: reset: "},
    {"HTTP/1.1 200 OK\r\n\r\nabc", "body cut after 3 bytes: reset: "},
  };
  for (const auto& [raw, where] : table) {
    std::promise<void> said;
    auto is_said = said.get_future();
    std::promise<void> seen;
    auto is_seen = seen.get_future();
    raw_receiver receiver{{[&, raw = raw](tcp::socket& socket) {
      raw_receiver::read_head(socket);
      raw_receiver::say(socket, raw);
      said.set_value();
      // A reset throws away what the client has not read.
      is_seen.wait_for(10s);
      socket.set_option(asio::socket_base::linger{true, 0});
      socket.close(); // the destructor would take its time
    }}};
    std::optional<exchange_result> out;
    client().send({target::parse(receiver.url()).value(), body_of(""), limits},
                  [&](exchange_result&& result) { out = std::move(result); });
    ASSERT_TRUE(run_until(
      [&] { return is_said.wait_for(0s) == std::future_status::ready; }));
    // It is there, so one look reads it.
    io.restart();
    io.poll();
    EXPECT_FALSE(out);
    seen.set_value();
    ASSERT_TRUE(run_until([&] { return out.has_value(); }));
    const bool answered = std::string_view{raw}.find('\n')
                       != std::string_view::npos;
    EXPECT_EQ(out->status, answered ? 200 : 0) << raw;
    EXPECT_THAT(out->reason, StartsWith(where)) << raw;
    expect_unaffected();
  }
}

TEST_F(ReceiverLimitsTest, EndsAReceiverThatAcceptsAndReadsNothing) {
  std::promise<void> done;
  auto finished = done.get_future().share();
  raw_receiver receiver{{[&](tcp::socket&) { finished.wait(); },
                         [&](tcp::socket&) { finished.wait(); }}};
  limits.first_byte = 100ms;
  limits.total = 10s;
  EXPECT_EQ(call(receiver.url(), "{}", limits).reason,
            "timeout: no answer within 100 ms (first_byte)");
  done.set_value();
  expect_unaffected();
}

TEST_F(ReceiverLimitsTest, TakesAnAnswerBeforeTheRequestIsRead) {
  // The receiver answers by the head and reads no more, or only a part: its
  // answer counts, its connection does not.
  std::string body;
  body.resize(30'000'000, 'x');
  for (const auto* status : {"200 OK", "413 Too Large", "400 Bad"})
    for (const std::size_t part : {0u, 1'000'000u}) {
      std::promise<void> done;
      auto finished = done.get_future().share();
      raw_receiver receiver{{[&](tcp::socket& socket) {
                               raw_receiver::read_head(socket);
                               raw_receiver::say(
                                 socket, "HTTP/1.1 " + std::string{status}
                                           + "\r\nContent-Length: 2\r\n\r\nno");
                               std::string some(part, '\0');
                               boost::system::error_code ignored;
                               asio::read(socket, asio::buffer(some), ignored);
                               finished.wait();
                             },
                             next_answer}};
      const auto early = call(receiver.url(), body, limits);
      EXPECT_EQ(early.status, std::stoi(status)) << early.reason;
      EXPECT_EQ(early.response_body, "no");
      EXPECT_EQ(client().idle(), 0u);
      done.set_value();
      EXPECT_EQ(call(receiver.url(), "").status, 204);
    }
}

TEST_F(ReceiverLimitsTest, IsNotConfusedByAnAnswerInTheMiddleOfARequest) {
  // The receiver takes all of the request, be it that the client has sent all
  // when it sees the answer or not.
  const std::string body(3'000'000, 'x');
  for (int i = 0; i < 5; ++i) {
    raw_receiver receiver{
      {[&](tcp::socket& socket) {
         raw_receiver::read_head(socket);
         raw_receiver::say(socket,
                           "HTTP/1.1 202 OK\r\nContent-Length: 2\r\n\r\nok");
         std::string all(body.size(), '\0');
         boost::system::error_code closed;
         asio::read(socket, asio::buffer(all), closed);
         if (!closed && all == body)
           next_answer(socket);
       },
       next_answer}};
    EXPECT_EQ(call(receiver.url(), body).status, 202);
    EXPECT_EQ(call(receiver.url(), "").status, 204);
  }
}

TEST_F(ReceiverLimitsTest, TakesNothingOfAPipelinedSecondAnswer) {
  const std::string first = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                              "chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
  for (const auto& answer : {first, chunked}) {
    std::atomic<int> asked{0};
    http_sink sink{[&](const request_record&) {
      response_plan plan;
      plan.raw = asked++ == 0 ? answer + "HTTP/1.1 500 smuggled\r\n\r\n"
                              : "HTTP/1.1 201 own\r\nContent-Length: "
                                "0\r\n\r\n";
      return plan;
    }};
    const auto result = call(sink.url());
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.response_body, "ok");
    EXPECT_EQ(client().idle(), 0u);
    EXPECT_EQ(call(sink.url()).status, 201);
    EXPECT_EQ(sink.connections(), 2u);
  }
}

TEST_F(ReceiverLimitsTest, DropsAConnectionOnWhichBytesComeUnasked) {
  std::promise<void> idle;
  auto waits = idle.get_future();
  raw_receiver receiver{
    {[&](tcp::socket& socket) {
       raw_receiver::read_head(socket);
       raw_receiver::say(socket,
                         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
       waits.wait_for(10s);
       raw_receiver::say(socket, "HTTP/1.1 500 smuggled\r\n\r\n");
       raw_receiver::drain(socket);
     },
     [&](tcp::socket& socket) {
       raw_receiver::read_head(socket);
       raw_receiver::say(socket, "HTTP/1.1 201 own\r\nConnection: close\r\n"
                                 "Content-Length: 0\r\n\r\n");
     }}};
  EXPECT_EQ(call(receiver.url(), "").status, 200);
  EXPECT_EQ(client().idle(), 1u);
  idle.set_value();
  EXPECT_TRUE(run_until([&] { return client().idle() == 0; }));
  EXPECT_EQ(call(receiver.url(), "").status, 201);
}

// -- what an attempt adds to its head -----------------------------------------

class ExtraHeadTest : public ReceiverLimitsTest,
                      public ::testing::WithParamInterface<bool> {};

TEST_P(ExtraHeadTest, SendsTheLinesOfAnAttempt) {
  test::certificate_authority ca;
  options.tls = tls_settings::trusting(ca.pem()).value();
  test::sink_options how;
  if (GetParam())
    how.tls = test::server_context(ca.good());
  http_sink sink{{}, how};
  for (const std::size_t size : {2u, 20'000u, 3'000'000u})
    for (const bool extra : {true, false}) {
      exchange_request request{target::parse(sink.url()).value(),
                               body_of(std::string(size, 'x')), limits};
      if (extra)
        request.extra_head = "webhook-id: 7\r\nwebhook-timestamp: 8\r\n";
      std::optional<exchange_result> out;
      client().send(std::move(request),
                    [&](exchange_result&& result) { out = std::move(result); });
      ASSERT_TRUE(run_until([&] { return out.has_value(); }));
      EXPECT_EQ(out->status, 200) << out->reason;
      const auto record = sink.records().back();
      EXPECT_EQ(record.header("webhook-id").value_or("none"),
                extra ? "7" : "none");
      EXPECT_EQ(record.header("webhook-timestamp").value_or("none"),
                extra ? "8" : "none");
      EXPECT_EQ(record.header("Content-Length"), std::to_string(size));
      EXPECT_EQ(record.body.size(), size);
    }
  EXPECT_EQ(sink.connections(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Plain, ExtraHeadTest, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Tls, ExtraHeadTest, ::testing::Values(true));

} // namespace
} // namespace fanfare::protocol
