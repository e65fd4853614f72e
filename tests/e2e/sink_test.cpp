// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The program's `sink` as its users see it: calls in, lines of JSON out.

#include "tests/support/child_process.hpp"
#include "tests/support/paths.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr auto patience = 20s;

using headers = std::vector<std::pair<std::string, std::string>>;

class SinkTest : public ::testing::Test {
protected:
  static child_process start(std::vector<std::string> args) {
    args.insert(args.begin(), "sink");
    return child_process{
      {.program = fanfare_program(), .args = std::move(args)}};
  }

  /// Starts it on a free port and remembers which.
  child_process listening(std::vector<std::string> args = {}) {
    args.insert(args.end(), {"--listen", "127.0.0.1:0"});
    auto sink = start(std::move(args));
    const auto line = sink.wait_for_line("listening on ", patience);
    EXPECT_TRUE(line.has_value());
    if (line) {
      EXPECT_THAT(*line, StartsWith("listening on http://127.0.0.1:"));
      port_ = line->substr(line->rfind(':') + 1);
    }
    return sink;
  }

  http::response<http::string_body> call(const std::string& body,
                                         const headers& fields = {},
                                         const std::string& target = "/hook") {
    asio::io_context io;
    boost::beast::tcp_stream stream{io};
    stream.connect(
      asio::ip::tcp::endpoint{asio::ip::make_address("127.0.0.1"),
                              static_cast<std::uint16_t>(std::stoul(port_))});
    http::request<http::string_body> request{http::verb::post, target, 11,
                                             body};
    request.set(http::field::host, "127.0.0.1");
    for (const auto& [name, value] : fields)
      request.insert(name, value);
    request.prepare_payload();
    http::write(stream, request);
    http::response<http::string_body> response;
    boost::beast::flat_buffer buffer;
    http::read(stream, buffer, response);
    return response;
  }

  /// The printed line that contains `mark`.
  static json::object printed(const child_process& sink,
                              const std::string& mark) {
    const auto line = sink.wait_for_line(mark, patience);
    EXPECT_TRUE(line.has_value()) << mark;
    return line ? json::parse(*line).as_object() : json::object{};
  }

  static std::string text(const json::object& line, const char* key) {
    const auto* value = line.if_contains(key);
    return value && value->is_string() ? json::value_to<std::string>(*value)
                                       : "(none)";
  }

  std::string port_;
};

std::string sign(const std::string& key, const std::string& id,
                 const std::string& time, const std::string& body) {
  const auto content = id + '.' + time + '.' + body;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(content.data()), content.size(),
       digest.data(), &size);
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> encoded{};
  const auto length = EVP_EncodeBlock(encoded.data(), digest.data(),
                                      static_cast<int>(size));
  return "v1," + std::string{encoded.begin(), encoded.begin() + length};
}

std::string sign_ed25519(const std::string& seed, const std::string& id,
                         const std::string& time, const std::string& body) {
  const auto content = id + '.' + time + '.' + body;
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
    EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr,
      reinterpret_cast<const unsigned char*>(seed.data()), seed.size()),
    EVP_PKEY_free};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{
    EVP_MD_CTX_new(), EVP_MD_CTX_free};
  std::array<unsigned char, 64> signature{};
  auto size = signature.size();
  EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get());
  EVP_DigestSign(context.get(), signature.data(), &size,
                 reinterpret_cast<const unsigned char*>(content.data()),
                 content.size());
  std::array<unsigned char, 89> encoded{};
  const auto length = EVP_EncodeBlock(encoded.data(), signature.data(),
                                      static_cast<int>(size));
  return "v1a," + std::string{encoded.begin(), encoded.begin() + length};
}

std::string seconds_from_now(std::int64_t offset) {
  return std::to_string(std::time(nullptr) + offset);
}

TEST_F(SinkTest, PrintsEachCall) {
  auto sink = listening();
  const auto response = call(
    R"({"notification_id":77,"action":"a.b","nested":[1,{"x":null}]})",
    {{"Content-Type", "application/json"},
     {"Authorization", "Basic c2VjcmV0OnBhc3N3b3Jk"},
     {"X-Twice", "1"},
     {"X-Twice", "2"}},
    "/a/b?c=d");
  EXPECT_EQ(response.result_int(), 200U);
  const auto line = printed(sink, "notification_id");
  EXPECT_THAT(text(line, "time"),
              MatchesRegex("20[0-9-]+T[0-9:]+\\.[0-9][0-9][0-9]Z"));
  EXPECT_EQ(text(line, "method"), "POST");
  EXPECT_EQ(text(line, "path"), "/a/b?c=d");
  EXPECT_EQ(line.at("notification_id"), json::value(77));
  EXPECT_EQ(json::serialize(line.at("body")),
            R"({"notification_id":77,"action":"a.b","nested":[1,{"x":null}]})");
  const auto& fields = line.at("headers").as_object();
  EXPECT_EQ(text(fields, "content-type"), "application/json");
  EXPECT_EQ(text(fields, "authorization"), "Basic ***");
  EXPECT_EQ(text(fields, "x-twice"), "1, 2");
  EXPECT_EQ(text(line, "signature"), "absent");
  for (const auto& printed_line : sink.lines())
    EXPECT_THAT(printed_line, ::testing::Not(HasSubstr("c2VjcmV0")));
}

TEST_F(SinkTest, PrintsWhatIsNoJsonAsText) {
  auto sink = listening();
  call("plain \xff \xc3\xa9\n\"x\"");
  const auto line = printed(sink, "plain");
  EXPECT_EQ(text(line, "body"), "plain \xef\xbf\xbd \xc3\xa9\n\"x\"");
  EXPECT_FALSE(line.contains("notification_id"));
  call("", {}, "/empty");
  EXPECT_EQ(text(printed(sink, "/empty"), "body"), "");
}

TEST_F(SinkTest, AnswersAsToldAndWhenTold) {
  auto sink = listening({"--status", "503", "--delay", "200"});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(call("1").result_int(), 503U);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 200ms);
}

TEST_F(SinkTest, ChecksSignatures) {
  const std::string id = "msg_1";
  const std::string body = R"({"notification_id":1})";
  const struct {
    const char* name;
    std::string secret;
    std::string key;
  } secrets[] = {
    {"Base64", "whsec_MfKQ9r8GKYqTwjUPD8ILPZIo2LaLaSw=",
     "\x31\xf2\x90\xf6\xbf\x06\x29\x8a\x93\xc2\x35\x0f\x0f\xc2\x0b\x3d\x92\x28"
     "\xd8\xb6\x8b\x69\x2c"},
    {"Text", "a plain secret", "a plain secret"},
  };
  for (const auto& [name, secret, key] : secrets) {
    SCOPED_TRACE(name);
    auto sink = listening({"--secret", secret});
    const auto now = seconds_from_now(0);
    const auto good = sign(key, id, now, body);
    const auto wrong = sign("another key", id, now, body);
    int number = 0;
    const auto verdict = [&](const headers& fields) {
      const auto target = "/call-" + std::to_string(++number) + '.';
      const auto status = call(body, fields, target).result_int();
      const auto seen = text(printed(sink, target), "signature");
      EXPECT_EQ(status, seen == "valid" ? 200U : 401U);
      return seen;
    };
    const auto with = [&](const std::string& time,
                          const std::string& signatures) {
      return verdict({{"webhook-id", id},
                      {"webhook-timestamp", time},
                      {"webhook-signature", signatures}});
    };
    EXPECT_EQ(with(now, good), "valid");
    EXPECT_EQ(with(now, wrong + ' ' + good), "valid");
    EXPECT_EQ(with(now, good + " v1a,c29tZXRoaW5n"), "valid");
    for (const auto offset : {-290, 290}) {
      const auto time = seconds_from_now(offset);
      EXPECT_EQ(with(time, sign(key, id, time, body)), "valid") << offset;
    }
    auto time = seconds_from_now(-310);
    EXPECT_THAT(
      with(time, sign(key, id, time, body)),
      MatchesRegex("invalid: the webhook-timestamp is 31[0-9]+ s old"));
    time = seconds_from_now(320);
    EXPECT_THAT(with(time, sign(key, id, time, body)),
                MatchesRegex(
                  "invalid: the webhook-timestamp is 3[0-9]+ s in the future"));
    EXPECT_EQ(with(now, wrong), "invalid: no signature matches");
    EXPECT_EQ(with(now, sign(key, "msg_2", now, body)),
              "invalid: no signature matches");
    EXPECT_EQ(with(now, sign(key, id, now, body + ' ')),
              "invalid: no signature matches");
    EXPECT_EQ(with(now, good + 'x'), "invalid: no signature matches");
    EXPECT_EQ(with(now, good.substr(0, 10)), "invalid: no signature matches");
    EXPECT_EQ(with(now, "v2" + good.substr(2)),
              "invalid: no v1 signature in the list");
    EXPECT_THAT(with("soon", good), HasSubstr("not a number"));
    EXPECT_THAT(with("-1", good), HasSubstr("not a number"));
    EXPECT_THAT(with("99999999999999999999", good), HasSubstr("not a number"));
    EXPECT_THAT(with("9223372036854775807", good), HasSubstr("not a number"));
    EXPECT_THAT(
      verdict({{"webhook-timestamp", now}, {"webhook-signature", good}}),
      HasSubstr("webhook-id header is missing"));
    EXPECT_THAT(verdict({{"webhook-id", id}, {"webhook-signature", good}}),
                HasSubstr("webhook-timestamp header is missing"));
    EXPECT_EQ(verdict({{"webhook-id", id}, {"webhook-timestamp", now}}),
              "absent");
  }
}

TEST_F(SinkTest, ChecksSignaturesByPublicKey) {
  // Test 1 of RFC 8032, 7.1.
  const std::string seed{
    "\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4"
    "\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60"};
  const auto now = seconds_from_now(0);
  const auto good = sign_ed25519(seed, "msg_1", now, "{}");
  for (const std::string secret :
       {"whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="}) {
    SCOPED_TRACE(secret);
    auto sink = listening({"--secret", secret});
    int number = 0;
    const auto verdict = [&](const std::string& signatures) {
      const auto target = "/call-" + std::to_string(++number) + '.';
      const auto status = call("{}",
                               {{"webhook-id", "msg_1"},
                                {"webhook-timestamp", now},
                                {"webhook-signature", signatures}},
                               target)
                            .result_int();
      const auto seen = text(printed(sink, target), "signature");
      EXPECT_EQ(status, seen == "valid" ? 200U : 401U);
      return seen;
    };
    EXPECT_EQ(verdict(good), "valid");
    EXPECT_EQ(verdict("v1,c29tZXRoaW5n " + good), "valid");
    EXPECT_EQ(verdict(sign_ed25519(seed, "msg_2", now, "{}")),
              "invalid: no signature matches");
    EXPECT_EQ(verdict("v1," + good.substr(4)),
              "invalid: no v1a signature in the list");
  }
}

TEST_F(SinkTest, DoesNotCheckWithoutSecret) {
  auto sink = listening();
  EXPECT_EQ(call("{}", {{"webhook-signature", "v1,nonsense"}}).result_int(),
            200U);
  EXPECT_EQ(text(printed(sink, "v1,nonsense"), "signature"), "not checked");
}

TEST_F(SinkTest, EndsInOrderOnSignals) {
  for (const auto number : {SIGTERM, SIGINT}) {
    auto sink = listening();
    call("1");
    ASSERT_TRUE(sink.signal(number));
    const auto status = sink.wait(patience);
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(status->code, 0) << to_string(*status);
  }
}

TEST_F(SinkTest, AnswersWhatWaitsBeforeItEnds) {
  auto sink = listening({"--delay", "3600000"});
  auto waiting = std::async(std::launch::async,
                            [&] { return call("{}").result_int(); });
  ASSERT_TRUE(sink.wait_for_line("\"method\"", patience));
  ASSERT_TRUE(sink.signal(SIGTERM));
  EXPECT_EQ(waiting.get(), 200U);
  const auto status = sink.wait(patience);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->code, 0);
}

TEST_F(SinkTest, ExplainsWrongOptions) {
  const struct {
    std::vector<std::string> args;
    const char* about;
  } table[] = {
    {{"--listen", "9000"}, "the port is missing"},
    {{"--listen", ":9000"}, "the host is missing"},
    {{"--listen", "127.0.0.1:"}, "the port is not a number"},
    {{"--listen", "127.0.0.1:65536"}, "the port is not a number"},
    {{"--listen", "127.0.0.1:http"}, "the port is not a number"},
    {{"--listen", "::1:9000"}, "needs brackets"},
    {{"--status", "199"}, "--status"},
    {{"--status", "600"}, "--status"},
    {{"--status", "ok"}, "--status"},
    {{"--delay", "-1"}, "--delay"},
    {{"--delay", "3600001"}, "--delay"},
    {{"--delay", "1s"}, "--delay"},
    {{"--secret", "whsec_no*base64"}, "--secret"},
    {{"--secret", "whsec_"}, "--secret"},
    {{"--secret", "whpk_c2hvcnQ="}, "a public key has 32"},
    {{"--secret", "whsk_c2hvcnQ="}, "a private key has 64"},
    {{"--secret="}, "--secret"},
    {{"--unknown"}, "--unknown"},
  };
  for (const auto& [args, about] : table) {
    SCOPED_TRACE(args.back());
    auto sink = start(args);
    const auto status = sink.wait(patience);
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(status->code, 2);
    EXPECT_TRUE(sink.wait_for_line(about, patience, child_process::stream::err))
      << about;
    EXPECT_TRUE(sink.lines().empty());
  }
}

TEST_F(SinkTest, SaysWhyItCannotListen) {
  auto first = listening();
  auto second = start({"--listen", "127.0.0.1:" + port_});
  const auto status = second.wait(patience);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->code, 1);
  EXPECT_TRUE(
    second.wait_for_line("in use", patience, child_process::stream::err));
}

TEST_F(SinkTest, TellsItsOptions) {
  const auto help = run(
    {.program = fanfare_program(), .args = {"sink", "--help"}});
  for (const auto* part :
       {"--listen", "127.0.0.1:9000", "--status", "--delay", "--secret", "401"})
    EXPECT_THAT(help, HasSubstr(part));
}

} // namespace

} // namespace fanfare::test
