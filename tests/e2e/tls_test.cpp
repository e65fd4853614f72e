// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// HTTPS receivers with certificates of all kinds.

#include "tests/e2e/support/apache.hpp"
#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/certs.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class TlsTest : public E2eTest {
protected:
  TlsTest() {
    const auto file = dir_.write("ca.pem", ca_.pem());
    start({"--ca-file", file.string(), "--schedule", "100ms"});
    add_organizer("acme");
  }

  void expect_refused(const certificate& cert, const std::string& reason) {
    http_sink sink{{}, {.tls = server_context(cert)}};
    const auto hook = add_webhook("acme", {.url = sink.url("/hook")});
    publish();
    const auto log = wait_for_calls("acme", hook, 2);
    for (const auto& entry : log) {
      EXPECT_FALSE(flag_of(entry, "success"));
      EXPECT_EQ(number_of(entry, "return_code"), 0U);
      EXPECT_THAT(text_of(entry, "reason"), HasSubstr("tls"));
      EXPECT_THAT(text_of(entry, "reason"), HasSubstr(reason));
    }
    EXPECT_EQ(sink.size(), 0U);
  }

  /// An Apache that knows only from the path whether it wants a certificate.
  apache_options asking_late(const std::string& protocol) {
    const auto own = ca_.good();
    const auto file = [&](const char* name, const std::string& pem) {
      return dir_.write(name, pem).string() + '\n';
    };
    return {.modules = {"ssl"},
            .directives = "SSLEngine on\n"
                          "SSLProtocol "
                        + protocol
                        + "\n"
                          "SSLCertificateFile "
                        + file("own.pem", own.certificate_pem)
                        + "SSLCertificateKeyFile "
                        + file("own.key", own.key_pem) + "SSLCACertificateFile "
                        + file("clients.pem", clients_.pem())
                        + "<Location /hook>\n"
                          "SSLVerifyClient require\n"
                          "</Location>\n"};
  }

  hook_id add_webhook_with(const certificate& shown, const std::string& url) {
    return add_webhook(
      "acme", {.url = url,
               .delivery = {{"tls",
                             {{"ca", ca_.pem()},
                              {"client_certificate", shown.certificate_pem},
                              {"client_key", shown.key_pem}}}}});
  }

  certificate_authority ca_;
  certificate_authority clients_{"Clients"};
};

TEST_F(TlsTest, CallsAReceiverWithAGoodCertificate) {
  http_sink sink{{}, {.tls = server_context(ca_.good())}};
  const auto by_name = add_webhook("acme",
                                   {.url = sink.url("/name", "localhost")});
  const auto by_address = add_webhook("acme", {.url = sink.url("/address")});
  publish();
  for (const auto hook : {by_name, by_address}) {
    const auto entry = wait_for_calls("acme", hook, 1)[0];
    EXPECT_TRUE(flag_of(entry, "success")) << text_of(entry, "reason");
  }
  for (const auto& record : sink.records())
    if (record.target == "/name") {
      EXPECT_EQ(record.server_name, "localhost");
    }
}

TEST_F(TlsTest, RefusesASelfSignedCertificate) {
  expect_refused(self_signed(), "self-signed");
}

TEST_F(TlsTest, RefusesAnExpiredCertificate) {
  expect_refused(ca_.expired(), "expired");
}

TEST_F(TlsTest, RefusesACertificateThatIsNotYetValid) {
  expect_refused(ca_.not_yet_valid(), "not yet valid");
}

TEST_F(TlsTest, RefusesACertificateOfAnotherHost) {
  expect_refused(ca_.wrong_host(), "host");
}

TEST_F(TlsTest, RefusesACertificateOfAnUnknownAuthority) {
  expect_refused(certificate_authority{"Somebody else"}.good(), "authority");
}

TEST_F(TlsTest, TellsAReceiverThatSpeaksNoTls) {
  http_sink sink;
  const auto hook = add_webhook(
    "acme", {.url = "https://127.0.0.1:" + std::to_string(sink.port()) + '/'});
  publish();
  const auto entry = wait_for_calls("acme", hook, 1)[0];
  EXPECT_FALSE(flag_of(entry, "success"));
  EXPECT_THAT(text_of(entry, "reason"), HasSubstr("tls"));
}

// -- an Apache that asks for a client certificate at one location -------------

TEST_F(TlsTest, ShowsAnApacheItsCertificateAfterTheHandshake) {
  if (!apache::installed())
    GTEST_SKIP() << "there is no Apache: Debian's apache2-bin";
  apache receiver{asking_late("TLSv1.3")};
  const auto url = receiver.url("https");
  const auto known = add_webhook_with(clients_.good({"shop"}), url);
  const auto unknown = add_webhook_with(
    certificate_authority{"Strangers"}.good({"shop"}), url);
  const auto without = add_webhook("acme", {.url = url});
  publish();
  const auto good = wait_for_calls("acme", known, 1)[0];
  EXPECT_TRUE(flag_of(good, "success")) << text_of(good, "reason");
  EXPECT_EQ(text_of(wait_for_calls("acme", unknown, 1)[0], "reason"),
            "tls: the receiver does not know the authority of the client "
            "certificate");
  EXPECT_EQ(text_of(wait_for_calls("acme", without, 1)[0], "reason"),
            "tls: the receiver asks for a client certificate");
}

TEST_F(TlsTest, SaysSoWhenAnApacheWantsToRenegotiate) {
  if (!apache::installed())
    GTEST_SKIP() << "there is no Apache: Debian's apache2-bin";
  apache receiver{asking_late("TLSv1.2")};
  const auto hook = add_webhook_with(clients_.good({"shop"}),
                                     receiver.url("https"));
  publish();
  const auto entry = wait_for_calls("acme", hook, 1)[0];
  EXPECT_FALSE(flag_of(entry, "success"));
  EXPECT_THAT(text_of(entry, "reason"),
              StartsWith("tls: the receiver wants to renegotiate"));
}

} // namespace

} // namespace fanfare::test
