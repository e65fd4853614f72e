// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/tls.hpp"

#include "protocol/target/target.hpp"
#include "tests/protocol/client/client_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/http_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace fanfare::protocol {
namespace {

using test::http_sink;
using test::request_record;
using test::response_plan;
using ::testing::StartsWith;

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

} // namespace
} // namespace fanfare::protocol
