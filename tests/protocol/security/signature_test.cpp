// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/security/signature.hpp"

#include "protocol/base64.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::protocol {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// The example of the specification. Its signature by other means:
///   printf 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}' |
///     openssl dgst -sha256 -mac HMAC -binary -macopt hexkey:$(printf
///       MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw | base64 -d | xxd -p -c 99) | base64
const std::string example_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr signed_content example{"msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                                 R"({"test": 2432232314})"};
const std::string
  example_signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

/// Test 1 of RFC 8032, 7.1.
const std::string rfc8032_seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326"
                                 "919703bac031cae7f60";
const std::string rfc8032_public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa"
                                   "62325af021a68f707511a";

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(
      std::stoi(std::string{hex.substr(i, 2)}, nullptr, 16));
  return out;
}

std::string base64(std::string_view bytes) {
  return encode_base64(
    {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

std::string signature_of(const signing_key& key, const signed_content& what) {
  std::string out;
  key.sign(what, out);
  return out;
}

signing_key key_of(std::string_view text) {
  return signing_key::parse(text).value();
}

// -- v1 -----------------------------------------------------------------------

TEST(SignatureTest, SignsTheExampleOfTheSpecification) {
  const auto key = key_of(example_secret);
  EXPECT_EQ(key.algorithm(), signing_algorithm::hmac_sha256);
  EXPECT_EQ(signature_of(key, example), example_signature);
  // Again, and after what is there already: a key keeps nothing of a call.
  std::string out = "before ";
  key.sign(example, out);
  EXPECT_EQ(out, "before " + example_signature);
  EXPECT_TRUE(verify_signature(example_secret, example, example_signature));
}

TEST(SignatureTest, RefusesWhatIsNotWhatWasSigned) {
  const auto refused = [](const std::string& secret,
                          const signed_content& what) {
    return !verify_signature(secret, what, example_signature);
  };
  auto body = std::string{example.body};
  for (auto& byte : body) {
    byte ^= 1;
    EXPECT_TRUE(refused(example_secret, {example.id, example.timestamp, body}));
    byte ^= 1;
  }
  EXPECT_TRUE(
    refused(example_secret, {example.id, example.timestamp, body + ' '}));
  EXPECT_TRUE(refused(example_secret, {example.id, example.timestamp, ""}));
  EXPECT_TRUE(refused(example_secret, {"msg_p5jXN8AQM9LWM0D4loKWxJel",
                                       example.timestamp, example.body}));
  EXPECT_TRUE(
    refused(example_secret, {example.id, "1614265331", example.body}));
  EXPECT_TRUE(refused("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx", example));
  EXPECT_TRUE(refused("whsec_", example));
  EXPECT_TRUE(refused("whsec_no*base64", example));
  EXPECT_TRUE(refused("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", example));
  EXPECT_TRUE(refused("", example));
}

TEST(SignatureTest, FindsTheRightOneOfSeveralSignatures) {
  const auto verified = [](const std::string& header) {
    return verify_signature(example_secret, example, header);
  };
  const auto& good = example_signature;
  const auto wrong = signature_of(
    signing_key::make(signing_algorithm::hmac_sha256), example);
  EXPECT_TRUE(verified(wrong + ' ' + good));
  EXPECT_TRUE(verified(good + ' ' + wrong));
  EXPECT_TRUE(verified("v1a,c29tZXRoaW5n v9,x  " + good + ' '));
  EXPECT_FALSE(verified(wrong));
  EXPECT_FALSE(verified(""));
  EXPECT_FALSE(verified(" "));
  EXPECT_FALSE(verified("v1,"));
  EXPECT_FALSE(verified("v1"));
  EXPECT_FALSE(verified(good.substr(3)));
  EXPECT_FALSE(verified("v2," + good.substr(3)));
  EXPECT_FALSE(verified("v1a," + good.substr(3)));
  EXPECT_FALSE(verified("V1," + good.substr(3)));
  EXPECT_FALSE(verified(good + 'x'));
  EXPECT_FALSE(verified(good + ','));
  EXPECT_FALSE(verified(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(verified(good + wrong));
  EXPECT_FALSE(verified("v1, " + good.substr(3)));
}

// The vectors of RFC 4231 have no dots, so they are tried with the legacy
// header below. Here: keys at the limits against openssl dgst, as above, over
// "1.2.{}".
TEST(SignatureTest, SignsWithKeysOfEachLength) {
  const std::pair<std::size_t, const char*> table[] = {
    {16, "E5K/4pDuej+bhX503knYWPX1gJd7NPZWaXzcgC8RQBY="},
    {63, "Y1q3qf2bHP0muq+Y43KGYqi26FXOEUkGGaw1kOPzVJA="},
    {64, "WYRBd6uTrTJVOxC5w2I8BajTwc/nfF201p2vN7Kl+B8="},
    {65, "bgXhsghOzsrtUEJDYW7tiaOOF8lyR6Qr+1RSVST7N+I="}, // hashed first
    {75, "xdDgr2ielFRDtw9xUp6xozug5n4eByvxDxa81hO7AlM="},
  };
  for (const auto& [length, expected] : table) {
    SCOPED_TRACE(length);
    const auto key = key_of("whsec_" + base64(std::string(length, 'k')));
    EXPECT_EQ(signature_of(key, {"1", "2", "{}"}),
              std::string{"v1,"} + expected);
  }
}

TEST(SignatureTest, SignsLargeAndEmptyBodies) {
  const auto key = key_of(example_secret);
  for (const std::size_t size : {0, 1, 54, 55, 56, 63, 64, 65, 1'000'000}) {
    const std::string body(size, 'x');
    const auto made = signature_of(key, {"1", "2", body});
    EXPECT_TRUE(verify_signature(example_secret, {"1", "2", body}, made));
    EXPECT_FALSE(
      verify_signature(example_secret, {"1", "2", body + 'x'}, made));
  }
}

// -- v1a ----------------------------------------------------------------------

TEST(SignatureTest, HasThePublicKeysOfRfc8032) {
  const std::pair<std::string, std::string> table[] = {
    {rfc8032_seed, rfc8032_public},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"},
  };
  for (const auto& [seed, half] : table) {
    const auto whole = "whsk_" + base64(from_hex(seed + half));
    for (const auto& text : {whole, "whsk_" + base64(from_hex(seed))}) {
      const auto key = key_of(text);
      EXPECT_EQ(key.algorithm(), signing_algorithm::ed25519);
      EXPECT_EQ(key.public_text(), "whpk_" + base64(from_hex(half)));
      EXPECT_EQ(key.text(), whole);
    }
  }
}

// Ed25519 has one signature for a key and a text. By openssl, with the seed of
// test 1 of RFC 8032 behind the fixed head of PKCS #8:
//   openssl pkeyutl -sign -rawin -inkey key.pem -in text | base64
TEST(SignatureTest, SignsWithEd25519AsOpensslDoes) {
  const auto key = key_of("whsk_" + base64(from_hex(rfc8032_seed)));
  const std::string expected = "v1a,"
                               "fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHo"
                               "VmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw==";
  EXPECT_EQ(signature_of(key, example), expected);
  for (const auto& text : {key.text(), key.public_text()}) {
    EXPECT_TRUE(verify_signature(text, example, expected));
    EXPECT_TRUE(
      verify_signature(text, example, example_signature + ' ' + expected));
  }
}

// The message of test 1024 has dots: what is before the first one serves as the
// id, what is before the second one as the time.
TEST(SignatureTest, SignsTheLongMessageOfRfc8032) {
  const auto message = from_hex(
    "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98"
    "fa6e264bf09efe12ee50f8f54e9f77b1e355f6c50544e23fb1433ddf73be84d8"
    "79de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d"
    "658675fc6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc"
    "1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b199ee5d02e82d522c4fe"
    "ba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e"
    "06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbef"
    "efd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1231d206be6cd9ec7"
    "aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed1"
    "85ce81bd84359d44254d95629e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2"
    "d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40cc24"
    "554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f270"
    "88d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc"
    "2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b07"
    "07e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128ba"
    "b27af87a71314f318c782b23ebfe808b82b0ce26401d2e22f04d83d1255dc51a"
    "ddd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429e"
    "c96031dbcad3dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb7"
    "51fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301651339e22904cc8c"
    "42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8"
    "ca61783aacec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34df"
    "f7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401adebf5a7e08"
    "d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649"
    "de6188a7dbdf191f64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e4"
    "88acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a3"
    "2ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e"
    "6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5f"
    "b93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b5"
    "0d334ba77c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1"
    "369546868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380d"
    "b2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c"
    "0618983f8741c5ef68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0");
  const std::string_view all{message};
  ASSERT_EQ(all.size(), 1023U);
  const auto first = all.find('.');
  const auto second = all.find('.', first + 1);
  ASSERT_NE(second, std::string_view::npos);
  const signed_content what{all.substr(0, first),
                            all.substr(first + 1, second - first - 1),
                            all.substr(second + 1)};
  const auto seed = from_hex(
    "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5");
  const auto half = from_hex(
    "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e");
  const auto expected =
    "v1a,"
    + base64(from_hex(
      "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350"
      "aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03"));
  EXPECT_EQ(signature_of(key_of("whsk_" + base64(seed + half)), what),
            expected);
  EXPECT_TRUE(verify_signature("whpk_" + base64(half), what, expected));
}

TEST(SignatureTest, RefusesWhatEd25519DidNotSign) {
  const auto key = signing_key::make(signing_algorithm::ed25519);
  const auto half = key.public_text();
  const auto good = signature_of(key, example);
  ASSERT_TRUE(verify_signature(half, example, good));
  const auto refused = [&](const signed_content& what,
                           const std::string& header) {
    return !verify_signature(half, what, header);
  };
  auto body = std::string{example.body};
  body[3] ^= 1;
  EXPECT_TRUE(refused({example.id, example.timestamp, body}, good));
  EXPECT_TRUE(refused({"msg", example.timestamp, example.body}, good));
  EXPECT_TRUE(refused({example.id, "1614265331", example.body}, good));
  EXPECT_FALSE(verify_signature(
    signing_key::make(signing_algorithm::ed25519).public_text(), example,
    good));
  auto bytes = decode_base64(good.substr(4)).value();
  ASSERT_EQ(bytes.size(), 64U);
  for (const std::size_t at : {0, 31, 32, 63}) {
    bytes[at] ^= 1;
    EXPECT_TRUE(refused(example, "v1a," + base64(bytes)));
    bytes[at] ^= 1;
  }
  EXPECT_TRUE(refused(example, "v1a," + base64(bytes.substr(1))));
  EXPECT_TRUE(refused(example, "v1a," + base64(bytes + 'x')));
  EXPECT_TRUE(refused(example, "v1a,"));
  EXPECT_TRUE(refused(example, "v1a"));
  EXPECT_TRUE(refused(example, "v1," + good.substr(4)));
  EXPECT_TRUE(refused(example, good.substr(0, good.size() - 2))); // no padding
  // The last character has four bits that do not count, but there is one way
  // to write a signature.
  auto odd = good;
  odd[odd.size() - 3] = static_cast<char>(odd[odd.size() - 3] + 1);
  EXPECT_TRUE(refused(example, odd));
  EXPECT_TRUE(refused(example, "v1a," + std::string(88, '*')));
}

// The thread sanitizer finds no race in it.
TEST(SignatureTest, SignsInSeveralThreadsAtOnce) {
  const std::vector<signing_key> keys{
    signing_key::make(signing_algorithm::ed25519),
    signing_key::make(signing_algorithm::hmac_sha256)};
  std::string expected;
  append_signature_headers(keys, example, expected);
  std::vector<std::string> made(4);
  {
    std::vector<std::jthread> threads;
    threads.reserve(made.size());
    for (auto& out : made)
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) {
          out.clear();
          append_signature_headers(keys, example, out);
        }
      });
  }
  for (const auto& out : made)
    EXPECT_EQ(out, expected);
}

// -- keys ---------------------------------------------------------------------

TEST(SigningKeyTest, MakesNewOnes) {
  const auto secret = signing_key::make(signing_algorithm::hmac_sha256);
  EXPECT_THAT(secret.text(), StartsWith("whsec_"));
  EXPECT_EQ(decode_base64(secret.text().substr(6)).value().size(), 32U);
  EXPECT_EQ(secret.public_text(), "");
  const auto pair = signing_key::make(signing_algorithm::ed25519);
  EXPECT_THAT(pair.text(), StartsWith("whsk_"));
  EXPECT_EQ(decode_base64(pair.text().substr(5)).value().size(), 64U);
  EXPECT_THAT(pair.public_text(), StartsWith("whpk_"));
  EXPECT_EQ(decode_base64(pair.public_text().substr(5)).value().size(), 32U);
  for (const auto algorithm :
       {signing_algorithm::hmac_sha256, signing_algorithm::ed25519}) {
    const auto key = signing_key::make(algorithm);
    EXPECT_EQ(key.algorithm(), algorithm);
    EXPECT_NE(key.text(), signing_key::make(algorithm).text());
    const auto again = key_of(key.text());
    EXPECT_EQ(again.text(), key.text());
    EXPECT_EQ(again.public_text(), key.public_text());
    EXPECT_EQ(signature_of(again, example), signature_of(key, example));
  }
  EXPECT_THROW(signing_key::make(signing_algorithm::none), std::logic_error);
}

TEST(SigningKeyTest, TakesSecretsOf16To75Bytes) {
  for (const std::size_t size : {16, 24, 64, 75}) {
    const auto text = "whsec_" + base64(std::string(size, 's'));
    const auto key = signing_key::parse(text);
    ASSERT_TRUE(key) << size;
    EXPECT_EQ(key->text(), text);
  }
  for (const std::size_t size : {1, 15, 76, 1000}) {
    const auto key = signing_key::parse("whsec_"
                                        + base64(std::string(size, 's')));
    ASSERT_FALSE(key) << size;
    EXPECT_THAT(key.error().detail, HasSubstr(std::to_string(size) + " bytes"));
  }
}

TEST(SigningKeyTest, KeepsTheTextThatItsOwnerKnows) {
  // 16 bytes without padding, and with bits at the end that do not count.
  for (const std::string text :
       {"whsec_c3Nzc3Nzc3Nzc3Nzc3Nzcw", "whsec_c3Nzc3Nzc3Nzc3Nzc3Nzcx=="}) {
    EXPECT_EQ(key_of(text).text(), text);
    EXPECT_EQ(
      signature_of(key_of(text), example),
      signature_of(key_of("whsec_" + base64(std::string(16, 's'))), example));
  }
}

TEST(SigningKeyTest, SaysWhatIsWrongWithATextButNotWhatIsInIt) {
  const auto half = from_hex(rfc8032_public);
  const auto seed = from_hex(rfc8032_seed);
  const std::pair<std::string, const char*> table[] = {
    {"", "begins with whsec_"},
    {"SECRETSECRETSECRETSECRET", "begins with whsec_"},
    {"WHSEC_SECRETSECRETSECRETSECRET", "begins with whsec_"},
    {"whsec_", "not Base64"},
    {"whsec_SECRETSECRET*SECRETSECRET", "not Base64"},
    {"whsec_SECRETSECRETSECRETSECRETS", "not Base64"},
    {"whsec_SECRETSECRETSECRETSECRETSE===", "not Base64"},
    {"whsec_SECRETSECRETSECRET SECRETSE", "not Base64"},
    {"whsec_SECRET", "16 to 75"},
    {"whsk_", "not Base64"},
    {"whsk_SECRET", "64"},
    {"whsk_" + base64(seed.substr(1)), "64"},
    {"whsk_" + base64(seed + 'x'), "64"},
    {"whsk_" + base64(seed + half + 'x'), "64"},
    {"whsk_" + base64(seed + seed), "not the public key"},
    {"whpk_" + base64(half), "cannot sign"},
  };
  for (const auto& [text, why] : table) {
    SCOPED_TRACE(text);
    const auto key = signing_key::parse(text);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, ec::invalid_argument);
    EXPECT_EQ(key.error().field, "secret");
    EXPECT_THAT(key.error().detail, HasSubstr(why));
    EXPECT_THAT(key.error().detail, Not(HasSubstr("SECRET")));
  }
}

TEST(SigningKeyTest, KnowsWhatVerifies) {
  const auto pair = signing_key::make(signing_algorithm::ed25519);
  for (const auto& text : {pair.text(), pair.public_text()})
    EXPECT_EQ(verification_algorithm(text).value(), signing_algorithm::ed25519);
  // Who receives takes what its sender made.
  EXPECT_EQ(verification_algorithm("whsec_eA==").value(),
            signing_algorithm::hmac_sha256);
  for (const std::string text :
       {"", "x", "whsec_", "whsec_*", "whpk_", "whpk_eA==", "whsk_eA=="}) {
    const auto found = verification_algorithm(text);
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.error().field, "secret");
  }
}

TEST(SigningKeyTest, IsCopiedAndMoved) {
  auto first = key_of(example_secret);
  auto copy = first;
  auto moved = std::move(first);
  EXPECT_EQ(signature_of(copy, example), example_signature);
  EXPECT_EQ(signature_of(moved, example), example_signature);
  copy = signing_key::make(signing_algorithm::hmac_sha256);
  EXPECT_EQ(signature_of(moved, example), example_signature);
}

// -- headers ------------------------------------------------------------------

TEST(SignatureHeadersTest, AreWrittenForEachKey) {
  std::string out = "Host: a\r\n";
  append_signature_headers({}, example, out);
  EXPECT_EQ(out, "Host: a\r\n");
  const std::vector<signing_key> keys{
    signing_key::make(signing_algorithm::hmac_sha256), key_of(example_secret)};
  append_signature_headers(std::span{keys}.subspan(1), example, out);
  EXPECT_EQ(out, "Host: a\r\n"
                 "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\n"
                 "webhook-timestamp: 1614265330\r\n"
                 "webhook-signature: "
                   + example_signature + "\r\n");
  out.clear();
  append_signature_headers(keys, example, out);
  EXPECT_EQ(out, "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\n"
                 "webhook-timestamp: 1614265330\r\n"
                 "webhook-signature: "
                   + signature_of(keys[0], example) + ' ' + example_signature
                   + "\r\n");
}

} // namespace
} // namespace fanfare::protocol
