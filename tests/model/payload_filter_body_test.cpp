// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/payload_filter.hpp"
#include "tests/model/payload_filter_test.hpp"

#include <boost/json/object.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace fanfare {
namespace {

namespace json = boost::json;

TEST(PayloadFilter, TakesNoBodyAmiss) {
  const auto always = filter_of("{}");
  const auto negative = filter_of(R"({"a": {"$ne": 1}})");
  const std::string no_json[] = {
    "",
    " ",
    "nonsense",
    "{",
    R"({"a": 2)",
    R"({"a": 2}})",
    R"({"a": 2} x)",
    R"({"a": 2,})",
    R"({a: 2})",
    "{\"a\": \"\xff\"}",
    "{\"a\": \"\n\"}",
    R"({"a": "\ud800"})",
    R"({"a": 01})",
    R"({"a": 1e99999999999999})",
    std::string(1'000'000, '['),
    std::string(2'000'000, '['),
    repeat(R"({"a":)", 100'000),
    std::string(33, '[') + std::string(33, ']'),
    std::string("\0\0\0", 3),
    "\xef\xbb\xbf{}",
  };
  std::uint64_t id = 0;
  for (const auto& body : no_json) {
    EXPECT_FALSE(always->matches(++id, body)) << body.substr(0, 40);
    EXPECT_FALSE(negative->matches(id, body)) << body.substr(0, 40);
  }
  const std::string odd_json[] = {
    "null",
    "[]",
    " {} \n",
    R"({"a": )" + std::string(1'000, '9') + "}",
    R"({"a": -)" + std::string(1'000, '9') + ".5e-7}",
    R"({"a": 0.)" + std::string(1'000, '0') + "1}",
    R"({"a": 1e400})",
    std::string(32, '[') + std::string(32, ']'),
    "[" + repeat("[],", 500'000) + "0]",
  };
  for (const auto& body : odd_json) {
    EXPECT_TRUE(always->matches(++id, body)) << body.substr(0, 40);
    EXPECT_TRUE(negative->matches(id, body)) << body.substr(0, 40);
  }
  // A value may be deeper than any text.
  json::value deep = 1;
  for (int i = 0; i < 1'000; ++i) {
    json::object outer;
    outer["a"] = std::move(deep);
    deep = std::move(outer);
  }
  EXPECT_TRUE(negative->matches(deep));
  EXPECT_FALSE(filter_of(R"({"a": {"$eq": {"a": 1}}})")->matches(deep));
}

// Without a bound each of these would take minutes.
TEST(PayloadFilter, IsQuickAboutHostileTexts) {
  const auto wanted = std::string(8'000, 'a') + "b";
  const auto contains = filter_of(R"({"a": {"$contains": ")" + wanted + "\"}}");
  std::string body = R"({"a": ")" + std::string(4'000'000, 'a') + "\"}";
  EXPECT_FALSE(contains->matches(1, body));
  body.insert(body.size() - 2, "b");
  EXPECT_TRUE(contains->matches(1, body));

  // Long keys against many small objects.
  std::string object = "{";
  for (char c = 'a'; c <= 't'; ++c)
    object += "\"" + std::string(700, c) + "\": 1, ";
  object += R"("x": 1})";
  const auto among = filter_of(R"({"a": {"$contains": )" + object + "}}");
  std::string small = "{";
  for (char c = 'a'; c <= 't'; ++c)
    small += "\"" + std::string(1, c) + "\":1,";
  small += R"("y":1},)";
  EXPECT_FALSE(among->matches(1, R"({"a": [)" + repeat(small, 10'000) + "0]}"));
  EXPECT_TRUE(
    among->matches(1, R"({"a": [)" + repeat(small, 10) + object + "]}"));
}

TEST(PayloadFilter, NeverTakesOneBodyForAnother) {
  const auto one = filter_of(R"({"a": 1})");
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{7}}) {
    std::string body = R"({"a": 1})";
    EXPECT_TRUE(one->matches(id, body));
    EXPECT_TRUE(one->matches(id, body));
    body[6] = '2'; // in the same place, of the same size
    EXPECT_FALSE(one->matches(id, body));
    EXPECT_FALSE(one->matches(id + 1, body));
    body[6] = '1';
    EXPECT_TRUE(one->matches(id + 1, body));
    EXPECT_FALSE(one->matches(id + 1, "{}"));
    EXPECT_FALSE(one->matches(id, "no JSON"));
    EXPECT_FALSE(one->matches(id, "no JSON"));
    EXPECT_TRUE(one->matches(id, R"( {"a": 1})"));
    EXPECT_FALSE(one->matches(id, ""));
    EXPECT_FALSE(one->matches(id, R"({"a": 1, "b": ")" + std::string(5'000, 'x')
                                    + R"(", "a": 2})"));
  }
  // On both sides of what is remembered.
  for (const auto size : {payload_filter::remembered_limit,
                          payload_filter::remembered_limit + 1}) {
    std::string body = R"({"a": 1, "b": ")";
    body += std::string(size - body.size() - 2, 'x') + "\"}";
    ASSERT_EQ(body.size(), size);
    EXPECT_TRUE(one->matches(9, body));
    EXPECT_TRUE(one->matches(9, body));
    body[6] = '2';
    EXPECT_FALSE(one->matches(9, body));
    EXPECT_TRUE(one->matches(9, R"({"a": 1})"));
  }
}

TEST(PayloadFilter, IsSharedByThreads) {
  const auto even = filter_of(R"({"n": {"$in": [0, 2, 4, 6, 8]}})");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < 2'000; ++i) {
        const auto n = (i + t) % 10;
        const auto body = R"({"n": )" + std::to_string(n) + "}";
        for (int again = 0; again < 3; ++again)
          wrong[t] += even->matches(i, body) != (n % 2 == 0) ? 1 : 0;
      }
    });
  for (auto& each : threads)
    each.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

} // namespace
} // namespace fanfare
