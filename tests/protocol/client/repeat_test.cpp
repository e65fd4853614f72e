// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/repeat.hpp"

#include "tests/protocol/client/client_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/http_sink.hpp"

#include <boost/asio/ssl/context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <future>

namespace fanfare::protocol {
namespace {

using ::testing::StartsWith;

TEST(MayRepeatTest, IsOnlyForARequestThatTheReceiverCannotHaveRead) {
  constexpr lost_exchange stale{.by_peer = true, .reused = true};
  EXPECT_TRUE(may_repeat(stale));
  auto changed = stale;
  changed.by_peer = false; // a failure of our own side
  EXPECT_FALSE(may_repeat(changed));
  changed = stale;
  changed.reused = false;
  EXPECT_FALSE(may_repeat(changed));
  changed.elsewhere = true;
  EXPECT_TRUE(may_repeat(changed));
  changed = stale;
  changed.repeated = true;
  EXPECT_FALSE(may_repeat(changed));
  changed = stale;
  changed.begun = true;
  EXPECT_FALSE(may_repeat(changed));
}

TEST(MayRepeatTest, IsOnlyForAnEndThatComesSoonAfterTheRequest) {
  lost_exchange how{.by_peer = true, .reused = true, .after = 1s};
  EXPECT_TRUE(may_repeat(how));
  how.after += 1ns;
  EXPECT_FALSE(may_repeat(how));
}

TEST(MayRepeatTest, IsForA408ThatTheReceiverSaysToAnIdleConnection) {
  constexpr early_answer idle{.status = 408, .reused = true, .after = 1s};
  EXPECT_TRUE(may_repeat(idle));
  auto changed = idle;
  changed.status = 400;
  EXPECT_FALSE(may_repeat(changed));
  changed = idle;
  changed.interim = true;
  EXPECT_FALSE(may_repeat(changed));
  changed = idle;
  changed.reused = false;
  EXPECT_FALSE(may_repeat(changed));
  changed = idle;
  changed.repeated = true;
  EXPECT_FALSE(may_repeat(changed));
  changed = idle;
  changed.after += 1ns;
  EXPECT_FALSE(may_repeat(changed));
}

class RepeatTest : public HttpClientTest {};

TEST_F(RepeatTest, SendsAgainOnceAnIdleConnectionWasClosed) {
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
    const auto first = call(receiver.url(), "");
    EXPECT_EQ(first.status, 200);
    EXPECT_FALSE(first.repeated);
    const auto before = client().connects();
    const auto result = call(receiver.url(), "");
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.reason, "");
    EXPECT_TRUE(result.repeated);
    EXPECT_EQ(client().connects(), before + 1);
    client_ = nullptr;
    options.policy = loopback_allowed();
  }
}

TEST_F(RepeatTest, SendsAgainOnlyOnce) {
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
  EXPECT_TRUE(result.repeated);
}

TEST_F(RepeatTest, SendsAgainAfterA408ForAnIdleConnection) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const std::string late = "HTTP/1.1 408 Request Timeout\r\nX-Late: 1\r\n"
                           "Retry-After: 9\r\n";
  for (const std::string end :
       {"Connection: close\r\nContent-Length: 4\r\n\r\nlate", "\r\nlate"}) {
    raw_receiver receiver{{[&](tcp::socket& socket) {
                             raw_receiver::read_head(socket);
                             raw_receiver::say(socket, fine);
                             raw_receiver::read_head(socket);
                             raw_receiver::say(socket, late + end);
                           },
                           [&](tcp::socket& socket) {
                             raw_receiver::read_head(socket);
                             raw_receiver::say(socket, fine);
                           }}};
    EXPECT_EQ(call(receiver.url(), "").status, 200);
    const auto result = call(receiver.url(), "");
    EXPECT_EQ(result.status, 200);
    EXPECT_TRUE(result.repeated);
    // Nothing is left of the first answer.
    EXPECT_EQ(result.reason, "");
    EXPECT_EQ(result.response_head, "Content-Length: 0\r\n");
    EXPECT_EQ(result.response_body, "");
    EXPECT_EQ(result.retry_after, "");
  }
}

TEST_F(RepeatTest, SendsAgainAfterA408ThatDoesNotSayThatItIsTheLast) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  raw_receiver receiver{{[&](tcp::socket& socket) {
                           raw_receiver::read_head(socket);
                           raw_receiver::say(socket, fine);
                           raw_receiver::read_head(socket);
                           raw_receiver::say(socket,
                                             "HTTP/1.1 408 Request Timeout\r\n"
                                             "Content-Length: 4\r\n\r\nlate");
                         },
                         [&](tcp::socket& socket) {
                           raw_receiver::read_head(socket);
                           raw_receiver::say(socket, fine);
                         }}};
  EXPECT_EQ(call(receiver.url(), "").status, 200);
  const auto result = call(receiver.url(), "");
  EXPECT_EQ(result.status, 200);
  EXPECT_TRUE(result.repeated);
  EXPECT_EQ(result.reason, "");
  EXPECT_EQ(result.response_body, "");
}

TEST_F(RepeatTest, TakesA408OfAFreshOrALivingConnectionForTheAnswer) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const std::string late = "HTTP/1.1 408 Request Timeout\r\n"
                           "Content-Length: 0\r\n";
  raw_receiver receiver{{[&](tcp::socket& socket) {
                           raw_receiver::read_head(socket);
                           raw_receiver::say(socket, late
                                                       + "Connection: "
                                                         "close\r\n\r\n");
                         },
                         [&](tcp::socket& socket) {
                           raw_receiver::read_head(socket);
                           raw_receiver::say(socket, fine);
                           raw_receiver::read_head(socket);
                           raw_receiver::say(socket, late + "\r\n");
                           raw_receiver::drain(socket);
                         }}};
  const auto fresh = call(receiver.url(), "");
  EXPECT_EQ(fresh.status, 408);
  EXPECT_FALSE(fresh.repeated);
  EXPECT_EQ(call(receiver.url(), "").status, 200);
  const auto living = call(receiver.url(), "");
  EXPECT_EQ(living.status, 408);
  EXPECT_FALSE(living.repeated);
  EXPECT_EQ(living.reason, "");
  EXPECT_EQ(client().idle(), 0u) << "it may be about to be closed";
  client_ = nullptr;
}

TEST_F(RepeatTest, TakesA408ForTheAnswerUnlessTheConnectionEnds) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  // An odd head, an odd body, bytes behind it at once or a little later.
  for (const std::string late :
       {"HTTP/1.1 408 Late\nContent-Length: 0\n\n",
        "HTTP/1.1 408 Late\r\nno field\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\nmore",
        "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n|more"}) {
    raw_receiver receiver{{[&](tcp::socket& socket) {
                             raw_receiver::read_head(socket);
                             raw_receiver::say(socket, fine);
                             raw_receiver::read_head(socket);
                             const auto pause = late.find('|');
                             raw_receiver::say(socket, late.substr(0, pause));
                             if (pause != std::string::npos) {
                               std::this_thread::sleep_for(50ms);
                               raw_receiver::say(socket,
                                                 late.substr(pause + 1));
                             }
                             raw_receiver::drain(socket);
                           },
                           [&](tcp::socket& socket) {
                             raw_receiver::read_head(socket);
                             raw_receiver::say(socket, fine);
                           }}};
    EXPECT_EQ(call(receiver.url(), "").status, 200);
    const auto result = call(receiver.url(), "");
    EXPECT_EQ(result.status, 408) << late;
    EXPECT_FALSE(result.repeated) << late;
    EXPECT_EQ(client().idle(), 0u) << late;
  }
}

TEST_F(RepeatTest, SendsAgainAfterAnOdd408ThatIsTheLast) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  // It ends behind the answer, and within it.
  for (const std::string late :
       {"HTTP/1.1 408 Late\nContent-Length: 0\n\n",
        "HTTP/1.1 408 Late\r\nContent-Length: 9\r\n\r\nlate"}) {
    raw_receiver receiver{{[&](tcp::socket& socket) {
                             raw_receiver::read_head(socket);
                             raw_receiver::say(socket, fine);
                             raw_receiver::read_head(socket);
                             raw_receiver::say(socket, late);
                           },
                           [&](tcp::socket& socket) {
                             raw_receiver::read_head(socket);
                             raw_receiver::say(socket, fine);
                           }}};
    EXPECT_EQ(call(receiver.url(), "").status, 200);
    const auto result = call(receiver.url(), "");
    EXPECT_EQ(result.status, 200) << late;
    EXPECT_TRUE(result.repeated) << late;
    EXPECT_EQ(result.reason, "") << late;
  }
}

TEST_F(RepeatTest, TakesA408BehindAnInterimAnswerForTheAnswer) {
  raw_receiver receiver{{[](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    raw_receiver::read_head(socket);
    raw_receiver::say(socket, "HTTP/1.1 100 Continue\r\n\r\n"
                              "HTTP/1.1 408 Request Timeout\r\n"
                              "Connection: close\r\n\r\n");
  }}};
  EXPECT_EQ(call(receiver.url(), "").status, 200);
  const auto result = call(receiver.url(), "");
  EXPECT_EQ(result.status, 408);
  EXPECT_FALSE(result.repeated);
}

TEST_F(RepeatTest, TakesAnEmptyLineForNoPartOfAnAnswer) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  for (const bool hard : {false, true}) {
    raw_receiver receiver{
      {[&](tcp::socket& socket) {
         raw_receiver::read_head(socket);
         raw_receiver::say(socket, fine);
         raw_receiver::read_head(socket);
         raw_receiver::say(socket, "\r\n");
         if (hard)
           socket.set_option(asio::socket_base::linger{true, 0});
       },
       [&](tcp::socket& socket) {
         raw_receiver::read_head(socket);
         raw_receiver::say(socket, fine);
         raw_receiver::drain(socket);
       }}};
    EXPECT_EQ(call(receiver.url(), "").status, 200);
    const auto result = call(receiver.url(), "");
    EXPECT_EQ(result.status, 200) << result.reason;
    EXPECT_TRUE(result.repeated);
    client_ = nullptr;
    options.policy = loopback_allowed();
  }
  // A fresh connection is no idle one.
  raw_receiver fresh{{[](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket, "\r\n");
  }}};
  EXPECT_EQ(call(fresh.url(), "").reason,
            "reset: connection closed before an answer");
}

TEST_F(RepeatTest, DoesNotSendAgainBehindAnInterimAnswer) {
  for (const bool hard : {false, true}) {
    std::promise<void> said;
    auto is_said = said.get_future();
    std::promise<void> seen;
    auto is_seen = seen.get_future();
    raw_receiver receiver{{[&](tcp::socket& socket) {
      raw_receiver::read_head(socket);
      raw_receiver::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      raw_receiver::read_head(socket);
      raw_receiver::say(socket, "HTTP/1.1 100 Continue\r\n\r\n");
      said.set_value();
      // A reset throws away what the client has not read.
      is_seen.wait_for(10s);
      if (hard) {
        socket.set_option(asio::socket_base::linger{true, 0});
        socket.close();
      }
    }}};
    EXPECT_EQ(call(receiver.url(), "").status, 200);
    std::optional<exchange_result> out;
    client().send({target::parse(receiver.url()).value(), body_of(""), {}},
                  [&](exchange_result&& result) { out = std::move(result); });
    ASSERT_TRUE(run_until(
      [&] { return is_said.wait_for(0s) == std::future_status::ready; }));
    // It is there, so one look reads it.
    io.restart();
    io.poll();
    EXPECT_FALSE(out);
    seen.set_value();
    ASSERT_TRUE(run_until([&] { return out.has_value(); }));
    EXPECT_EQ(out->status, 0);
    EXPECT_EQ(out->reason, hard ? "reset: connection reset by peer after an "
                                  "interim answer"
                                : "reset: connection closed after an interim "
                                  "answer");
    EXPECT_FALSE(out->repeated);
    client_ = nullptr;
    options.policy = loopback_allowed();
  }
}

TEST_F(RepeatTest, IsNoneUnlessASecondRequestGoesOut) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  names->at_once = {{asio::ip::make_address("127.0.0.1")}, ""};
  raw_receiver receiver{{[](tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    raw_receiver::read_head(socket);
  }}};
  auto url = receiver.url();
  url.replace(url.find("127.0.0.1"), 9, "moved.example");
  EXPECT_EQ(call(url, "").status, 200);
  // Nobody is there.
  names->at_once = {{asio::ip::make_address("127.0.0.9")}, ""};
  const auto result = call(url, "");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.reason, StartsWith("connect: connection refused"));
  EXPECT_FALSE(result.repeated);
}

/// Answers the first request over TLS, and of the answer to the second sends so
/// many bytes of its record before it closes the connection.
raw_receiver::script cutting(const test::certificate& with, std::size_t bytes) {
  return [with, bytes](tcp::socket& socket) {
    const std::string_view fine{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    const auto context = test::server_context(with);
    auto* ssl = SSL_new(context->native_handle());
    SSL_set_fd(ssl, socket.native_handle());
    const auto read_head = [&] {
      std::string text;
      char byte = 0;
      while (text.find("\r\n\r\n") == std::string::npos
             && SSL_read(ssl, &byte, 1) == 1)
        text += byte;
    };
    if (SSL_accept(ssl) == 1) {
      read_head();
      SSL_write(ssl, fine.data(), static_cast<int>(fine.size()));
      read_head();
      auto* record = BIO_new(BIO_s_mem());
      SSL_set0_wbio(ssl, record);
      SSL_write(ssl, fine.data(), static_cast<int>(fine.size()));
      char* data = nullptr;
      if (BIO_get_mem_data(record, &data) > static_cast<long>(bytes))
        raw_receiver::say(socket, {data, bytes});
    }
    SSL_free(ssl);
  };
}

TEST_F(RepeatTest, DoesNotSendAgainOnceAPartOfARecordHasCome) {
  const test::certificate_authority ca;
  options.tls = tls_settings::trusting(ca.pem()).value();
  // Of the header, the header, of the body.
  for (const std::size_t bytes : {1u, 5u, 6u, 30u}) {
    raw_receiver receiver{{cutting(ca.good(), bytes)}};
    auto url = receiver.url();
    url.insert(4, "s");
    EXPECT_EQ(call(url, "").status, 200);
    const auto before = client().connects();
    const auto result = call(url, "");
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.reason, "reset: connection ended within the first TLS "
                             "record of the answer")
      << bytes;
    EXPECT_FALSE(result.repeated);
    EXPECT_EQ(client().connects(), before);
  }
}

TEST_F(RepeatTest, SendsAgainIfNothingOfARecordHasCome) {
  const test::certificate_authority ca;
  options.tls = tls_settings::trusting(ca.pem()).value();
  raw_receiver receiver{{cutting(ca.good(), 0), cutting(ca.good(), 0)}};
  auto url = receiver.url();
  url.insert(4, "s");
  EXPECT_EQ(call(url, "").status, 200);
  const auto result = call(url, "");
  EXPECT_EQ(result.status, 200) << result.reason;
  EXPECT_TRUE(result.repeated);
  client_ = nullptr;
}

} // namespace
} // namespace fanfare::protocol
