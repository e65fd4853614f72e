// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Requests as receivers get them are verified by implementations that are not
// ours (tests/signatures), and what they are signed with is found nowhere else.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// A request for verify.mjs.
json::object question(const std::string& package, const std::string& secret,
                      const request_record& got) {
  json::object headers;
  for (const auto& [name, value] : got.headers)
    headers[name] = value;
  return {{"package", package},
          {"secret", secret},
          {"headers", headers},
          {"body", got.body}};
}

class SignaturesTest : public E2eTest {
protected:
  static constexpr std::array packages{"standardwebhooks", "svix"};

  void serve(std::vector<std::string> args = {}) {
    args.insert(args.end(), {"--schedule", "200ms,200ms,200ms"});
    start(std::move(args));
  }

  rest_response rotate(hook_id hook, const json::object& how = {}) {
    return api().post(webhook_path("acme", hook) + "secret/rotate/", how);
  }

  json::value secret_of(hook_id hook) {
    return api().get(webhook_path("acme", hook) + "secret/").json();
  }

  /// The request for what is published now.
  request_record next_request() {
    const auto before = sink_.size();
    publish();
    if (!sink_.wait_for(before + 1, patience))
      throw std::runtime_error{"nothing arrived"};
    return sink_.records().at(before);
  }

  /// Why it cannot be asked, or nothing.
  static std::string missing() {
    try {
      run({.program = "node", .args = {"--version"}});
    } catch (const std::system_error&) {
      return "node is not installed, and other implementations of Standard "
             "Webhooks need it";
    }
    for (const auto* package : packages)
      if (!fs::exists(source_dir() / "tests/signatures/node_modules" / package))
        return "the packages of tests/signatures are not installed; "
               "script/bootstrap does it where there is npm";
    return {};
  }

  /// Asks others: one answer for each.
  static std::vector<std::string> ask(const std::vector<json::object>& all) {
    std::string input;
    for (const auto& one : all)
      input += json::serialize(one) + '\n';
    std::istringstream output{
      run({.program = "node",
           .args = {(source_dir() / "tests/signatures/verify.mjs").string()},
           .input = input})};
    std::vector<std::string> answers;
    for (std::string line; std::getline(output, line);)
      answers.push_back(line);
    EXPECT_EQ(answers.size(), all.size());
    answers.resize(all.size());
    return answers;
  }

  /// By both packages.
  static std::vector<std::string> ask(const std::string& secret,
                                      const request_record& got) {
    std::vector<json::object> all;
    for (const auto* package : packages)
      all.push_back(question(package, secret, got));
    return ask(all);
  }

  std::atomic<unsigned> status_{200};
  http_sink sink_{[this](const request_record&) {
    return response_plan::answer(status_.load());
  }};
};

/// The value of a header, which has to be there.
std::string value_of(const request_record& got, std::string_view name) {
  const auto value = got.header(name);
  if (!value)
    throw std::runtime_error{"the request has no " + std::string{name}};
  return *value;
}

void replace(request_record& in, std::string_view name, std::string value) {
  for (auto& [key, old] : in.headers)
    if (key == name)
      old = std::move(value);
}

TEST_F(SignaturesTest, OthersAcceptTheRequestsOfAnyWebhookAndNothingElse) {
  if (const auto why = missing(); !why.empty())
    GTEST_SKIP() << why;
  serve();
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink_.url("/hook")});
  const auto shown = secret_of(hook);
  const auto secret = text_of(shown, "secret");
  EXPECT_THAT(secret, StartsWith("whsec_"));
  EXPECT_EQ(text_of(shown, "algorithm"), "hmac-sha256");
  publish("acme", {{"action", order_placed},
                   {"event", "democon"},
                   {"code", "K\xc3\xa4se \xe2\x9c\x93 \xf0\x9f\x8e\x89"}});
  ASSERT_TRUE(sink_.wait_for(1, patience));
  const auto got = sink_.records().at(0);
  EXPECT_THAT(ask(secret, got), Each("accepted"));

  std::vector<json::object> others;
  for (const auto* package : packages) {
    auto changed = got;
    changed.body[changed.body.size() / 2] ^= 1;
    others.push_back(question(package, secret, changed));
    changed = got;
    changed.body += '\n';
    others.push_back(question(package, secret, changed));
    changed = got;
    replace(changed, "webhook-id", value_of(got, "webhook-id") + '0');
    others.push_back(question(package, secret, changed));
    changed = got;
    replace(changed, "webhook-timestamp",
            std::to_string(std::stoll(value_of(got, "webhook-timestamp")) - 1));
    others.push_back(question(package, secret, changed));
    auto other = secret;
    other[10] = other[10] == 'A' ? 'B' : 'A';
    others.push_back(question(package, other, got));
  }
  EXPECT_THAT(ask(others), Each(AllOf(StartsWith("refused: "),
                                      HasSubstr("No matching signature"))));
}

TEST_F(SignaturesTest, ANotificationHasOneIdInAllAttemptsAlsoAfterAKill) {
  status_ = 500;
  serve();
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  publish();
  publish();
  wait_for_calls("acme", hook, 4);
  kill();
  status_ = 200;
  serve();
  ASSERT_TRUE(eventually(patience, [&] {
    return retries("acme", hook).empty() && calls("acme", hook).size() >= 6;
  }));
  std::map<std::uint64_t, std::set<std::string>> ids;
  std::map<std::uint64_t, std::size_t> attempts;
  const auto records = sink_.records();
  for (const auto& r : records) {
    ids[id_in(r.body)].insert(value_of(r, "webhook-id"));
    ++attempts[id_in(r.body)];
    EXPECT_FALSE(value_of(r, "webhook-timestamp").empty());
  }
  ASSERT_EQ(ids.size(), 2U);
  std::set<std::string> all;
  for (const auto& [id, names] : ids) {
    EXPECT_EQ(names.size(), 1U) << id;
    EXPECT_GE(attempts[id], 3U) << id;
    all.insert(*names.begin());
  }
  EXPECT_EQ(all.size(), 2U);
  if (const auto why = missing(); !why.empty())
    GTEST_SKIP() << why;
  const auto secret = text_of(secret_of(hook), "secret");
  std::vector<json::object> questions;
  for (const auto& r : records)
    questions.push_back(question("standardwebhooks", secret, r));
  EXPECT_THAT(ask(questions), Each("accepted"));
}

TEST_F(SignaturesTest, BothSecretsVerifyUntilTheOverlapEnds) {
  if (const auto why = missing(); !why.empty())
    GTEST_SKIP() << why;
  serve();
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  const auto first = text_of(secret_of(hook), "secret");
  const auto rotated = rotate(hook);
  ASSERT_EQ(rotated.status, 200U) << rotated.body;
  const auto second = text_of(rotated.json(), "secret");
  EXPECT_NE(second, first);
  EXPECT_EQ(text_of(secret_of(hook), "secret"), second);
  EXPECT_FALSE(text_of(secret_of(hook), "previous_until").empty());
  const auto during = next_request();
  EXPECT_THAT(ask(first, during), Each("accepted"));
  EXPECT_THAT(ask(second, during), Each("accepted"));

  // Its own, and only for a second more.
  const std::string third = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
  ASSERT_EQ(rotate(hook, {{"secret", third}, {"overlap", 1}}).status, 200U);
  ASSERT_TRUE(eventually(
    patience, [&] { return secret_of(hook).at("previous_until").is_null(); }));
  EXPECT_EQ(text_of(secret_of(hook), "secret"), third);
  const auto after = next_request();
  EXPECT_EQ(value_of(after, "webhook-signature").find(' '), std::string::npos);
  EXPECT_THAT(ask(third, after), Each("accepted"));
  EXPECT_THAT(ask(second, after), Each(StartsWith("refused: ")));
  EXPECT_THAT(ask(first, after), Each(StartsWith("refused: ")));
}

TEST_F(SignaturesTest, APublicKeyVerifiesAndThePrivateOneIsNotShown) {
  serve();
  add_organizer("acme");
  const auto hook = add_webhook(
    "acme", {.url = sink_.url(),
             .delivery = {{"signing", {{"algorithm", "ed25519"}}}}});
  const auto answer = api().get(webhook_path("acme", hook) + "secret/");
  EXPECT_THAT(answer.body, Not(HasSubstr("whsk_")));
  EXPECT_EQ(answer.header("cache-control"), "no-store");
  EXPECT_TRUE(answer.json().at("secret").is_null());
  const auto key = text_of(answer.json(), "public_key");
  EXPECT_THAT(key, StartsWith("whpk_"));
  const auto got = next_request();
  EXPECT_THAT(value_of(got, "webhook-signature"), StartsWith("v1a,"));
  if (const auto why = missing(); !why.empty())
    GTEST_SKIP() << why;
  auto changed = got;
  changed.body[3] ^= 1;
  const auto answers = ask(
    {question("node:crypto", key, got), question("node:crypto", key, changed)});
  EXPECT_EQ(answers[0], "accepted");
  EXPECT_THAT(answers[1], HasSubstr("No matching signature"));
}

TEST_F(SignaturesTest, NoAlgorithmNoSignature) {
  serve();
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  change_delivery("acme", hook, {{"signing", {{"algorithm", "none"}}}});
  for (const auto& [name, value] : next_request().headers)
    EXPECT_THAT(name, Not(StartsWith("webhook-"))) << value;
  EXPECT_EQ(api().get(webhook_path("acme", hook) + "secret/").status, 404U);
  EXPECT_EQ(rotate(hook).status, 409U);
}

std::string hmac(const EVP_MD* digest, const std::string& key,
                 const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned length = 0;
  HMAC(digest, key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       out.data(), &length);
  return {reinterpret_cast<const char*>(out.data()), length};
}

std::string hex(const std::string& bytes) {
  std::string out;
  for (const unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

std::string base64(const std::string& bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  out.resize(static_cast<std::size_t>(
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                    reinterpret_cast<const unsigned char*>(bytes.data()),
                    static_cast<int>(bytes.size()))));
  return out;
}

TEST_F(SignaturesTest, ALegacyHeaderStandsBesideTheSignature) {
  serve();
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  const auto sign_with = [&](const json::object& legacy) {
    change_delivery(
      "acme", hook,
      {{"signing", {{"algorithm", "hmac-sha256"}, {"legacy", legacy}}}});
  };
  sign_with({{"header", "X-Hub-Signature-256"}, {"prefix", "sha256="}});
  const auto secret = text_of(secret_of(hook), "secret");
  const auto github = next_request();
  EXPECT_EQ(value_of(github, "x-hub-signature-256"),
            "sha256=" + hex(hmac(EVP_sha256(), secret, github.body)));
  EXPECT_THAT(value_of(github, "webhook-signature"), StartsWith("v1,"));

  sign_with({{"header", "X-Signature"},
             {"hash", "sha512"},
             {"encoding", "base64"},
             {"template", "{id}:{timestamp}:{body}"}});
  const auto own = next_request();
  EXPECT_EQ(
    value_of(own, "x-signature"),
    base64(hmac(EVP_sha512(), secret,
                value_of(own, "webhook-id") + ':'
                  + value_of(own, "webhook-timestamp") + ':' + own.body)));
  EXPECT_FALSE(own.header("x-hub-signature-256"));
}

TEST_F(SignaturesTest, TheSinkOfTheProgramAcceptsThem) {
  serve();
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  const auto secret = text_of(secret_of(hook), "secret");
  const auto change_to = [&](const std::string& with) {
    child_process sink{
      {.program = fanfare_program(),
       .args = {"sink", "--listen", "127.0.0.1:0", "--secret", with}}};
    const auto line = sink.wait_for_line("listening on ", patience);
    if (!line)
      throw std::runtime_error{"the sink does not listen"};
    change_webhook("acme", hook,
                   {{"target_url", line->substr(line->find("http://")) + '/'}});
    return sink;
  };
  auto knowing = change_to(secret);
  publish();
  EXPECT_EQ(number_of(wait_for_calls("acme", hook, 1)[0], "return_code"), 200U);
  const auto line = knowing.wait_for_line("notification_id", patience);
  ASSERT_TRUE(line);
  EXPECT_EQ(text_of(json::parse(*line), "signature"), "valid");
  auto other = change_to("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
  publish();
  EXPECT_EQ(number_of(wait_for_calls("acme", hook, 2)[1], "return_code"), 401U);
  change_delivery("acme", hook, {{"signing", {{"algorithm", "ed25519"}}}});
  auto third = change_to(text_of(secret_of(hook), "public_key"));
  const auto id = publish();
  const auto seen = third.wait_for_line(
    "\"notification_id\":" + std::to_string(id), patience);
  ASSERT_TRUE(seen);
  EXPECT_EQ(text_of(json::parse(*seen), "signature"), "valid");
}

// -- at rest ------------------------------------------------------------------

constexpr const char*
  some_key = "8f4a1c0e5b7d92366e1fa0c4d8b35a7792e04c6b1d3f58a9c7e2b0d46f819a35";
constexpr const char* other_key = "00112233445566778899aabbccddeeff001122334455"
                                  "66778899aabbccddeeff";

/// Files below `in` that hold these bytes.
std::vector<std::string> files_with(const fs::path& in,
                                    const std::string& bytes) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator{in})
    if (entry.is_regular_file()
        && read_file(entry.path()).find(bytes) != std::string::npos)
      out.push_back(entry.path().filename().string());
  return out;
}

class SecretsAtRestTest : public SignaturesTest {
protected:
  std::string
  key_file(const std::string& text,
           fs::perms mode = fs::perms::owner_read | fs::perms::owner_write) {
    const auto path = dir_.write("secret.key", text + '\n');
    fs::permissions(path, mode);
    return path.string();
  }

  /// What a server that cannot start says.
  std::string refusal(std::vector<std::string> args,
                      std::vector<std::string> wrapper = {}) {
    api_.reset();
    server_.reset();
    const auto before = std::chrono::steady_clock::now();
    try {
      server_.emplace(server_options{.data = dir_ / "data",
                                     .args = std::move(args),
                                     .wrapper = std::move(wrapper)});
    } catch (const std::runtime_error& said) {
      EXPECT_LT(std::chrono::steady_clock::now() - before, patience / 2);
      return said.what();
    }
    ADD_FAILURE() << "it started";
    return {};
  }

  /// Uses everything that is secret; gives all of it.
  std::vector<std::string> use_secrets() {
    add_organizer("acme");
    std::vector<std::string> secrets;
    const auto hook = add_webhook(
      "acme",
      {.url = sink_.url("/a"),
       .delivery = {{"headers", {{"X-Api-Key", "header-value-6b1d"}}},
                    {"proxy", "http://user:proxy-password-77e0@127.0.0.1:9"}}});
    change_delivery("acme", hook, {{"proxy", nullptr}});
    const auto remember = [&secrets](const std::string& text) {
      const auto base = text.substr(text.find('_') + 1); // base64
      std::string bytes(text.size(), '\0');
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(base.data()),
                      static_cast<int>(base.size()));
      secrets.insert(secrets.end(), {base.substr(0, 32), bytes.substr(0, 24)});
    };
    remember(text_of(secret_of(hook), "secret"));
    remember(text_of(rotate(hook).json(), "secret"));
    const std::string own = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    // The answer to a write with a key is kept.
    const auto kept = api().send("POST",
                                 webhook_path("acme", hook) + "secret/rotate/",
                                 json::serialize(json::object{{"secret", own}}),
                                 {{"X-Idempotency-Key", "rotation-1"}});
    EXPECT_EQ(kept.status, 200U) << kept.body;
    remember(own);
    change_delivery("acme", hook,
                    {{"headers", {{"X-Api-Key", "header-value-second-0c4d"}}}});
    secrets.insert(secrets.end(), {"header-value-6b1d", "proxy-password-77e0",
                                   "header-value-second-0c4d"});
    const std::string seed(32, 'S');
    const std::string private_key = "whsk_" + base64(seed);
    const auto signing = add_webhook(
      "acme", {.url = sink_.url("/b"),
               .delivery = {{"signing", {{"algorithm", "ed25519"}}}}});
    EXPECT_EQ(rotate(signing, {{"secret", private_key}}).status, 200U);
    remember(private_key);
    const auto papers = certificate_authority{}.good();
    add_webhook("acme",
                {.url = "https://localhost:" + std::to_string(sink_.port()),
                 .delivery = {{"tls",
                               {{"client_certificate", papers.certificate_pem},
                                {"client_key", papers.key_pem}}}}});
    // The middle of the key, from its second line.
    const auto& pem = papers.key_pem;
    const auto line = pem.find('\n') + 1;
    secrets.push_back(pem.substr(line, 48));
    publish();
    EXPECT_TRUE(sink_.wait_for(2, patience));
    EXPECT_TRUE(eventually(patience, [&] {
      return !calls("acme", hook).empty() && !calls("acme", signing).empty();
    }));
    EXPECT_EQ(sink_.records().at(0).target == "/a"
                ? sink_.records().at(0).header("x-api-key")
                : sink_.records().at(1).header("x-api-key"),
              "header-value-second-0c4d");
    return secrets;
  }
};

TEST_F(SecretsAtRestTest, AreFoundInNoFileWithAKey) {
  serve({"--secret-key-file", key_file(some_key)});
  const auto secrets = use_secrets();
  EXPECT_THAT(running().log_tail(), Not(HasSubstr("unencrypted")));
  for (const auto& one : secrets) {
    EXPECT_THAT(files_with(dir_ / "data", one), IsEmpty()) << one;
    EXPECT_THAT(running().log_tail(), Not(HasSubstr(one)));
  }
  stop();
  for (const auto& one : secrets)
    EXPECT_THAT(files_with(dir_ / "data", one), IsEmpty()) << one;
  EXPECT_THAT(files_with(dir_ / "data", some_key), IsEmpty());
}

TEST_F(SecretsAtRestTest, AreFoundInNoAnswerThatIsKept) {
  serve({"--secret-key-file", key_file(some_key)});
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  const auto change = [&](const std::string& value) {
    const auto answer = api().send(
      "PATCH", webhook_path("acme", hook) + "delivery/",
      json::serialize(json::object{{"headers", {{"X-Api-Key", value}}}}),
      {{"X-Idempotency-Key", value.substr(0, 8)}});
    EXPECT_EQ(answer.status, 200U) << answer.body;
  };
  change("header-value-3f5a");
  change("another-value-90d2");
  stop();
  EXPECT_THAT(files_with(dir_ / "data", "header-value-3f5a"), IsEmpty());
  EXPECT_THAT(files_with(dir_ / "data", "another-value-90d2"), IsEmpty());
}

TEST_F(SecretsAtRestTest, WithoutAKeyTheLogSaysThatTheyCanBeRead) {
  serve();
  EXPECT_THAT(running().log_tail(),
              AllOf(HasSubstr("unencrypted"), HasSubstr("--secret-key-file")));
  use_secrets();
  stop();
  // It also shows that the search finds what is there.
  EXPECT_THAT(files_with(dir_ / "data", "header-value-second-0c4d"),
              Not(IsEmpty()));
}

TEST_F(SecretsAtRestTest, ARestartNeedsTheKeyAndSaysSo) {
  serve({"--secret-key-file", key_file(some_key)});
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  const auto secret = text_of(secret_of(hook), "secret");
  stop();

  EXPECT_THAT(refusal({}),
              AllOf(HasSubstr("The secret of webhook "),
                    HasSubstr("cannot be read"), HasSubstr("key")));
  EXPECT_THAT(refusal({"--secret-key-file", key_file(other_key)}),
              AllOf(HasSubstr("cannot be read"), Not(HasSubstr(other_key))));
  EXPECT_THAT(
    refusal({}, {"env", std::string{"FANFARE_SECRET_KEY="} + other_key}),
    HasSubstr("cannot be read"));
  EXPECT_THAT(refusal({"--secret-key-file",
                       key_file(some_key, fs::perms::owner_read
                                            | fs::perms::others_read)}),
              HasSubstr("secret.key"));
  EXPECT_THAT(refusal({"--secret-key-file", (dir_ / "no.key").string()}),
              HasSubstr("no.key"));
  EXPECT_THAT(refusal({"--secret-key-file", key_file("swordfish")}),
              AllOf(HasSubstr("key"), Not(HasSubstr("swordfish"))));

  // The first one seals, all of them open.
  serve(
    {"--secret-key-file", key_file(std::string{other_key} + '\n' + some_key)});
  EXPECT_EQ(text_of(secret_of(hook), "secret"), secret);
  stop();
  api_.reset();
  server_.emplace(server_options{
    .data = dir_ / "data",
    .wrapper = {"env", std::string{"FANFARE_SECRET_KEY="} + some_key}});
  EXPECT_EQ(text_of(secret_of(hook), "secret"), secret);
  EXPECT_EQ(value_of(next_request(), "content-type").find("application/json"),
            0U);
  EXPECT_TRUE(flag_of(wait_for_calls("acme", hook, 1)[0], "success"));
}

TEST_F(SecretsAtRestTest, OutliveAKill) {
  const auto file = key_file(some_key);
  serve({"--secret-key-file", file});
  add_organizer("acme");
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  const auto first = text_of(secret_of(hook), "secret");
  const auto second = text_of(rotate(hook).json(), "secret");
  kill();
  EXPECT_THAT(files_with(dir_ / "data", second.substr(6)), IsEmpty());
  serve({"--secret-key-file", file});
  EXPECT_EQ(text_of(secret_of(hook), "secret"), second);
  const auto got = next_request();
  if (const auto why = missing(); !why.empty())
    GTEST_SKIP() << why;
  EXPECT_THAT(ask(first, got), Each("accepted"));
  EXPECT_THAT(ask(second, got), Each("accepted"));
}

} // namespace

} // namespace fanfare::test
