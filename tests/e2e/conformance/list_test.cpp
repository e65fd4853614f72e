// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// §5.3: pages, their links, the filter.

#include "tests/e2e/conformance/conformance_test.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <cstddef>

namespace fanfare::test {

namespace {

const std::string invalid_page = detail("Invalid page.");
const std::string
  empty_page = R"({"count":0,"next":null,"previous":null,"results":[]})";

class ListTest : public ConformanceTest {
protected:
  /// Adds 120 webhooks; every fourth, from the first on, is disabled.
  void add_many() {
    for (int i = 0; i < 120; ++i)
      add_webhook(i % 4 == 0 ? R"("enabled":false,)" : "");
    first_ = std::stoull(id_) - 119;
  }

  /// Checks which webhooks of those there are a page has, counted from 1, and
  /// its links, without what is the same in all of them.
  void expect_page(const std::string& query, std::size_t count,
                   std::size_t first, std::size_t last, const std::string& next,
                   const std::string& previous, std::size_t step = 1,
                   const std::string& path = "webhooks/") {
    SCOPED_TRACE(query);
    const auto answer = expect({"GET", path + query});
    if (answer.status != 200)
      return;
    const auto page = answer.json();
    std::string ids;
    std::string expected;
    for (const auto& hook : page.at("results").as_array())
      ids += boost::json::serialize(hook.at("id")) + ' ';
    for (auto i = first; i <= last; i += step)
      expected += std::to_string(first_ + i - 1) + ' ';
    EXPECT_EQ(ids, expected);
    const auto link = [&](const std::string& text) {
      return text.empty() ? "null"
                          : as_json(fill("http://$host/api/v1/organizers/$org/"
                                         + path + (text == "-" ? "" : text)));
    };
    const auto head = "{\"count\":" + std::to_string(count)
                    + ",\"next\":" + link(next)
                    + ",\"previous\":" + link(previous) + ",\"results\":[";
    EXPECT_EQ(answer.body.substr(0, head.size()), head);
  }

  std::size_t first_ = 0;
};

TEST_F(ListTest, MayBeEmpty) {
  expect_all({
    {"GET", "webhooks/", {}, 200, empty_page},
    {"GET", "webhooks/?page=1", {}, 200, empty_page},
    {"GET", "webhooks/?page=", {}, 200, empty_page},
    {"GET", "webhooks/?page=last", {}, 200, empty_page},
    {"GET", "webhooks/?enabled=true&page_size=1", {}, 200, empty_page},
    {"GET", "webhooks/?page=2", {}, 404, invalid_page},
    {"GET", "webhooks/?page=0", {}, 404, invalid_page},
  });
}

TEST_F(ListTest, ComesInPages) {
  add_many();
  // "-": a link without a query, "": none.
  expect_page("", 120, 1, 50, "?page=2", "");
  expect_page("?page=1", 120, 1, 50, "?page=2", "");
  expect_page("?page=", 120, 1, 50, "?page=2", "");
  expect_page("?page=2", 120, 51, 100, "?page=3", "-");
  expect_page("?page=3", 120, 101, 120, "", "?page=2");
  expect_page("?page=last", 120, 101, 120, "", "?page=2");
  expect_page("?page=%202%20", 120, 51, 100, "?page=3", "-");
  expect_page("?page=2&page=3", 120, 101, 120, "", "?page=2");
  for (const std::string page :
       {"0", "-1", "abc", "4", "1.0", "LAST", "last%20", "1e0", "0x1",
        "9223372036854775807", "99999999999999999999999999", "%00"})
    for (const std::string method : {"GET", "HEAD"})
      expect({method,
              "webhooks/?page=" + page,
              {},
              404,
              method == "GET" ? invalid_page : std::string{}});
}

TEST_F(ListTest, HasAtMostFiftyOnAPage) {
  add_many();
  expect_page("?page_size=1", 120, 1, 1, "?page=2&page_size=1", "");
  expect_page("?page_size=49", 120, 1, 49, "?page=2&page_size=49", "");
  expect_page("?page_size=%207", 120, 1, 7, "?page=2&page_size=+7", "");
  for (const std::string size : {"50", "51", "1000", "99999999999999999999",
                                 "0", "-1", "abc", "", "1.5", "last"})
    expect_page("?page_size=" + size, 120, 1, 50, "?page=2&page_size=" + size,
                "");
  expect_page("?page_size=120&page=last", 120, 101, 120, "",
              "?page=2&page_size=120");
  // Where a page is just full, and where it is not.
  expect_page("?page_size=40&page=3", 120, 81, 120, "", "?page=2&page_size=40");
  expect_page("?page_size=48&page=3", 120, 97, 120, "", "?page=2&page_size=48");
  expect({"GET", "webhooks/?page_size=40&page=4", {}, 404, invalid_page});
}

TEST_F(ListTest, LinksKeepTheOtherParametersSorted) {
  add_many();
  expect_page("?page_size=5&page=3&enabled=false", 30, 41, 57,
              "?enabled=false&page=4&page_size=5",
              "?enabled=false&page=2&page_size=5", 4);
  expect_page("?page=2&page_size=5", 120, 6, 10, "?page=3&page_size=5",
              "?page_size=5");
  expect_page("?z=1&page=2&x&a=%20b&z=0&x=", 120, 51, 100,
              "?a=+b&page=3&x=&x=&z=1&z=0", "?a=+b&x=&x=&z=1&z=0");
  expect_page("?b=a+b&B=%C3%A9%2F%3f&a=-_.~*'()!,;:@$", 120, 1, 50,
              "?B=%C3%A9%2F%3F&a=-_.~%2A%27%28%29%21%2C%3B%3A%40%24&b=a+b&"
              "page=2",
              "");
  expect_page("?&&=1&a=%zz%&a%20b=%26", 120, 1, 50,
              "?=1&a=%25zz%25&a+b=%26&page=2", "");
  expect_page("?page=1&page=2", 120, 51, 100, "?page=3", "-");
  // The suffix stays, and the host is that of the request.
  expect_page("?page=2", 120, 51, 100, "?page=3", "-", 1, "webhooks.json");
  const auto page = [&](const std::string& host) {
    return ask({.method = "GET",
                .target = "webhooks/?page=2",
                .sent = {{"Host", host}}})
      .json();
  };
  for (const std::string host :
       {"hooks.example", "hooks.example:8443", "[::1]:80"}) {
    const auto start = "http://" + host + "/api/v1/organizers/" + org_
                     + "/webhooks/";
    EXPECT_EQ(page(host).at("next").as_string(), start + "?page=3");
    EXPECT_EQ(page(host).at("previous").as_string(), start);
  }
}

TEST_F(ListTest, IsInTheOrderOfIdsAndKeepsDisabledOnes) {
  add_many();
  for (const std::string query : {"?ordering=-id", "?ordering=target_url",
                                  "?nonsense=1", "?id=1", "?target_url=x"})
    expect_page(query + "&page_size=3", 120, 1, 3,
                (query < "?page" ? query + "&page=2&page_size=3"
                                 : "?page=2&page_size=3&" + query.substr(1)),
                "");
  id_ = std::to_string(first_ + 1);
  expect_all({
    {"DELETE", "webhooks/$id/", {}, 204, ""},
    {"PATCH", "webhooks/$id/", R"({"comment":"later"})"},
  });
  expect_page("?page_size=3", 120, 1, 3, "?page=2&page_size=3", "");
}

TEST_F(ListTest, IsFilteredByEnabled) {
  add_many();
  const auto count = [this](const std::string& query) {
    return expect({"GET", "webhooks/" + query}).json().at("count");
  };
  for (const std::string yes : {"true", "True", "TRUE", "1"})
    EXPECT_EQ(count("?enabled=" + yes), 90) << yes;
  for (const std::string no : {"false", "False", "FALSE", "0"})
    EXPECT_EQ(count("?enabled=" + no), 30) << no;
  for (const std::string none :
       {"", "yes", "no", "foo", "2", "t", "null", "%20true", "1.0"})
    EXPECT_EQ(count("?enabled=" + none), 120) << none;
  EXPECT_EQ(count("?Enabled=true"), 120);
  EXPECT_EQ(count("?enabled=true&enabled=false"), 30);
  EXPECT_EQ(count("?enabled"), 120);
  expect_page("?enabled=0&page=last", 30, 1, 117, "", "", 4);
}

TEST_F(ListTest, FiltersTheRoutesOfOneWebhookToo) {
  add_webhook();
  const auto enabled = ask({"GET", "webhooks/$id/"}).body;
  for (const std::string method : {"GET", "PUT", "PATCH", "DELETE"})
    for (const std::string no : {"false", "False", "FALSE", "0"})
      expect({method, "webhooks/$id/?enabled=" + no, {}, 404, no_such_webhook});
  for (const std::string other : {"true", "1", "foo", ""})
    expect({"GET", "webhooks/$id/?enabled=" + other, {}, 200, enabled});
  expect({"DELETE", "webhooks/$id/?enabled=true", {}, 204, ""});
  const auto disabled = ask({"GET", "webhooks/$id/"}).body;
  expect_all({
    {"GET", "webhooks/$id/?enabled=true", {}, 404, no_such_webhook},
    {"PATCH", "webhooks/$id/?enabled=true", R"({"enabled":true})", 404,
     no_such_webhook},
    {"GET", "webhooks/$id/?enabled=false", {}, 200, disabled},
    {"PATCH", "webhooks/$id/?enabled=false", R"({"enabled":true})", 200,
     enabled},
  });
}

} // namespace

} // namespace fanfare::test
