// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Which sessions are resumed, and until when, by handshakes in memory and
/// times that the test gives.

#include "protocol/client/tls_sessions.hpp"

#include "tests/support/certs.hpp"

#include <boost/asio/ssl/context.hpp>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

namespace fanfare::protocol {
namespace {

using namespace std::chrono_literals;

struct ssl_deleter {
  void operator()(SSL* ssl) const {
    SSL_free(ssl);
  }
};
using ssl_ptr = std::unique_ptr<SSL, ssl_deleter>;

timestamp clock_now() {
  return std::chrono::time_point_cast<timestamp::duration>(
    std::chrono::system_clock::now());
}

class TlsSessionsTest : public ::testing::TestWithParam<int> {
protected:
  TlsSessionsTest() {
    SSL_CTX_set_max_proto_version(client.native_handle(), GetParam());
    keep_sessions(client.native_handle());
    serve({});
  }

  /// With a certificate that is valid for so long.
  void serve(const test::certificate_options& options) {
    const auto shown = ca.issue(options);
    if (!server)
      server = test::server_context(shown);
    server->use_certificate_chain(asio_buffer(shown.certificate_pem));
    server->use_private_key(asio_buffer(shown.key_pem),
                            boost::asio::ssl::context::pem);
  }

  /// Until the tickets have come. Returns the client's side.
  ssl_ptr connect(timestamp at = clock_now()) {
    ssl_ptr mine{SSL_new(client.native_handle())};
    const ssl_ptr theirs{SSL_new(server->native_handle())};
    BIO* near = nullptr;
    BIO* far = nullptr;
    BIO_new_bio_pair(&near, 0, &far, 0);
    SSL_set_bio(mine.get(), near, near);
    SSL_set_bio(theirs.get(), far, far);
    SSL_set_connect_state(mine.get());
    SSL_set_accept_state(theirs.get());
    EXPECT_TRUE(use_sessions(mine.get(), sessions, at));
    char byte = 0;
    for (int i = 0; i < 10; ++i)
      for (auto* each : {mine.get(), theirs.get()})
        (void)SSL_read(each, &byte, 1);
    EXPECT_TRUE(SSL_is_init_finished(mine.get()));
    // Or OpenSSL takes the session for damaged.
    for (auto* each : {mine.get(), theirs.get()})
      SSL_set_shutdown(each, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    return mine;
  }

  bool resumes(timestamp at = clock_now()) {
    return SSL_session_reused(connect(at).get()) == 1;
  }

  static boost::asio::const_buffer asio_buffer(const std::string& text) {
    return boost::asio::buffer(text);
  }

  test::certificate_authority ca;
  boost::asio::ssl::context client{boost::asio::ssl::context::tls_client};
  std::shared_ptr<boost::asio::ssl::context> server;
  tls_sessions sessions;
};

TEST_P(TlsSessionsTest, AreResumed) {
  EXPECT_TRUE(sessions.empty());
  EXPECT_FALSE(resumes());
  EXPECT_FALSE(sessions.empty());
  EXPECT_TRUE(resumes());
  EXPECT_TRUE(resumes());
}

TEST_P(TlsSessionsTest, AreNotResumedADayAfterTheFullHandshake) {
  const auto begin = clock_now();
  serve({.not_after = 100h});
  connect();
  EXPECT_TRUE(resumes(begin + 23h + 59min));
  // The session that came of it is as old as the first.
  EXPECT_FALSE(resumes(begin + 24h + 1min));
}

TEST_P(TlsSessionsTest, AreNotResumedOnceTheCertificateHasExpired) {
  const auto begin = clock_now();
  serve({.not_after = 3h});
  connect();
  EXPECT_TRUE(resumes(begin + 2h + 59min));
  EXPECT_FALSE(resumes(begin + 3h + 1min));
}

TEST_P(TlsSessionsTest, TellWhenTheNewestCertificateExpires) {
  serve({.not_after = 3h});
  const auto full = connect();
  const auto first = sessions.note_handshake(full.get());
  ASSERT_TRUE(first);
  EXPECT_LT(*first, clock_now() + 4h);
  // A connection that has no session to resume sees a new one.
  serve({.not_after = 9h});
  const auto old = sessions.take(clock_now());
  ASSERT_TRUE(old);
  EXPECT_FALSE(sessions.take(clock_now() + 48h));
  const auto newer = connect();
  ASSERT_NE(SSL_session_reused(newer.get()), 1);
  const auto second = sessions.note_handshake(newer.get());
  ASSERT_TRUE(second);
  EXPECT_GT(*second, clock_now() + 8h);
  // What resumes the old session does not tell of the old certificate.
  EXPECT_FALSE(sessions.take(clock_now() + 48h));
  SSL_SESSION_up_ref(old.get());
  sessions.keep(session_ptr{old.get()});
  const auto resumed = connect();
  ASSERT_EQ(SSL_session_reused(resumed.get()), 1);
  EXPECT_EQ(sessions.note_handshake(resumed.get()), second);
}

INSTANTIATE_TEST_SUITE_P(Tls12, TlsSessionsTest,
                         ::testing::Values(TLS1_2_VERSION));
INSTANTIATE_TEST_SUITE_P(Tls13, TlsSessionsTest,
                         ::testing::Values(TLS1_3_VERSION));

} // namespace
} // namespace fanfare::protocol
