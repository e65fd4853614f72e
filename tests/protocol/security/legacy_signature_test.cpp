// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/security/legacy_signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace fanfare::protocol {
namespace {

using ::testing::StartsWith;
using hash = legacy_signature::hash;
using encoding = legacy_signature::encoding;

std::string legacy(const legacy_signature& how, std::string_view secret,
                   const signed_content& what) {
  std::string out = "a: b\r\n";
  append_legacy_header(how, secret, what, out);
  return out;
}

/// The value alone.
std::string mac(hash digest, std::string_view secret, std::string_view text) {
  const auto line = legacy({.header = "X", .digest = digest}, secret,
                           {"id", "time", text});
  EXPECT_THAT(line, StartsWith("a: b\r\nX: "));
  EXPECT_TRUE(line.ends_with("\r\n"));
  return line.substr(9, line.size() - 11);
}

TEST(LegacySignatureTest, HasTheVectorsOfRfc4231) {
  const struct {
    std::string key;
    std::string text;
    const char* sha256;
    const char* sha512;
  } table[] = {
    {std::string(20, '\x0b'), "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
     "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
    {"Jefe", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    {std::string(20, '\xaa'), std::string(50, '\xdd'),
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
     "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
     "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
    {std::string(131, '\xaa'),
     "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
     "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
    {std::string(131, '\xaa'),
     "This is a test using a larger than block-size key and a larger than "
     "block-size data. The key needs to be hashed before being used by the "
     "HMAC algorithm.",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
     "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
     "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"},
  };
  for (const auto& row : table) {
    EXPECT_EQ(mac(hash::sha256, row.key, row.text), row.sha256);
    EXPECT_EQ(mac(hash::sha512, row.key, row.text), row.sha512);
  }
}

TEST(LegacySignatureTest, HasTheVectorsOfRfc2202) {
  EXPECT_EQ(mac(hash::sha1, std::string(20, '\x0b'), "Hi There"),
            "b617318655057264e28bc0b6fb378c8ef146be00");
  EXPECT_EQ(mac(hash::sha1, "Jefe", "what do ya want for nothing?"),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(mac(hash::sha1, std::string(20, '\xaa'), std::string(50, '\xdd')),
            "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
  EXPECT_EQ(mac(hash::sha1, std::string(80, '\xaa'),
                "Test Using Larger Than Block-Size Key - Hash Key First"),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

TEST(LegacySignatureTest, IsWrittenAsToldWithTheTextOfTheSecret) {
  const signed_content what{"7", "1614265330", "{}"};
  // printf '{}' | openssl dgst -sha256 -hmac whsec_c2VjcmV0
  EXPECT_EQ(
    legacy({.header = "X-Hub-Signature-256", .prefix = "sha256="},
           "whsec_c2VjcmV0", what),
    "a: b\r\nX-Hub-Signature-256: "
    "sha256="
    "f2a9d48be51b03e17422a1499a4cdb7f8400afd0aa4cf50f34b9852d223553bb\r\n");
  EXPECT_EQ(
    legacy({.header = "X-Shop", .digest = hash::sha1, .text = encoding::base64},
           "whsec_c2VjcmV0", what),
    "a: b\r\nX-Shop: O+kZC9tLKqaMY5VcZgYLabv4zQI=\r\n");
  EXPECT_EQ(
    legacy(
      {.header = "X-Long", .digest = hash::sha512, .text = encoding::base64},
      "whsec_c2VjcmV0", what),
    "a: b\r\nX-Long: "
    "htrZn3TpXQ95QkF1UvSGHHykcA+IhHqs3zenmoD613NcIjU9I3m+"
    "7oguS9xBgr0ViphEyOY2mgBlnOc1iC2p4g==\r\n");
}

TEST(LegacySignatureTest, ReplacesPlaceholdersOnce) {
  const signed_content what{"{body}", "17", "B{id}{timestamp}"};
  const std::pair<std::string, std::string> table[] = {
    {"{body}", "B{id}{timestamp}"},
    {"{id}.{timestamp}.{body}", "{body}.17.B{id}{timestamp}"},
    {"{timestamp}{timestamp}{id}{timestamp}", "1717{body}17"},
    {"v0:{timestamp}:", "v0:17:"},
    {"nothing", "nothing"},
    {"", ""},
    {"{", "{"},
    {"{{id}}", "{{body}}"},
    {"{{timestamp", "{{timestamp"},
    {"{ID}{ id}{}{bodyy}{body", "{ID}{ id}{}{bodyy}{body"},
    {"{unknown}{timestamp}}", "{unknown}17}"},
  };
  for (const auto& [content, text] : table)
    EXPECT_EQ(legacy({.header = "X", .content = content}, "key", what),
              legacy({.header = "X"}, "key", {"", "", text}))
      << content;
}

TEST(LegacySignatureTest, PutsTimeAndIdIntoItsPrefix) {
  const signed_content what{"msg_1", "1700000000", "{}"};
  const auto plain = legacy({.header = "X", .prefix = "v1="}, "s", what);
  EXPECT_EQ(
    legacy({.header = "X", .prefix = "t={timestamp},id={id},v1="}, "s", what),
    "a: b\r\nX: t=1700000000,id=msg_1," + plain.substr(plain.find("v1=")));
}

} // namespace
} // namespace fanfare::protocol
