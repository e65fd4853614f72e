// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// TLS with the papers of one webhook: whom it trusts, what it shows, and that
/// nobody else uses its connections.

#include "protocol/client/egress.hpp"
#include "protocol/client/http_client.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/target/target.hpp"
#include "tests/protocol/client/client_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/http_sink.hpp"

#include <boost/asio/ssl/context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <atomic>

namespace fanfare::protocol {
namespace {

using test::http_sink;
using test::request_record;
using test::response_plan;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// The key, encrypted.
std::string with_passphrase(const std::string& key_pem) {
  auto* in = BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()));
  auto* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  auto* out = BIO_new(BIO_s_mem());
  char phrase[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), phrase, 6, nullptr,
                                nullptr);
  BUF_MEM* memory = nullptr;
  BIO_get_mem_ptr(out, &memory);
  std::string text{memory->data, memory->length};
  BIO_free(out);
  EVP_PKEY_free(key);
  BIO_free(in);
  return text;
}

class ClientCertificateTest : public HttpClientTest,
                              public ::testing::WithParamInterface<int> {
protected:
  ClientCertificateTest() {
    options.tls = tls_settings::trusting(ca.pem()).value();
  }

  /// A receiver that takes only clients of that authority, if one is given.
  test::sink_options receiver(const std::string& client_ca = {}) {
    test::sink_options out;
    out.tls = test::server_context(ca.good(), client_ca);
    SSL_CTX_set_max_proto_version(out.tls->native_handle(), GetParam());
    return out;
  }

  std::shared_ptr<egress>
  papers(const std::string& tag,
         const std::optional<test::certificate>& shown) {
    auto out = std::make_shared<egress>();
    out->tls = shown ? tls_settings::of_webhook(
                         ca.pem(), shown->certificate_pem, shown->key_pem)
                         .value()
                     : tls_settings::of_webhook(ca.pem(), {}, {}).value();
    out->tag = tag;
    return out;
  }

  exchange_result call_by(const std::shared_ptr<const egress>& by,
                          const std::string& url) {
    request_style style;
    style.tag = by->tag;
    exchange_request request{
      target::parse(url, style).value(), body_of("{}"), {}};
    request.by = by;
    return run(std::move(request));
  }

  test::certificate_authority ca{"Receivers"};
  test::certificate_authority clients{"Clients"};
};

TEST_P(ClientCertificateTest, IsShownWhereAReceiverAsksForIt) {
  http_sink sink{{}, receiver(clients.pem())};
  const auto result = call_by(papers("a", clients.good({"shop"})),
                              sink.url("/", "localhost"));
  EXPECT_EQ(result.status, 200) << result.reason;
  EXPECT_EQ(sink.size(), 1u);
}

TEST_P(ClientCertificateTest, HarmsNobodyWhereNoneIsAskedFor) {
  http_sink sink{{}, receiver()};
  EXPECT_EQ(call_by(papers("a", clients.good({"shop"})), sink.url()).status,
            200);
}

TEST_P(ClientCertificateTest, IsMissedByAReceiverThatAsksForIt) {
  http_sink sink{{}, receiver(clients.pem())};
  for (int i = 0; i < 3; ++i) {
    const auto result = call_by(papers("a", {}), sink.url());
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.reason,
                StartsWith("tls: the receiver asks for a client certificate"));
  }
  // Also for those that have no settings of their own.
  EXPECT_THAT(call(sink.url()).reason,
              StartsWith("tls: the receiver asks for a client certificate"));
  EXPECT_EQ(sink.size(), 0u);
  EXPECT_EQ(client().idle(), 0u);
}

TEST_P(ClientCertificateTest, IsRefusedIfItsAuthorityIsUnknown) {
  const test::certificate_authority strangers{"Strangers"};
  http_sink sink{{}, receiver(clients.pem())};
  for (const auto& shown : {strangers.good({"shop"}), test::self_signed()}) {
    const auto result = call_by(papers("a", shown), sink.url());
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.reason, "tls: the receiver does not know the authority of "
                             "the client certificate");
  }
  EXPECT_EQ(sink.size(), 0u);
}

TEST_P(ClientCertificateTest, IsRefusedIfItHasExpired) {
  http_sink sink{{}, receiver(clients.pem())};
  EXPECT_THAT(
    call_by(papers("a", clients.expired({"shop"})), sink.url()).reason,
    AllOf(StartsWith("tls: the receiver refused the client certificate"),
          HasSubstr("expired")));
}

TEST_P(ClientCertificateTest, SharesNoConnectionWithOtherPapers) {
  http_sink sink{{}, receiver(clients.pem())};
  const auto url = sink.url("/", "localhost");
  const auto one = papers("one", clients.good({"one"}));
  const auto two = papers("two", clients.good({"two"}));
  for (const auto& each : {one, two, one, two, two, one})
    ASSERT_EQ(call_by(each, url).status, 200);
  EXPECT_EQ(sink.connections(), 2u);
  std::vector<std::size_t> used;
  for (const auto& record : sink.records())
    used.push_back(record.connection);
  EXPECT_EQ(used, (std::vector<std::size_t>{0, 1, 0, 1, 1, 0}));
  // Nor with one that has none: that is refused, however many are open.
  EXPECT_EQ(call_by(papers("none", {}), url).status, 0);
  EXPECT_EQ(sink.size(), 6u);
}

TEST_P(ClientCertificateTest, SharesNoSessionWithOtherPapers) {
  http_sink sink{[](const request_record&) {
                   response_plan plan;
                   plan.after = response_plan::ending::close;
                   return plan;
                 },
                 receiver(clients.pem())};
  const auto url = sink.url("/", "localhost");
  const auto one = papers("one", clients.good({"one"}));
  const auto two = papers("two", clients.good({"two"}));
  for (const auto& each : {one, one, two, two, one})
    ASSERT_EQ(call_by(each, url).status, 200);
  std::vector<bool> reused;
  for (const auto& record : sink.records())
    reused.push_back(record.session_reused);
  EXPECT_EQ(reused, (std::vector<bool>{false, true, false, true, true}));
  // A session of another would have let it in.
  EXPECT_EQ(call_by(papers("none", {}), url).status, 0);
}

TEST_P(ClientCertificateTest, TrustsOnlyTheAuthoritiesOfTheWebhook) {
  const test::certificate_authority other{"Other"};
  http_sink sink{{}, receiver()};
  auto by = std::make_shared<egress>();
  by->tag = "a";
  by->tls = tls_settings::of_webhook(other.pem(), {}, {}).value();
  EXPECT_THAT(call_by(by, sink.url()).reason,
              StartsWith("tls: certificate is not signed by a trusted "
                         "authority"));
  by->tag = "b";
  by->tls = tls_settings::of_webhook(other.pem() + ca.pem(), {}, {}).value();
  EXPECT_EQ(call_by(by, sink.url()).status, 200);
  by->tag = "c";
  by->tls = tls_settings::of_webhook({}, {}, {}).value(); // the system's
  EXPECT_THAT(call_by(by, sink.url()).reason,
              StartsWith("tls: certificate is not signed by a trusted "
                         "authority"));
}

TEST_P(ClientCertificateTest, SaysWhenTheReceiversCertificateExpires) {
  std::atomic<bool> keep{true};
  http_sink sink{[&](const request_record&) {
                   response_plan plan;
                   if (!keep)
                     plan.after = response_plan::ending::close;
                   return plan;
                 },
                 receiver()};
  const auto url = sink.url("/", "localhost");
  const auto tomorrow = std::chrono::system_clock::now() + 24h;
  const auto is_tomorrow = [&](const exchange_result& result) {
    return result.certificate_expires
        && *result.certificate_expires > tomorrow - 2min
        && *result.certificate_expires < tomorrow + 2min;
  };
  EXPECT_TRUE(is_tomorrow(call(url)));
  keep = false;
  EXPECT_FALSE(call(url).certificate_expires); // on a kept connection
  EXPECT_TRUE(is_tomorrow(call(url)));         // of a resumed session
  EXPECT_TRUE(sink.records().back().session_reused);
  http_sink plain;
  EXPECT_FALSE(call(plain.url()).certificate_expires);
}

/// A receiver that speaks TLS by hand; `serve` has the connection after the
/// handshake and the head of a request.
raw_receiver::script speaking_tls(const test::certificate& with, int version,
                                  int verify, std::function<void(SSL*)> serve) {
  return [=](tcp::socket& socket) {
    const auto context = test::server_context(with);
    auto* raw = context->native_handle();
    SSL_CTX_set_max_proto_version(raw, version);
    SSL_CTX_set_verify(raw, verify, [](int, X509_STORE_CTX*) { return 1; });
    auto* ssl = SSL_new(raw);
    SSL_set_fd(ssl, socket.native_handle());
    if (SSL_accept(ssl) == 1) {
      std::string text;
      char byte = 0;
      while (text.find("\r\n\r\n") == std::string::npos
             && SSL_read(ssl, &byte, 1) == 1)
        text += byte;
      serve(ssl);
    }
    SSL_free(ssl);
  };
}

TEST_P(ClientCertificateTest, MayBeWhyAReceiverClosesWithoutAWord) {
  raw_receiver receiver{
    {speaking_tls(ca.good(), GetParam(), SSL_VERIFY_PEER, [](SSL*) {}),
     speaking_tls(ca.good(), GetParam(), SSL_VERIFY_NONE, [](SSL*) {})}};
  auto url = receiver.url();
  url.insert(4, "s");
  const auto by = papers("a", clients.good({"shop"}));
  EXPECT_EQ(call_by(by, url).reason,
            "tls: the receiver was shown the client certificate and closed the "
            "connection; it may not accept it");
  // It was not shown.
  EXPECT_EQ(call_by(by, url).reason,
            "reset: connection closed before an answer");
}

INSTANTIATE_TEST_SUITE_P(Tls12, ClientCertificateTest,
                         ::testing::Values(TLS1_2_VERSION));
INSTANTIATE_TEST_SUITE_P(Tls13, ClientCertificateTest,
                         ::testing::Values(TLS1_3_VERSION));

class LateQuestionTest : public ClientCertificateTest {};

TEST_P(LateQuestionTest, IsAnsweredOnceTheRequestIsKnown) {
  std::atomic<bool> shown{false};
  raw_receiver receiver{
    {speaking_tls(ca.good(), GetParam(), SSL_VERIFY_NONE, [&](SSL* ssl) {
      SSL_set_verify(ssl, SSL_VERIFY_PEER,
                     [](int, X509_STORE_CTX*) { return 1; });
      SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
      if (SSL_verify_client_post_handshake(ssl) != 1
          || SSL_do_handshake(ssl) != 1)
        return;
      char byte = 0;
      for (int i = 0; i < 8 && !SSL_get0_peer_certificate(ssl); ++i)
        (void)SSL_read(ssl, &byte, 1); // the answer to the question
      shown = SSL_get0_peer_certificate(ssl) != nullptr;
      const std::string_view fine{
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
      SSL_write(ssl, fine.data(), static_cast<int>(fine.size()));
    })}};
  auto url = receiver.url();
  url.insert(4, "s");
  request_style style;
  style.tag = "a";
  exchange_request request{target::parse(url, style).value(), body_of(""), {}};
  request.by = papers("a", clients.good({"shop"}));
  EXPECT_EQ(run(std::move(request)).status, 200);
  EXPECT_TRUE(shown);
}

INSTANTIATE_TEST_SUITE_P(Tls13, LateQuestionTest,
                         ::testing::Values(TLS1_3_VERSION));

class OldTlsTest : public HttpClientTest {};

TEST_F(OldTlsTest, SpeaksNoTlsBelow12) {
  const test::certificate_authority ca;
  options.tls = tls_settings::trusting(ca.pem()).value();
  test::sink_options old;
  old.tls = test::server_context(ca.good());
  auto* raw = old.tls->native_handle();
  // Without its own floor for old algorithms the server would offer none.
  SSL_CTX_set_security_level(raw, 0);
  SSL_CTX_set_min_proto_version(raw, TLS1_VERSION);
  ASSERT_EQ(SSL_CTX_set_max_proto_version(raw, TLS1_1_VERSION), 1);
  http_sink sink{{}, old};
  EXPECT_EQ(call(sink.url()).reason,
            "tls: the receiver does not speak TLS 1.2 or newer");
  EXPECT_EQ(sink.size(), 0u);
}

// -- reading them -------------------------------------------------------------

TEST(WebhookTlsSettingsTest, TakesWhatIsRight) {
  const test::certificate_authority ca;
  const test::certificate_authority other;
  const auto mine = ca.good({"shop"});
  const std::string between = "\nsome words between them\n";
  EXPECT_TRUE(tls_settings::of_webhook({}, {}, {}));
  EXPECT_TRUE(tls_settings::of_webhook(ca.pem(), {}, {}));
  EXPECT_TRUE(
    tls_settings::of_webhook(ca.pem() + between + other.pem(), {}, {}));
  EXPECT_TRUE(tls_settings::of_webhook(ca.pem() + ca.pem(), {}, {}));
  EXPECT_TRUE(tls_settings::of_webhook({}, mine.certificate_pem, mine.key_pem));
  // With its chain.
  EXPECT_TRUE(tls_settings::of_webhook({}, mine.certificate_pem + ca.pem(),
                                       mine.key_pem));
}

TEST(WebhookTlsSettingsTest, SaysWhatIsWrong) {
  const test::certificate_authority ca;
  const auto mine = ca.good({"shop"});
  const auto yours = ca.good({"other"});
  const auto& cert = mine.certificate_pem;
  const auto& key = mine.key_pem;
  auto broken = ca.pem();
  broken.replace(broken.size() / 2, 8, "????????");
  struct row {
    std::string ca;
    std::string certificate;
    std::string key;
    const char* what;
    const char* why;
  };
  const row table[] = {
    {"garbage", "", "", "the certificate authorities", "no certificate in it"},
    {"\n", "", "", "the certificate authorities", "no certificate in it"},
    {key, "", "", "the certificate authorities", "no certificate in it"},
    {broken, "", "", "the certificate authorities", "cannot be used: "},
    {ca.pem() + broken, "", "", "the certificate authorities",
     "cannot be used: "},
    {"", cert, "", "the client certificate", "its private key is missing"},
    {"", "", key, "the client key", "its certificate is missing"},
    {"", "garbage", key, "the client certificate", "no certificate in it"},
    {"", broken, key, "the client certificate", "cannot be used: "},
    {"", cert + broken, key, "the client certificate", "cannot be used: "},
    {"", cert, "garbage", "the client key", "give PEM"},
    {"", cert, cert, "the client key", "give PEM"},
    {"", cert, yours.key_pem, "the client key",
     "does not belong to the client certificate"},
    // The chain in the wrong order.
    {"", ca.pem() + cert, key, "the client key",
     "does not belong to the client certificate"},
    {"", cert, with_passphrase(key), "the client key", "has a passphrase"},
  };
  for (const auto& row : table) {
    const auto made = tls_settings::of_webhook(row.ca, row.certificate,
                                               row.key);
    ASSERT_FALSE(made) << row.what << ' ' << row.why;
    EXPECT_EQ(made.error().code, ec::invalid_argument);
    EXPECT_EQ(made.error().field, "tls");
    EXPECT_THAT(made.error().detail,
                AllOf(StartsWith(row.what), HasSubstr(row.why)));
    EXPECT_EQ(made.error().detail.find('\n'), std::string::npos);
  }
}

} // namespace
} // namespace fanfare::protocol
