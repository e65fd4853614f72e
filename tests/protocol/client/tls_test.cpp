// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/tls.hpp"

#include "protocol/target/target.hpp"
#include "tests/protocol/client/client_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/http_sink.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/ssl/context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

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
  EXPECT_THAT(call_with(test::certificate_authority{"Stranger"}.good()).reason,
              StartsWith("tls: certificate is not signed by a trusted "
                         "authority"));
}

TEST_F(HttpClientTlsTest, TrustsNoPrivateAuthorityByDefault) {
  options.tls = tls_settings::make().value();
  EXPECT_THAT(call_with(ca.good()).reason,
              StartsWith("tls: certificate is not signed by a trusted "
                         "authority"));
}

TEST_F(HttpClientTlsTest, TrustsWhatIsGivenWhoeverHasSignedIt) {
  const auto middle = ca.intermediate("Middle");
  const auto leaf = middle.good();
  const auto own = test::self_signed();
  test::temp_dir dir;
  const auto file = dir.write("ca.pem", middle.pem());
  const std::pair<std::shared_ptr<tls_settings>, test::certificate> table[] = {
    {tls_settings::trusting(middle.pem()).value(), leaf},
    {tls_settings::make(file.string()).value(), leaf},
    {tls_settings::of_webhook(middle.pem(), {}, {}).value(), leaf},
    {tls_settings::of_webhook(leaf.certificate_pem, {}, {}).value(), leaf},
    {tls_settings::of_webhook(own.certificate_pem, {}, {}).value(), own},
  };
  for (const auto& [trusted, shown] : table) {
    client_ = nullptr;
    options.policy = loopback_allowed();
    options.tls = trusted;
    EXPECT_EQ(call_with(shown).reason, "");
    // And nothing else.
    EXPECT_THAT(call_with(ca.good()).reason,
                StartsWith("tls: certificate is not signed by"));
  }
  // It has to be for the host all the same.
  const auto other = ca.wrong_host();
  client_ = nullptr;
  options.policy = loopback_allowed();
  options.tls = tls_settings::trusting(other.certificate_pem).value();
  EXPECT_EQ(call_with(other).reason,
            "tls: certificate is not for this host (127.0.0.1)");
}

TEST_F(HttpClientTlsTest, NamesWhatIsWrongWithAChain) {
  const auto middle = ca.intermediate("Middle");
  auto leaf = middle.good();
  EXPECT_EQ(call_with(leaf).reason,
            "tls: certificate is not signed by a trusted authority, or the "
            "receiver does not send its intermediate certificate");
  leaf.certificate_pem += middle.pem();
  EXPECT_EQ(call_with(leaf).reason, "");
  const auto old = ca.intermediate("Old one", -1h);
  leaf = old.good();
  leaf.certificate_pem += old.pem();
  EXPECT_EQ(call_with(leaf).reason,
            "tls: the certificate of an authority has expired (Old one)");
}

TEST_F(HttpClientTlsTest, SaysSoWhenTheReceiverSpeaksOnlyHttp2) {
  auto how = secure(ca.good());
  SSL_CTX_set_alpn_select_cb(
    how.tls->native_handle(),
    [](SSL*, const unsigned char**, unsigned char*, const unsigned char*,
       unsigned, void*) { return SSL_TLSEXT_ERR_ALERT_FATAL; },
    nullptr);
  http_sink sink{{}, how};
  EXPECT_EQ(call(sink.url()).reason,
            "tls: the receiver does not speak HTTP/1.1; it speaks HTTP/2 only");
}

TEST_F(HttpClientTlsTest, SaysSoWhenTheReceiverDoesNotKnowTheHost) {
  const std::pair<int, const char*> table[] = {
    {SSL_AD_UNRECOGNIZED_NAME,
     "tls: the receiver does not know the host localhost"},
    {SSL_AD_INTERNAL_ERROR, "tls: the receiver reports an internal error; it "
                            "may not know the host localhost"},
  };
  for (auto [alert, reason] : table) {
    auto how = secure(ca.good());
    auto* raw = how.tls->native_handle();
    SSL_CTX_set_tlsext_servername_arg(raw, &alert);
    SSL_CTX_set_tlsext_servername_callback(
      raw, +[](SSL*, int* said, void* wanted) {
        *said = *static_cast<int*>(wanted);
        return SSL_TLSEXT_ERR_ALERT_FATAL;
      });
    http_sink sink{{}, how};
    EXPECT_EQ(call(sink.url("/", "localhost")).reason, reason);
  }
}

/// As Node and lighttpd do: no ticket after a resumption.
SSL_TICKET_RETURN no_further_ticket(SSL* ssl, SSL_SESSION*,
                                    const unsigned char*, std::size_t,
                                    SSL_TICKET_STATUS status, void*) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  SSL_set_num_tickets(ssl, 0);
  return SSL_TICKET_RETURN_USE;
}

TEST_F(HttpClientTlsTest, UsesEachOfTwoTicketsOnce) {
  auto how = secure(ca.good());
  SSL_CTX_set_num_tickets(how.tls->native_handle(), 2);
  SSL_CTX_set_session_ticket_cb(how.tls->native_handle(), nullptr,
                                no_further_ticket, nullptr);
  http_sink sink{[](const request_record&) {
                   response_plan plan;
                   plan.after = response_plan::ending::close;
                   return plan;
                 },
                 how};
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(call(sink.url("/", "localhost")).status, 200);
  std::vector<bool> reused;
  for (const auto& each : sink.records())
    reused.push_back(each.session_reused);
  EXPECT_EQ(reused, (std::vector<bool>{false, true, true, false, true}));
}

TEST_F(HttpClientTlsTest, SaysSoWhenTheReceiverWantsToRenegotiate) {
  const auto with = ca.good();
  raw_receiver receiver{{[&](tcp::socket& socket) {
    const auto context = test::server_context(with);
    SSL_CTX_set_max_proto_version(context->native_handle(), TLS1_2_VERSION);
    auto* ssl = SSL_new(context->native_handle());
    SSL_set_fd(ssl, socket.native_handle());
    char byte = 0;
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1) {
      SSL_renegotiate(ssl);
      SSL_do_handshake(ssl);   // asks
      SSL_read(ssl, &byte, 1); // and is refused
      SSL_do_handshake(ssl);
    }
    SSL_free(ssl);
  }}};
  auto url = receiver.url();
  url.insert(4, "s");
  EXPECT_THAT(call(url, "").reason,
              StartsWith("tls: the receiver wants to renegotiate"));
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
