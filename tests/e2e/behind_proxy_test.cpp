// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The server behind a real nginx: links lead back through it, and clients are
// told apart although all of them come from its address.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/e2e/support/nginx.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/paths.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>

#include <sstream>

namespace fanfare::test {

namespace {

using ::testing::StartsWith;

void put_in_place(std::string& text, const std::string& old,
                  const std::string& by) {
  const auto at = text.find(old);
  if (at == std::string::npos)
    throw std::runtime_error{"there is no " + old + " in\n" + text};
  text.replace(at, old.size(), by);
}

class BehindProxyTest : public E2eTest {
protected:
  void SetUp() override {
    if (!nginx::installed())
      GTEST_SKIP() << "there is no nginx";
  }

  /// The configuration that the page for operators shows, on our ports.
  std::string documented_site() {
    const auto page = read_file(source_dir() / "docs/operations.md");
    const std::string fence = "```nginx\n";
    const auto begin = page.find(fence) + fence.size();
    auto site = page.substr(begin, page.find("```", begin) - begin);
    put_in_place(site, "listen 443 ssl", "listen 127.0.0.1:{port} ssl");
    put_in_place(site, "/etc/fanfare/tls/fullchain.pem", "{certificate}");
    put_in_place(site, "/etc/fanfare/tls/privkey.pem", "{key}");
    put_in_place(site, "http://127.0.0.1:8080", upstream());
    return site;
  }

  std::string upstream() {
    return "http://127.0.0.1:" + std::to_string(running().port());
  }

  void add_three_webhooks() {
    add_organizer("acme");
    for (int i = 0; i < 3; ++i)
      add_webhook("acme", {.url = "http://127.0.0.1:9/" + std::to_string(i)});
  }

  /// What a client at the address gets: the head and the body.
  std::string curl(const std::string& url,
                   const std::string& from = "127.0.0.1",
                   const std::string& key = server::admin_key) {
    std::vector<std::string> args{
      "-sS", "--include", "--max-time", "30", "--interface", from, "-H",
      "Authorization: Bearer " + key,
      // A client's own words, which nginx replaces
      // or appends to.
      "-H", "X-Forwarded-For: 203.0.113.9", "-H", "X-Forwarded-Proto: gopher",
      "-H", "X-Forwarded-Host: evil.example"};
    if (front_)
      args.insert(args.end(), {"--cacert", front_->ca_file()});
    args.push_back(url);
    return run({.program = "curl", .args = args});
  }

  static std::string status_of(const std::string& answer) {
    return answer.substr(9, 3);
  }

  static std::string next_of(const std::string& answer) {
    const auto body = boost::json::parse(
      answer.substr(answer.find("\r\n\r\n") + 4));
    const auto& next = body.at("next");
    return next.is_null() ? "" : std::string{next.as_string()};
  }

  std::optional<nginx> front_;
};

TEST_F(BehindProxyTest, LinksLeadThroughIt) {
  start({"--trusted-proxy", "127.0.0.1"});
  add_three_webhooks();
  front_.emplace(documented_site());
  const auto origin = "https://localhost:" + std::to_string(front_->port());
  auto url = origin + "/api/v1/organizers/acme/webhooks/?page_size=1";
  int pages = 0;
  for (; !url.empty(); ++pages) {
    ASSERT_THAT(url, StartsWith(origin + '/'));
    const auto answer = curl(url);
    ASSERT_EQ(status_of(answer), "200") << answer;
    url = next_of(answer);
  }
  EXPECT_EQ(pages, 3);
}

TEST_F(BehindProxyTest, ItsClientsAreToldApart) {
  start({"--trusted-proxy", "127.0.0.1", "--failed-logins", "1"});
  front_.emplace(documented_site());
  const auto url = "https://127.0.0.1:" + std::to_string(front_->port())
                 + "/api/v1/organizers/";
  const auto from = [&](const std::string& address) {
    return status_of(curl(url, address, "wrong"));
  };
  EXPECT_EQ(from("127.0.0.5"), "401");
  EXPECT_EQ(from("127.0.0.5"), "429");
  EXPECT_EQ(from("127.0.0.6"), "401");
  EXPECT_EQ(status_of(curl(url, "127.0.0.5")), "200");
}

TEST_F(BehindProxyTest, NobodyElseIsBelieved) {
  start({"--failed-logins", "1"});
  add_three_webhooks();
  const auto list = upstream()
                  + "/api/v1/organizers/acme/webhooks/?page_size=1";
  EXPECT_THAT(next_of(curl(list)), StartsWith(upstream() + '/'));
  EXPECT_EQ(status_of(curl(list, "127.0.0.5", "wrong")), "401");
  front_.emplace(documented_site());
  const auto url = "https://127.0.0.1:" + std::to_string(front_->port())
                 + "/api/v1/organizers/";
  EXPECT_EQ(status_of(curl(url, "127.0.0.6", "wrong")), "401");
  EXPECT_EQ(status_of(curl(url, "127.0.0.7", "wrong")), "429");
}

TEST_F(BehindProxyTest, APublicUrlIsWhatLinksBeginWith) {
  start({"--public-url", "https://hooks.example.com/fanfare/"});
  add_three_webhooks();
  front_.emplace("server {\n"
                 "listen 127.0.0.1:{port};\n"
                 "location /fanfare/ { proxy_pass "
                 + upstream() + "/; }\n}\n");
  const auto here = "http://127.0.0.1:" + std::to_string(front_->port());
  const std::string list = "/fanfare/api/v1/organizers/acme/webhooks";
  EXPECT_EQ(next_of(curl(here + list + "/?page_size=1")),
            "https://hooks.example.com" + list + "/?page=2&page_size=1");
  const auto moved = curl(here + list + "?page=2");
  EXPECT_EQ(status_of(moved), "301");
  EXPECT_THAT(moved, ::testing::HasSubstr("\r\nLocation: "
                                          "https://hooks.example.com"
                                          + list + "/?page=2\r\n"));
}

TEST_F(BehindProxyTest, WrongAddressesAreRefusedWithAReason) {
  const auto refused = [&](const std::string& option,
                           const std::string& value) {
    child_process process{{.program = fanfare_program(),
                           .args = {"serve", "--data", (dir_ / "d").string(),
                                    "--listen", "127.0.0.1:0", option, value}}};
    const auto status = process.wait(patience);
    EXPECT_TRUE(status && status->code == 2) << option << ' ' << value;
    std::ostringstream said;
    for (const auto& line : process.lines(child_process::stream::err))
      said << line << '\n';
    EXPECT_THAT(said.str(), ::testing::HasSubstr('"' + value + '"'));
  };
  for (const auto* url : {"hooks.example.com", "ftp://a.example", "https://",
                          "https://me@a.example", "https://a.example/?x=1",
                          "https://a.example/#x", "https:a", "/x"})
    refused("--public-url", url);
  for (const auto* network : {"localhost", "10.0.0.1/8", "10.0.0.0/33", "*"})
    refused("--trusted-proxy", network);
}

} // namespace

} // namespace fanfare::test
