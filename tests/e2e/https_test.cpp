// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The API over HTTPS.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/tls_client.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace fanfare::test {

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpsTest : public ::testing::Test {
protected:
  /// Puts both files in place.
  void install(const certificate& cert) {
    dir_.write("cert.pem", cert.certificate_pem);
    dir_.write("key.pem", cert.key_pem);
  }

  std::vector<std::string> tls_args() const {
    return {"--tls-cert", (dir_ / "cert.pem").string(), "--tls-key",
            (dir_ / "key.pem").string()};
  }

  child_process run_program(std::vector<std::string> args) const {
    args.insert(args.begin(), {"serve", "--listen", "127.0.0.1:0", "--data",
                               (dir_ / "data").string()});
    return child_process{{.program = fanfare_program(),
                          .args = std::move(args),
                          .env = {{"FANFARE_ADMIN_TOKEN", server::admin_key}}}};
  }

  void start() {
    process_.emplace(run_program(tls_args()));
    const auto line = process_->wait_for_line("listening on https://",
                                              patience);
    ASSERT_TRUE(line);
    port_ = static_cast<std::uint16_t>(
      std::stoul(line->substr(line->rfind(':') + 1)));
  }

  /// Sends it and waits for what the log says to it.
  void reload(const std::string& outcome) {
    process_->signal(SIGHUP);
    ASSERT_TRUE(
      process_->wait_for_line(outcome, patience, child_process::stream::err));
  }

  std::unique_ptr<tls_client> connect() const {
    auto made = std::make_unique<tls_client>(
      port_, tls_client_options{.ca_pem = ca_.pem()});
    EXPECT_TRUE(made->shake_hands());
    return made;
  }

  static void expect_healthy(tls_client& client) {
    client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.read_until("\"ok\"}"), StartsWith("HTTP/1.1 200 OK"));
  }

  temp_dir dir_;
  certificate_authority ca_;
  std::optional<child_process> process_;
  std::uint16_t port_ = 0;
};

TEST_F(HttpsTest, LinksToItselfByHttps) {
  install(ca_.good());
  start();
  const auto client = connect();
  const std::string head = "Host: x\r\nAuthorization: Token "
                         + std::string{server::admin_key} + "\r\n";
  const std::string organizer = R"({"slug": "acme", "name": "Acme"})";
  client->send("POST /api/v1/organizers/ HTTP/1.1\r\n" + head
               + "Content-Type: application/json\r\nContent-Length: "
               + std::to_string(organizer.size()) + "\r\n\r\n" + organizer);
  EXPECT_THAT(client->read_until("}"), StartsWith("HTTP/1.1 201"));
  const std::string hook = R"({"target_url": "https://example.org/",
    "all_events": true, "limit_events": [], "action_types": []})";
  for (int i = 0; i < 2; ++i) {
    client->send("POST /api/v1/organizers/acme/webhooks/ HTTP/1.1\r\n" + head
                 + "Content-Type: application/json\r\nContent-Length: "
                 + std::to_string(hook.size()) + "\r\n\r\n" + hook);
    EXPECT_THAT(client->read_until("}"), StartsWith("HTTP/1.1 201"));
  }
  client->send("GET /api/v1/organizers/acme/webhooks/?page_size=1 HTTP/1.1\r\n"
               + head + "\r\n");
  EXPECT_THAT(client->read_until("\"previous\""),
              HasSubstr("\"next\":\"https://x/api/v1/organizers/acme/"));
}

TEST_F(HttpsTest, ReloadsItsCertificateOnSighup) {
  install(ca_.good({"old.example"}));
  start();
  const auto before = connect();
  EXPECT_EQ(before->server_name(), "old.example");
  install(ca_.good({"new.example"}));
  reload("new connections see the certificate");
  EXPECT_EQ(connect()->server_name(), "new.example");
  expect_healthy(*before);
  // The old key is of no use with another certificate.
  dir_.write("cert.pem", ca_.good({"third.example"}).certificate_pem);
  reload("the old certificate stays in use");
  const auto after = connect();
  EXPECT_EQ(after->server_name(), "new.example");
  expect_healthy(*after);
  process_->signal(SIGTERM);
  const auto ended = process_->wait(patience);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 0);
}

TEST_F(HttpsTest, ReadsItsOptionsAgainWithoutACertificate) {
  auto process = run_program({"--log-level", "debug"});
  ASSERT_TRUE(process.wait_for_line("listening on http://", patience));
  process.signal(SIGHUP);
  EXPECT_TRUE(process.wait_for_line("none has changed", patience,
                                    child_process::stream::err));
  process.signal(SIGTERM);
  const auto ended = process.wait(patience);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 0);
}

TEST_F(HttpsTest, SaysWhyItDoesNotStart) {
  const auto expect_refused = [this](std::vector<std::string> args,
                                     const std::string& why) {
    auto process = run_program(std::move(args));
    const auto ended = process.wait(patience);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code, 2);
    std::string said;
    for (const auto& line : process.lines(child_process::stream::err))
      said += line + '\n';
    EXPECT_THAT(said, HasSubstr(why));
  };
  install(ca_.good());
  const auto all = tls_args();
  expect_refused({all[0], all[1]}, "--tls-cert and --tls-key go together");
  expect_refused({all[2], all[3]}, "--tls-cert and --tls-key go together");
  dir_.write("key.pem", ca_.good().key_pem);
  expect_refused(all, "it does not belong to the certificate in");
}

} // namespace

} // namespace fanfare::test
