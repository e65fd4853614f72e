// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Our signatures and those of implementations that are not ours
// (tests/signatures), both ways. Skipped where these are not installed.

#include "protocol/security/signature.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/paths.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace fanfare::protocol {
namespace {

namespace json = boost::json;
using ::testing::StartsWith;

/// What is signed, by whom, and with which key.
struct case_of_use {
  std::string package;
  std::string secret;    ///< signs
  std::string verifying; ///< verifies: the secret, or the public key
  std::string id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
  std::string timestamp = std::to_string(std::time(nullptr));
  std::string body = R"({"notification_id":12,"name":"Käse \u2713 🎉","x":[]})";

  [[nodiscard]] signed_content content() const {
    return {id, timestamp, body};
  }
};

std::string shared_secret(std::size_t size) {
  std::string text = "whsec_";
  // Groups of three bytes need no padding.
  for (std::size_t i = 0; i < size / 3; ++i)
    text += "a+/" + std::string(1, static_cast<char>('A' + i % 26));
  return text;
}

/// One for each package and kind of key.
std::vector<case_of_use> cases() {
  std::vector<case_of_use> all;
  for (const auto* package : {"standardwebhooks", "svix"}) {
    const auto made = signing_key::make(signing_algorithm::hmac_sha256).text();
    for (const auto& secret :
         {made, shared_secret(18), shared_secret(63), shared_secret(75)})
      all.push_back({package, secret, secret});
  }
  for (int i = 0; i < 3; ++i) {
    const auto key = signing_key::make(signing_algorithm::ed25519);
    all.push_back({"node:crypto", key.text(), key.public_text()});
  }
  // Bodies that are not short, and that begin and end oddly.
  for (auto one : std::vector{all.front(), all.back()}) {
    one.body.assign(1, '[');
    one.body.append(100'000, ' ').append("\"\\u0000\"]\n");
    all.push_back(one);
  }
  return all;
}

class SignatureInteropTest : public ::testing::Test {
protected:
  void SetUp() override {
    const auto folder = test::source_dir() / "tests/signatures";
    script_ = folder / "verify.mjs";
    try {
      test::run({.program = "node", .args = {"--version"}});
    } catch (const std::system_error&) {
      GTEST_SKIP() << "node is not installed, and other implementations of "
                      "Standard Webhooks need it";
    }
    for (const auto* package : {"standardwebhooks", "svix"})
      if (!std::filesystem::exists(folder / "node_modules" / package))
        GTEST_SKIP() << "the packages of tests/signatures are not installed; "
                        "script/bootstrap does it where there is npm";
  }

  /// Asks for all at once: one answer for each.
  std::vector<std::string> ask(const std::vector<json::object>& questions,
                               std::vector<std::string> args = {}) {
    std::string input;
    for (const auto& question : questions)
      input += json::serialize(question) + '\n';
    args.insert(args.begin(), script_.string());
    std::istringstream output{
      test::run({.program = "node", .args = args, .input = input})};
    std::vector<std::string> answers;
    for (std::string line; std::getline(output, line);)
      answers.push_back(line);
    EXPECT_EQ(answers.size(), questions.size());
    answers.resize(questions.size());
    return answers;
  }

  static json::object verification(const case_of_use& one,
                                   const std::string& signatures) {
    return {{"package", one.package},
            {"secret", one.verifying},
            {"headers",
             {{"webhook-id", one.id},
              {"webhook-timestamp", one.timestamp},
              {"webhook-signature", signatures}}},
            {"body", one.body}};
  }

private:
  std::filesystem::path script_;
};

std::string signature_of(const case_of_use& one) {
  std::string out;
  signing_key::parse(one.secret).value().sign(one.content(), out);
  return out;
}

TEST_F(SignatureInteropTest, OthersAcceptOurs) {
  std::vector<json::object> questions;
  for (const auto& one : cases()) {
    const auto good = signature_of(one);
    questions.push_back(verification(one, good));
    // A replaced key beside it, and one of the other kind.
    for (const auto algorithm :
         {signing_algorithm::hmac_sha256, signing_algorithm::ed25519}) {
      std::string both;
      signing_key::make(algorithm).sign(one.content(), both);
      questions.push_back(verification(one, both + ' ' + good));
      questions.push_back(verification(one, good + ' ' + both));
    }
  }
  const auto answers = ask(questions);
  for (std::size_t i = 0; i < answers.size(); ++i)
    EXPECT_EQ(answers[i], "accepted") << json::serialize(questions[i]);
}

TEST_F(SignatureInteropTest, OthersAcceptTheHeadersAsWeSendThem) {
  std::vector<json::object> questions;
  for (const auto& one : cases()) {
    std::string text;
    append_signature_headers(
      std::vector{signing_key::parse(one.secret).value(),
                  signing_key::make(signing_algorithm::hmac_sha256)},
      one.content(), text);
    json::object headers;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
      ASSERT_TRUE(line.ends_with('\r'));
      line.pop_back();
      const auto colon = line.find(": ");
      headers[line.substr(0, colon)] = line.substr(colon + 2);
    }
    auto question = verification(one, "");
    question["headers"] = headers;
    questions.push_back(question);
  }
  const auto answers = ask(questions);
  for (std::size_t i = 0; i < answers.size(); ++i)
    EXPECT_EQ(answers[i], "accepted") << json::serialize(questions[i]);
}

TEST_F(SignatureInteropTest, OthersRefuseWhatDiffers) {
  std::vector<json::object> questions;
  for (const auto& one : cases()) {
    const auto good = signature_of(one);
    auto changed = one;
    changed.body[changed.body.size() / 2] ^= 1;
    questions.push_back(verification(changed, good));
    changed = one;
    changed.body += ' ';
    questions.push_back(verification(changed, good));
    changed = one;
    changed.id.back() = 'X';
    questions.push_back(verification(changed, good));
    changed = one;
    changed.timestamp = std::to_string(std::stoll(one.timestamp) - 1);
    questions.push_back(verification(changed, good));
    changed = one;
    const auto other = signing_key::make(
      signing_key::parse(one.secret).value().algorithm());
    changed.verifying = other.public_text().empty() ? other.text()
                                                    : other.public_text();
    questions.push_back(verification(changed, good));
    changed = one;
    // Right, but too old for them.
    changed.timestamp = std::to_string(std::stoll(one.timestamp) - 400);
    questions.push_back(verification(changed, signature_of(changed)));
  }
  const auto answers = ask(questions);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_THAT(answers[i], StartsWith("refused: "))
      << json::serialize(questions[i]);
    // For what it is, not because of how it was asked.
    EXPECT_THAT(answers[i],
                ::testing::AnyOf(::testing::HasSubstr("No matching signature"),
                                 ::testing::HasSubstr("timestamp too old")));
  }
}

TEST_F(SignatureInteropTest, WeAcceptTheirsAndNothingElse) {
  const auto all = cases();
  std::vector<json::object> questions;
  questions.reserve(all.size());
  for (const auto& one : all)
    questions.push_back({{"package", one.package},
                         {"secret", one.secret},
                         {"id", one.id},
                         {"timestamp", one.timestamp},
                         {"body", one.body}});
  const auto answers = ask(questions, {"--sign"});
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(json::serialize(questions[i]));
    const auto& one = all[i];
    const auto& theirs = answers[i];
    EXPECT_EQ(theirs,
              signature_of(one)); // both ways of signing have one result
    EXPECT_TRUE(verify_signature(one.verifying, one.content(), theirs));
    EXPECT_TRUE(verify_signature(one.secret, one.content(), theirs));
    auto changed = one;
    changed.body[changed.body.size() / 2] ^= 1;
    EXPECT_FALSE(verify_signature(one.verifying, changed.content(), theirs));
    changed = one;
    changed.id.back() = 'X';
    EXPECT_FALSE(verify_signature(one.verifying, changed.content(), theirs));
    changed = one;
    changed.timestamp.back() = changed.timestamp.back() == '0' ? '1' : '0';
    EXPECT_FALSE(verify_signature(one.verifying, changed.content(), theirs));
    for (const auto algorithm :
         {signing_algorithm::hmac_sha256, signing_algorithm::ed25519})
      EXPECT_FALSE(verify_signature(signing_key::make(algorithm).text(),
                                    one.content(), theirs));
  }
}

} // namespace
} // namespace fanfare::protocol
