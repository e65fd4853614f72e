// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/json_text.hpp"

#include <boost/json.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol {
namespace {

TEST(JsonText, RendersAsTheCompatibleApiDoes) {
  const auto value = boost::json::parse(
    R"({"a":[],"b":[1,{"c":null}],"d":{},"e":0.25,"f":"é/"})");
  EXPECT_EQ(to_json_text(value),
            R"({"a":[],"b":[1,{"c":null}],"d":{},"e":0.25,"f":"\u00e9/"})");
  EXPECT_EQ(to_json_text(value, 2),
            "{\n  \"a\": [],\n  \"b\": [\n    1,\n    {\n"
            "      \"c\": null\n    }\n  ],\n  \"d\": {},\n"
            "  \"e\": 0.25,\n  \"f\": \"\\u00e9/\"\n}");
}

TEST(JsonText, ReplacesWhatIsNotUtf8) {
  const std::pair<std::string_view, std::string_view> cases[] = {
    {"a\xff"
     "b",
     R"("a\ufffdb")"},
    {"\xe2\x82", R"("\ufffd")"},
    {"\xe2\x82"
     "a",
     R"("\ufffda")"},
    {"\xc0\x80", R"("\ufffd\ufffd")"},
    {"\xed\xa0\x80", R"("\ufffd")"},
    {"\xf4\x90\x80\x80", R"("\ufffd")"},
    {"\xe0\x80\x80", R"("\ufffd")"},
    {"\xf0\x9f\x98\x80", R"("\ud83d\ude00")"},
  };
  for (const auto& [bytes, text] : cases) {
    std::string out;
    append_json_string(out, bytes);
    EXPECT_EQ(out, text);
  }
}

TEST(JsonText, LooksAtEveryByteWhereverItIs) {
  for (unsigned byte = 0; byte < 256; ++byte)
    for (std::size_t before = 0; before < 17; ++before)
      for (std::size_t behind = 0; behind < 9; ++behind) {
        const auto c = static_cast<char>(byte);
        const auto text = std::string(before, 'a') + c
                        + std::string(behind, '~');
        std::string alone;
        append_json_string(alone, std::string(1, c));
        std::string out;
        append_json_string(out, text);
        ASSERT_EQ(out, '"' + std::string(before, 'a')
                         + alone.substr(1, alone.size() - 2)
                         + std::string(behind, '~') + '"')
          << byte << " behind " << before;
      }
  for (const auto& [plain, escaped] :
       std::vector<std::pair<std::string, std::string>>{{"\"", R"(\")"},
                                                        {"\\", R"(\\)"},
                                                        {"\x7f", R"(\u007f)"},
                                                        {"\x1f", R"(\u001f)"},
                                                        {" ", " "},
                                                        {"~", "~"}})
    EXPECT_EQ(json_quoted(plain), '"' + escaped + '"');
}

} // namespace
} // namespace fanfare::protocol
