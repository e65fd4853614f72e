// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/base64.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::protocol {
namespace {

std::string encoded(std::string_view bytes) {
  return encode_base64(
    {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

TEST(Base64Test, HasTheVectorsOfRfc4648) {
  const std::pair<std::string, std::string> table[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+"},
  };
  for (const auto& [bytes, text] : table) {
    EXPECT_EQ(encoded(bytes), text);
    EXPECT_EQ(base64_length(bytes.size()), text.size());
    EXPECT_EQ(decode_base64(text), bytes);
  }
}

TEST(Base64Test, RefusesWhatIsNone) {
  for (const auto* text : {"Z", "Zm9vY", "Zm9v*g==", "Zg===", "Z=g=", "=Zg",
                           "Zm 9v", "Zm9v\n", "-_-_"})
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  EXPECT_EQ(decode_base64("Zg"), "f");
  EXPECT_EQ(decode_base64("Zm8"), "fo");
}

} // namespace
} // namespace fanfare::protocol
