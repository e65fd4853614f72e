// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Settings of the way to a receiver: certificates and proxies.

#include "tests/protocol/rest/delivery_test.hpp"
#include "tests/support/certs.hpp"

namespace fanfare::test {
namespace {

// -- papers and proxies -------------------------------------------------------

class RestDeliveryTlsTest : public RestDeliveryTest {
protected:
  std::string papers(const std::string& certificate, const std::string& key) {
    return R"({"client_certificate":)" + certificate + R"(,"client_key":)" + key
         + '}';
  }

  certificate_authority authority;
  certificate mine = authority.good();
  certificate another = authority.good();
  std::string shown_papers = R"({"ca":null,"client_certificate":)"
                           + json_text(mine.certificate_pem)
                           + R"(,"client_key":"***"})";
};

TEST_F(RestDeliveryTlsTest, ShowsNoKeyAndKeepsItSealed) {
  use_key();
  const auto changed = change(with(
    "tls", papers(json_text(mine.certificate_pem), json_text(mine.key_pem))));
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_THAT(changed.body, Not(HasSubstr("PRIVATE KEY")));
  EXPECT_EQ(shown("tls"), shown_papers);
  const auto& sealed = stored().tls->key;
  EXPECT_TRUE(protocol::vault::is_encrypted(sealed.bytes()));
  EXPECT_THAT(sealed.bytes(), Not(HasSubstr("PRIVATE KEY")));
  EXPECT_EQ(*service.reveal(sealed), mine.key_pem);
}

TEST_F(RestDeliveryTlsTest, KeepsTheKeyThatIsSentBackMasked) {
  taken("tls", papers(json_text(mine.certificate_pem), json_text(mine.key_pem)),
        shown_papers);
  const auto sealed = stored().tls->key;
  taken("tls", shown_papers);
  EXPECT_EQ(stored().tls->key, sealed);
  const auto with_ca = R"({"ca":)" + json_text(authority.pem())
                     + R"(,"client_certificate":)"
                     + json_text(mine.certificate_pem)
                     + R"(,"client_key":"***"})";
  taken("tls", with_ca);
  EXPECT_EQ(stored().tls->key, sealed);
  // It still has to belong to the certificate.
  refused_for("tls", papers(json_text(another.certificate_pem), R"("***")"),
              "does not belong to the client certificate");
  taken("tls", "null");
  refused("tls", papers(json_text(mine.certificate_pem), R"("***")"),
          "There is no client_key to be kept: send it.");
  taken("tls", R"({"ca":null})",
        R"({"ca":null,"client_certificate":null,"client_key":null})");
  refused("tls", papers(json_text(mine.certificate_pem), R"("***")"),
          "There is no client_key to be kept: send it.");
}

TEST_F(RestDeliveryTlsTest, RefusesGarbageWithASentence) {
  refused_for("tls", with("ca", R"("garbage")"), "the certificate authorities");
  refused_for("tls", papers(R"("garbage")", json_text(mine.key_pem)),
              "the client certificate");
  refused_for("tls", papers(json_text(mine.certificate_pem), R"("garbage")"),
              "the client key");
  refused_for("tls", papers(json_text(mine.certificate_pem), "null"),
              "its private key is missing");
  refused_for("tls", papers("null", json_text(mine.key_pem)),
              "its certificate is missing");
  refused_for(
    "tls", papers(json_text(mine.certificate_pem), json_text(another.key_pem)),
    "does not belong to the client certificate");
  for (const std::string name : {"ca", "client_certificate", "client_key"}) {
    const auto sentence = name
                        + " must be a PEM text of at most 65536 bytes, or "
                          "null.";
    refused("tls", with(name, "5"), sentence);
    refused("tls", with(name, "[]"), sentence);
    refused("tls", with(name, json_text(std::string(64 * 1024 + 1, 'x'))),
            sentence);
  }
  refused_for("tls", with("ca", json_text(std::string(64 * 1024, 'x'))),
              "the certificate authorities");
  taken("tls", "{}",
        R"({"ca":null,"client_certificate":null,"client_key":null})");
}

TEST_F(RestDeliveryTest, TakesProxies) {
  taken("proxy", R"("http://proxy.example:3128")");
  taken("proxy", R"("socks5://127.0.0.1:1080")");
  taken("proxy", R"("HTTP://Proxy.Example:3128/")",
        R"("http://proxy.example:3128")");
  taken("proxy", R"("direct")");
  refused("proxy", R"("")", "Must be a URL, \"direct\" or null.");
  refused("proxy", "5", "This must be a text.");
  refused("proxy", R"("https://proxy.example:1")",
          "not a proxy that can be used: write http://HOST:PORT or "
          "socks5://HOST:PORT; direct for none");
  refused("proxy", R"("http://proxy.example")",
          "the port of the proxy is missing: write HOST:PORT");
  refused("proxy", R"("http://proxy.example:1/path")",
          "nothing may come behind the port of the proxy");
  refused_for("proxy", R"("http://a b:1")", "the proxy cannot be used");
  refused("proxy", R"("http://a\r\n:1")", "This must be printable ASCII.");
  refused("proxy", json_text("http://" + std::string(1024, 'a') + ":1"),
          "This must have at most 1024 characters.");
}

TEST_F(RestDeliveryTest, MasksThePasswordOfAProxy) {
  use_key();
  const std::string url = "http://user:s3cret@proxy.example:3128";
  const std::string masked = R"("http://user:***@proxy.example:3128")";
  taken("proxy", json_text(url), masked);
  EXPECT_THAT(get(settings).body, Not(HasSubstr("s3cret")));
  EXPECT_THAT(stored().proxy.bytes(), Not(HasSubstr("s3cret")));
  taken("proxy", masked);
  EXPECT_EQ(*service.reveal(stored().proxy), url);
  for (const std::string url_of_another :
       {"http://user:***@other.example:3128", "http://user:***@proxy.example:1",
        "http://someone:***@proxy.example:3128",
        "socks5://user:***@proxy.example:3128"})
    refused("proxy", json_text(url_of_another),
            "The password of another proxy is not known: send it.");
  taken("proxy", R"("http://user:new@proxy.example:3128")", masked);
  EXPECT_EQ(*service.reveal(stored().proxy),
            "http://user:new@proxy.example:3128");
  taken("proxy", R"("http://user@proxy.example:3128")");
  refused("proxy", masked,
          "The password of another proxy is not known: send it.");
  taken("proxy", "null");
  refused("proxy", masked,
          "The password of another proxy is not known: send it.");
}

} // namespace
} // namespace fanfare::test
