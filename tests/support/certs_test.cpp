// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/certs.hpp"

#include "tests/support/http_sink.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include <gtest/gtest.h>

using namespace fanfare::test;

namespace {

namespace asio = boost::asio;

/// Connects as a careful client does; returns the result of verification.
long handshake(const certificate& presented, const std::string& trusted,
               const char* host) {
  http_sink sink{{}, {.tls = server_context(presented)}};
  asio::io_context io;
  asio::ssl::context context{asio::ssl::context::tls_client};
  context.add_certificate_authority(asio::buffer(trusted));
  context.set_verify_mode(asio::ssl::verify_peer);
  asio::ssl::stream<asio::ip::tcp::socket> stream{io, context};
  auto* verify = SSL_get0_param(stream.native_handle());
  if (X509_VERIFY_PARAM_set1_ip_asc(verify, host) != 1)
    X509_VERIFY_PARAM_set1_host(verify, host, 0);
  stream.next_layer().connect(
    {asio::ip::make_address("127.0.0.1"), sink.port()});
  boost::system::error_code error;
  stream.handshake(asio::ssl::stream_base::client, error);
  auto result = SSL_get_verify_result(stream.native_handle());
  EXPECT_EQ(error.failed(), result != X509_V_OK) << error.message();
  return result;
}

} // namespace

TEST(CertsTest, AGoodOneIsAcceptedForItsNamesAndAddresses) {
  certificate_authority ca;
  auto good = ca.good();
  EXPECT_EQ(handshake(good, ca.pem(), "localhost"), X509_V_OK);
  EXPECT_EQ(handshake(good, ca.pem(), "127.0.0.1"), X509_V_OK);
}

TEST(CertsTest, AnExpiredOneIsRefusedForThatReason) {
  certificate_authority ca;
  EXPECT_EQ(handshake(ca.expired(), ca.pem(), "localhost"),
            X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(CertsTest, OneOfTomorrowIsRefusedForThatReason) {
  certificate_authority ca;
  EXPECT_EQ(handshake(ca.not_yet_valid(), ca.pem(), "localhost"),
            X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST(CertsTest, ASelfSignedOneIsRefusedForThatReason) {
  certificate_authority ca;
  EXPECT_EQ(handshake(self_signed(), ca.pem(), "localhost"),
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

TEST(CertsTest, OneOfAnotherAuthorityIsRefused) {
  certificate_authority ca;
  certificate_authority other{"Another CA"};
  EXPECT_EQ(handshake(other.good(), ca.pem(), "localhost"),
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

TEST(CertsTest, OneForAnotherHostIsRefusedForThatReason) {
  certificate_authority ca;
  EXPECT_EQ(handshake(ca.wrong_host(), ca.pem(), "localhost"),
            X509_V_ERR_HOSTNAME_MISMATCH);
}
