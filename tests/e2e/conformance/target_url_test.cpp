// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// §5.4: target_url. What is refused is refused with the one sentence, so the
// tables only say which texts.

#include "tests/e2e/conformance/conformance_test.hpp"

#include <boost/json/serialize.hpp>

namespace fanfare::test {

namespace {

using TargetUrlTest = ConformanceTest;

const std::string required = R"("This field is required.")";
const std::string null = R"("This field may not be null.")";
const std::string blank = R"("This field may not be blank.")";
const std::string bad_url = R"("Enter a valid URL.")";
const std::string
  too_long = R"("Ensure this field has no more than 1024 characters.")";
const std::string nul = R"("Null characters are not allowed.")";

std::string times(int count, const std::string& text) {
  std::string out;
  for (int i = 0; i < count; ++i)
    out += text;
  return out;
}

/// A host name of that many characters; at least 30.
std::string host_of(std::size_t size) {
  std::string host = "abc.";
  while (host.size() + 30 < size)
    host += std::string(19, 'x') + '.';
  return host + std::string(size - host.size() - 4, 'y') + ".com";
}

TEST_F(TargetUrlTest, IsTakenAsItIs) {
  const std::string urls[] = {
    // Schemes, upper-case ones too.
    "http://example.org",
    "https://example.org/",
    "HTTPS://EXAMPLE.Org/Path",
    "hTTp://a.com",
    // localhost and addresses, private ones too.
    "http://localhost",
    "http://LocalHost:8080/x",
    "http://127.0.0.1/",
    "http://10.0.0.1:80",
    "http://192.168.1.1",
    "http://169.254.169.254/",
    "http://0.0.0.0",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::1]:8080/x",
    "http://[2001:DB8::1]",
    "http://[::ffff:10.0.0.1]/",
    "http://[fe80::1]",
    // Ports of one to five digits.
    "http://a.com:0/",
    "http://a.com:1",
    "http://a.com:8080?x",
    "http://a.com:99999/",
    "http://a.com:00080/",
    // User info.
    "http://user:pw@a.com/",
    "http://user@a.com/",
    "http://user:@a.com",
    "http://us%20er:p%40w@a.com:80/",
    "http://u!$&'()*+,;=:p%~@a.com/",
    // International names, in both spellings.
    "http://b\xc3\xbc"
    "cher.de/",
    "http://\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88/",
    "http://xn--bcher-kva.de/",
    "http://example.xn--p1ai/",
    // Trailing dots, digits, hyphens.
    "http://a.com.",
    "http://a.com./x",
    "http://a-b.c-d.com",
    "http://a--b.com",
    "http://1.2.3.com",
    "http://1.com",
    "http://example.travel-agency",
    // Query, fragment and path.
    "http://a.com?x=1",
    "http://a.com#f",
    "http://a.com/?x=1#f",
    "http://a.com/?#",
    R"(http://a.com/<>{}|\^`'"[])",
    R"(http://a.com?q="<>{}|\^`)",
    "http://a.com/%zz%",
    "http://a.com/%",
    "http://a.com/\xc3\xa9\xf0\x9f\x98\x80",
    "http://a.com/x@y:z",
    "http://a.com/?x@b.com",
    "http://a.com//../..",
    "http://a.com/\x01\x7f",
    // Limits.
    "http://" + std::string(63, 'a') + ".com/",
    "http://a." + std::string(63, 'a'),
    "http://a.io",
    "http://" + host_of(253) + '/',
    "https://a.com/" + std::string(1010, 'x'),
    "https://a.com/" + times(1010, "\xc3\xa9"),
    "https://a.com/" + times(1010, "\xf0\x9f\x98\x80"),
  };
  for (const auto& url : urls) {
    const auto made = expect({.method = "POST",
                              .target = "webhooks/",
                              .body = body_with("target_url", as_json(url)),
                              .status = 201});
    if (made.status == 201) {
      EXPECT_EQ(made.json().at("target_url").as_string(), url);
    } else {
      ADD_FAILURE() << url;
    }
  }
}

TEST_F(TargetUrlTest, IsRefusedIfNoneThatCanBeUsed) {
  const std::string urls[] = {
    // No scheme, or another one. ftp and ftps on purpose.
    "foo.bar",
    "foo",
    "//a.com",
    "://a.com",
    "http:",
    "http:a.com",
    "http:/a.com",
    "http://",
    "http:///x",
    "http://?x",
    "http://#x",
    "ws://a.com",
    "ftp://a.com/",
    "ftps://a.com/",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "httpx://a.com",
    "http ://a.com",
    "1http://a.com",
    // Hosts without a dot, and top-level domains.
    "http://foo",
    "http://foo:80/",
    "http://localhost.",
    "http://localhost.localdomain1",
    "http://a.c",
    "http://a.c1",
    "http://a.123",
    "http://a.-com",
    "http://a.com-",
    "http://a.xn--",
    // Signs in the host.
    "http://a_b.com",
    "http://a!b.com",
    "http://a,b.com",
    "http://a%41.com",
    "http://a*.com",
    R"(http://a\b.com)",
    "http://(a).com",
    "http://\xf0\x9f\x98\x80.com/",
    "http://a\xc2\x80.com/",
    // Labels.
    "http://a..com",
    "http://.a.com",
    "http://.",
    "http://a.com..",
    "http://-a.com",
    "http://a-.com",
    "http://a.-b.com",
    "http://a.b-.com",
    "http://" + std::string(64, 'a') + ".com/",
    "http://a." + std::string(64, 'a') + "/",
    "http://" + host_of(254) + '/',
    // Addresses.
    "http://999.1.1.1/",
    "http://256.1.1.1/",
    "http://010.1.1.1/",
    "http://1.2.3/",
    "http://1.2.3.4.5/",
    "http://1.2.3.4./",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://[::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[::1",
    "http://::1/",
    "http://[1.2.3.4]/",
    "http://[]/",
    "http://[::1]x/",
    "http://[::1]:/",
    "http://[:::1]/",
    "http://[v1.x]/",
    // Ports.
    "http://a.com:/",
    "http://a.com:123456/",
    "http://a.com:8o/",
    "http://a.com:-1/",
    "http://a.com:+1/",
    "http://a.com:80:80/",
    // User info.
    "http://a:b:c@a.com/",
    "http://a@b@a.com/",
    "http://a:b@c@a.com/",
    "http://:pw@a.com/",
    "http://@a.com/",
    "http://us/er@a.com/",
    "http://us?er@a.com/", // a query; "us" would be called
    "http://us#er@a.com/",
    // White space anywhere.
    "http://a.com/ x",
    "http://a .com/",
    "http://a.com/\tx",
    "http://a.com/\nx",
    "http://a.com/x\x1cx",
    "http://a.com/\xc2\xa0x",
    "http://a.com/\xc2\x85x",
    "http://a.com/\xe3\x80\x80x",
    "http://a.com/\xe2\x80\xa8x",
    "http://a\xe2\x80\x83"
    "b.com/",
    "http://us er@a.com/",
  };
  add_webhook();
  const auto before = ask({"GET", "webhooks/"}).body;
  for (const auto& url : urls) {
    const auto refused = "{\"target_url\":[" + bad_url + "]}";
    expect_all({
      {"POST", "webhooks/", body_with("target_url", as_json(url)), 400,
       refused},
      {"PATCH", "webhooks/$id/", "{\"target_url\":" + as_json(url) + '}', 400,
       refused},
    });
  }
  EXPECT_EQ(ask({"GET", "webhooks/"}).body, before);
}

TEST_F(TargetUrlTest, IsTrimmed) {
  for (const std::string around :
       {" ", "  \t\r\n", "\x0b\x0c", "\x1c\x1d\x1e\x1f", "\xc2\x85", "\xc2\xa0",
        "\xe1\x9a\x80", "\xe2\x80\x80\xe2\x80\x8a", "\xe2\x80\xa8\xe2\x80\xa9",
        "\xe2\x80\xaf\xe2\x81\x9f", "\xe3\x80\x80"})
    expect_taken("target_url", as_json(around + "https://A.com/x" + around),
                 R"("https://A.com/x")");
  // Looks blank, but is no white space.
  for (const std::string no_space : {"\xe2\x80\x8b", "\xef\xbb\xbf"})
    expect_refused("target_url", as_json(no_space + "https://a.com"), bad_url);
  const auto longest = "https://a.com/" + std::string(1010, 'x');
  expect_taken("target_url", as_json("  " + longest + "\t"), as_json(longest));
}

TEST_F(TargetUrlTest, HasASentenceForEachFault) {
  const auto longest = "https://a.com/" + std::string(1010, 'x');
  expect({"POST", "webhooks/", R"({"limit_events":[],"action_types":[]})", 400,
          R"({"target_url":[)" + required + "]}"});
  expect_refused("target_url", "null", null);
  for (const std::string text : {"", " ", "\t\n", "\xe2\x80\x83\xc2\xa0"})
    expect_refused("target_url", as_json(text), blank);
  for (const std::string value :
       {"5", "1.5", "0", "true", "false", "[]", "{}", R"(["https://a.com"])"})
    expect_refused("target_url", value, bad_url);
  expect_refused("target_url", as_json(longest + "x"), too_long);
  expect_refused("target_url",
                 as_json("https://a.com/" + times(1011, "\xc3\xa9")), too_long);
  expect_refused("target_url", R"("https://a.com/\u0000")", nul);
  expect_refused("target_url", R"("\u0000https://a.com/")",
                 nul + ',' + bad_url);
  expect_refused("target_url", R"("https://a\u0000.com/")",
                 nul + ',' + bad_url);
  expect_refused("target_url", R"("\u0000")", nul + ',' + bad_url);
  expect_refused("target_url", as_json(std::string(1025, 'x')),
                 too_long + ',' + bad_url);
  auto long_nul = as_json(longest);
  long_nul.insert(long_nul.size() - 1, R"(\u0000)");
  expect_refused("target_url", long_nul, too_long + ',' + nul);
  expect_refused("target_url", '"' + std::string(1024, 'x') + R"(\u0000")",
                 too_long + ',' + nul + ',' + bad_url);
}

} // namespace

} // namespace fanfare::test
