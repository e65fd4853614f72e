// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The HTTP server over TLS.

#include "protocol/server/http_server.hpp"
#include "protocol/server/tls_identity.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tls_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::protocol::server {

namespace {

using namespace std::chrono_literals;
using test::tls_client;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Echoes the request at once, but one for "/later" when it is told to.
class echo final : public http_handler {
public:
  void handle(http_request request,
              std::function<void(http_response)> respond) override {
    if (request.target != "/later")
      return respond({200,
                      {{"X-Secure", request.secure ? "yes" : "no"}},
                      request.target + ' ' + request.body});
    const std::lock_guard guard{mutex_};
    later_.push_back(std::move(respond));
    changed_.notify_all();
  }

  bool wait_for_later() {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, 30s, [this] { return !later_.empty(); });
  }

  void answer_later() {
    std::unique_lock guard{mutex_};
    const auto respond = std::exchange(later_, {});
    guard.unlock();
    for (const auto& each : respond)
      each({200, {}, "at last"});
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void(http_response)>> later_;
};

class HttpsServerTest : public ::testing::Test {
protected:
  result<std::shared_ptr<tls_identity>> load(const test::certificate& cert) {
    const auto certificate = dir_.write("cert.pem", cert.certificate_pem);
    const auto key = dir_.write("key.pem", cert.key_pem);
    return tls_identity::load(certificate.string(), key.string());
  }

  void start(http_server_options options = patient()) {
    options.port = 0;
    options.identity = *load(ca_.good());
    server_ = std::move(*http_server::start(options, handler_));
  }

  /// No connection that should close at once may pass because its handshake
  /// takes too long.
  static http_server_options patient() {
    http_server_options out;
    out.handshake_timeout = 1h;
    return out;
  }

  std::string refusal_of(const std::string& certificate,
                         const std::string& key) {
    const auto loaded = tls_identity::load(certificate, key);
    if (loaded)
      return "none";
    EXPECT_EQ(loaded.error().code, ec::invalid_argument);
    return loaded.error().detail;
  }

  static std::string get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }

  void expect_alive() {
    tls_client client{server_->port(), {.ca_pem = ca_.pem()}};
    ASSERT_TRUE(client.shake_hands());
    client.send(get("/alive"));
    EXPECT_THAT(client.read_until("/alive "), StartsWith("HTTP/1.1 200 OK"));
  }

  test::temp_dir dir_;
  test::certificate_authority ca_;
  echo handler_;
  std::unique_ptr<http_server> server_;
};

TEST_F(HttpsServerTest, ServesRequestsThatKnowTheyAreSecure) {
  start();
  EXPECT_EQ(server_->url(),
            "https://127.0.0.1:" + std::to_string(server_->port()));
  tls_client client{server_->port(), {.ca_pem = ca_.pem()}};
  ASSERT_TRUE(client.shake_hands());
  EXPECT_EQ(client.version(), "TLSv1.3");
  EXPECT_EQ(client.protocol(), "http/1.1");
  for (const auto* target : {"/first", "/second"}) {
    client.send(get(target));
    EXPECT_THAT(client.read_until(std::string{target} + ' '),
                HasSubstr("X-Secure: yes\r\n"));
  }
}

TEST_F(HttpsServerTest, CarriesPipelinedRequestsAndLargeBodies) {
  start();
  tls_client client{server_->port(), {.ca_pem = ca_.pem()}};
  ASSERT_TRUE(client.shake_hands());
  std::string body;
  for (std::size_t i = 0; body.size() < 900'000; ++i)
    body += std::to_string(i) + ' ';
  client.send(get("/one") + get("/two") + "POST /large HTTP/1.1\r\nHost: x\r\n"
              + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n"
              + body + get("/three"));
  client.read_until("/one ");
  client.read_until("/two ");
  client.read_until("/large ");
  EXPECT_TRUE(client.read(body.size()) == body);
  EXPECT_THAT(client.read_until("/three "), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(HttpsServerTest, SpeaksTls12ButNothingOlder) {
  start();
  tls_client fair{server_->port(),
                  {.ca_pem = ca_.pem(), .max_version = TLS1_2_VERSION}};
  EXPECT_TRUE(fair.shake_hands());
  EXPECT_EQ(fair.version(), "TLSv1.2");
  tls_client old{server_->port(), {.max_version = TLS1_1_VERSION}};
  EXPECT_FALSE(old.shake_hands());
  EXPECT_TRUE(old.closed_plain());
  expect_alive();
}

TEST_F(HttpsServerTest, SpeaksNoOtherProtocolThanHttp1) {
  start();
  tls_client silent{server_->port(), {.ca_pem = ca_.pem(), .protocol = {}}};
  EXPECT_TRUE(silent.shake_hands());
  tls_client newer{server_->port(), {.ca_pem = ca_.pem(), .protocol = "h2"}};
  EXPECT_FALSE(newer.shake_hands());
}

TEST_F(HttpsServerTest, ClosesWhatIsNoTls) {
  start();
  tls_client client{server_->port()};
  client.send_plain(get("/"));
  EXPECT_TRUE(client.closed_plain());
  expect_alive();
}

TEST_F(HttpsServerTest, LosesPatienceWithSlowHandshakes) {
  http_server_options options;
  options.handshake_timeout = 200ms;
  start(options);
  tls_client done{server_->port(), {.ca_pem = ca_.pem()}};
  ASSERT_TRUE(done.shake_hands());
  const auto before = std::chrono::steady_clock::now();
  tls_client mute{server_->port()};
  tls_client slow{server_->port()};
  slow.send_plain("\x16\x03\x01"); // how a handshake begins
  EXPECT_TRUE(mute.closed_plain());
  EXPECT_TRUE(slow.closed_plain());
  EXPECT_GE(std::chrono::steady_clock::now() - before, 190ms);
  // It holds for handshakes only.
  done.send(get("/on"));
  EXPECT_THAT(done.read_until("/on "), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(HttpsServerTest, CountsHandshakesAsConnections) {
  auto options = patient();
  options.max_connections = 2;
  start(options);
  tls_client mute{server_->port()};
  expect_alive();
  tls_client other{server_->port()};
  tls_client too_many{server_->port()};
  EXPECT_TRUE(too_many.closed_plain());
}

TEST_F(HttpsServerTest, ShowsANewCertificateToNewConnections) {
  start();
  tls_client old{server_->port(), {.ca_pem = ca_.pem()}};
  ASSERT_TRUE(old.shake_hands());
  EXPECT_EQ(old.server_name(), "localhost");
  server_->change_identity(*load(ca_.good({"renewed.example"})));
  tls_client fresh{server_->port(), {.ca_pem = ca_.pem()}};
  ASSERT_TRUE(fresh.shake_hands());
  EXPECT_EQ(fresh.server_name(), "renewed.example");
  for (auto* client : {&old, &fresh}) {
    client->send(get("/on"));
    EXPECT_THAT(client->read_until("/on "), StartsWith("HTTP/1.1 200 OK"));
  }
}

TEST_F(HttpsServerTest, StopsWithOpenConnections) {
  start();
  tls_client mute{server_->port()};
  tls_client idle{server_->port(), {.ca_pem = ca_.pem()}};
  ASSERT_TRUE(idle.shake_hands());
  idle.send(get("/seen"));
  idle.read_until("/seen ");
  tls_client busy{server_->port(), {.ca_pem = ca_.pem()}};
  ASSERT_TRUE(busy.shake_hands());
  busy.send(get("/later"));
  ASSERT_TRUE(handler_.wait_for_later());
  std::thread stopping{[this] { server_->stop(30s); }};
  EXPECT_TRUE(mute.closed_plain());
  EXPECT_EQ(idle.read_until("?"), "");
  handler_.answer_later();
  EXPECT_THAT(busy.read_until("at last"), HasSubstr("Connection: close\r\n"));
  stopping.join();
}

TEST_F(HttpsServerTest, SaysWhatIsWrongWithACertificateOrKey) {
  const auto good = ca_.good();
  const auto certificate = dir_.write("good.pem", good.certificate_pem);
  const auto key = dir_.write("good.key", good.key_pem);
  const auto foreign = dir_.write("foreign.key", ca_.good().key_pem);
  const auto text = dir_.write("text.pem", "no PEM");
  const auto empty = dir_.write("empty.pem", "");
  const auto missing = (dir_ / "missing.pem").string();
  EXPECT_EQ(refusal_of(certificate.string(), key.string()), "none");
  EXPECT_EQ(refusal_of(missing, key.string()),
            "the TLS certificate in " + missing
              + " cannot be used: No such file or directory");
  EXPECT_EQ(refusal_of(certificate.string(), missing),
            "the TLS key in " + missing
              + " cannot be used: No such file or directory");
  EXPECT_EQ(refusal_of(certificate.string(), foreign.string()),
            "the TLS key in " + foreign.string()
              + " cannot be used: it does not belong to the certificate in "
              + certificate.string());
  EXPECT_THAT(refusal_of(text.string(), key.string()),
              HasSubstr("give PEM, the server's certificate first"));
  EXPECT_THAT(refusal_of(certificate.string(), text.string()),
              HasSubstr("give PEM without a passphrase"));
  EXPECT_THAT(refusal_of(empty.string(), key.string()),
              HasSubstr("it is empty"));
}

} // namespace

} // namespace fanfare::protocol::server
