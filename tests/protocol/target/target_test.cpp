// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/target/target.hpp"

#include "fanfare/version.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::protocol {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::shared_ptr<const target> parsed(std::string_view url) {
  auto out = target::parse(url);
  EXPECT_TRUE(out) << url << ": " << (out ? "" : out.error().detail);
  return out ? *out : nullptr;
}

std::string request_line(std::string_view url) {
  const auto to = parsed(url);
  return to ? to->head().substr(0, to->head().find("\r\n")) : "";
}

std::string header(std::string_view url, std::string_view name) {
  const auto to = parsed(url);
  if (!to)
    return "";
  const auto from = to->head().find("\r\n" + std::string{name} + ": ");
  if (from == std::string::npos)
    return "";
  const auto begin = from + name.size() + 4;
  return to->head().substr(begin, to->head().find("\r\n", begin) - begin);
}

TEST(TargetTest, WritesTheHeadOfARequest) {
  EXPECT_EQ(parsed("http://example.org/hook?a=1")->head(),
            "POST /hook?a=1 HTTP/1.1\r\n"
            "Host: example.org\r\n"
            "User-Agent: Fanfare/"
              + std::string{version}
              + "\r\n"
                "Accept: */*\r\n"
                "Accept-Encoding: identity\r\n"
                "Content-Type: application/json\r\n");
}

TEST(TargetTest, WritesTheHeadInTheStyleOfAWebhook) {
  request_style style;
  style.method = "PUT";
  style.headers = "X-Tenant: a\r\nX-Other: b\r\n";
  style.user_agent_suffix = "(shop 1)";
  style.tag = "ignored";
  const auto rest = "Accept: */*\r\n"
                    "Accept-Encoding: identity\r\n"
                    "Content-Type: application/json\r\n";
  const auto begin = "PUT /hook HTTP/1.1\r\n"
                     "Host: example.org\r\n"
                     "User-Agent: Fanfare/"
                   + std::string{version} + " (shop 1)\r\n" + rest;
  const auto url = "http://u:p@example.org/hook";
  EXPECT_EQ(target::parse(url, style).value()->head(),
            begin + "Authorization: Basic dTpw\r\n" + style.headers);
  // A header of their own is the only one.
  for (const auto* headers : {"Authorization: Bearer x\r\n",
                              "X-A: b\r\naUTHORIZATION: Bearer x\r\n"}) {
    style.headers = headers;
    EXPECT_EQ(target::parse(url, style).value()->head(), begin + headers);
  }
  // What is left as it is changes nothing.
  EXPECT_EQ(target::parse(url, {}).value()->head(), parsed(url)->head());
}

TEST(TargetTest, KeepsTagsApartButNotDestinations) {
  const auto tagged = [](const char* tag) {
    request_style style;
    style.tag = tag;
    return target::parse("https://Example.org/x", style).value();
  };
  const auto plain = parsed("https://example.org/y");
  EXPECT_EQ(plain->destination(), "https://example.org:443");
  EXPECT_EQ(plain->key().text, "https://example.org:443");
  EXPECT_EQ(tagged("")->key(), plain->key());
  EXPECT_EQ(tagged("")->key().hash, plain->key().hash);
  EXPECT_EQ(tagged("7")->destination(), "https://example.org:443");
  EXPECT_EQ(tagged("7")->key().text, "https://example.org:443#7");
  EXPECT_EQ(tagged("7")->key(), tagged("7")->key());
  EXPECT_NE(tagged("7")->key(), tagged("8")->key());
  EXPECT_NE(tagged("7")->key(), plain->key());
}

TEST(TargetTest, TakesAUrlApart) {
  struct row {
    const char* url;
    bool secure;
    const char* host;
    std::uint16_t port;
    const char* host_header;
    const char* key;
    bool literal;
  };
  const row table[] = {
    {"http://example.org", false, "example.org", 80, "example.org",
     "http://example.org:80", false},
    {"HTTPS://Example.ORG/", true, "example.org", 443, "example.org",
     "https://example.org:443", false},
    {"https://example.org:443/", true, "example.org", 443, "example.org",
     "https://example.org:443", false},
    {"https://example.org:80/", true, "example.org", 80, "example.org:80",
     "https://example.org:80", false},
    {"http://example.org:8080/x", false, "example.org", 8080,
     "example.org:8080", "http://example.org:8080", false},
    {"http://example.org:/x", false, "example.org", 80, "example.org",
     "http://example.org:80", false},
    {"http://example.org./x", false, "example.org", 80, "example.org",
     "http://example.org:80", false},
    {"http://127.0.0.1:1/x", false, "127.0.0.1", 1, "127.0.0.1:1",
     "http://127.0.0.1:1", true},
    {"http://[::1]:65535/x", false, "::1", 65535, "[::1]:65535",
     "http://[::1]:65535", true},
    {"https://[2001:DB8:0:0::1]", true, "2001:db8::1", 443, "[2001:db8::1]",
     "https://[2001:db8::1]:443", true},
    {"http://[::ffff:127.0.0.1]/", false, "::ffff:127.0.0.1", 80,
     "[::ffff:127.0.0.1]", "http://[::ffff:127.0.0.1]:80", true},
    {"http://user:pw@example.org:81?x", false, "example.org", 81,
     "example.org:81", "http://example.org:81", false},
    {"http://my_host/", false, "my_host", 80, "my_host", "http://my_host:80",
     false},
    {"http://xn--bcher-kva.example/", false, "xn--bcher-kva.example", 80,
     "xn--bcher-kva.example", "http://xn--bcher-kva.example:80", false},
    {"http://2130706433/", false, "2130706433", 80, "2130706433",
     "http://2130706433:80", false},
    {"http://1.2.3.4.example.org/", false, "1.2.3.4.example.org", 80,
     "1.2.3.4.example.org", "http://1.2.3.4.example.org:80", false},
    {"http://127.0.0.1./", false, "127.0.0.1", 80, "127.0.0.1",
     "http://127.0.0.1:80", true},
    {"http://0x7f.1/", false, "0x7f.1", 80, "0x7f.1", "http://0x7f.1:80",
     false},
  };
  for (const auto& row : table) {
    const auto to = parsed(row.url);
    ASSERT_TRUE(to) << row.url;
    EXPECT_EQ(to->secure(), row.secure) << row.url;
    EXPECT_EQ(to->host(), row.host) << row.url;
    EXPECT_EQ(to->port(), row.port) << row.url;
    EXPECT_EQ(to->literal().has_value(), row.literal) << row.url;
    EXPECT_EQ(to->key().text, row.key) << row.url;
    EXPECT_EQ(header(row.url, "Host"), row.host_header) << row.url;
  }
}

TEST(TargetTest, SendsPathAndQueryAsWritten) {
  const std::pair<const char*, const char*> table[] = {
    {"http://h", "/"},
    {"http://h/", "/"},
    {"http://h?a=b", "/?a=b"},
    {"http://h#x", "/"},
    {"http://h/a/b;c=1,2?d=e&f=%20#frag?x", "/a/b;c=1,2?d=e&f=%20"},
    {"http://h/a?b#c", "/a?b"},
    {"http://h/a/../b/./c", "/a/../b/./c"},
    {"http://h//a", "//a"},
    {"http://h/?ids[]=1&u=http://x:y@z/", "/?ids[]=1&u=http://x:y@z/"},
    {"http://h/a b", "/a%20b"},
    {"http://h/\xc3\xbc?\xe2\x82\xac", "/%C3%BC?%E2%82%AC"},
    {"http://h/100%", "/100%25"},
    {"http://h/%zz%4", "/%25zz%254"},
    {"http://h/%c3%BC", "/%c3%BC"},
    {"http://h/\"<>\\^`{|}", "/%22%3C%3E%5C%5E%60%7B%7C%7D"},
  };
  for (const auto& [url, path] : table)
    EXPECT_EQ(request_line(url), "POST " + std::string{path} + " HTTP/1.1")
      << url;
}

TEST(TargetTest, TurnsUserInfoIntoBasicAuthentication) {
  const std::pair<const char*, const char*> table[] = {
    {"http://h/", ""},
    {"http://user@h/", ""},
    {"http://user:@h/", "Basic dXNlcjo="},
    {"http://:pw@h/", "Basic OnB3"},
    {"http://user:pass@h/", "Basic dXNlcjpwYXNz"},
    {"http://user:p%40ss%3a@h/", "Basic dXNlcjpwQHNzOg=="},
    {"http://user:p@ss@h/", "Basic dXNlcjpwQHNz"},
    {"http://user:a:b@h/", "Basic dXNlcjphOmI="},
    // Bytes that would break a header vanish in the encoding.
    {"http://user:a%0d%0aX%3a1@h/", "Basic dXNlcjphDQpYOjE="},
    {"http://\xc3\xbc:\xc3\xa4@h/", "Basic w7w6w6Q="},
    {"http://user:%zz%@h/", "Basic dXNlcjolenol"},
  };
  for (const auto& [url, value] : table)
    EXPECT_EQ(header(url, "Authorization"), value) << url;
}

TEST(TargetTest, HidesThePasswordInLogs) {
  const std::pair<const char*, const char*> table[] = {
    {"http://h/x?y#z", "http://h/x?y#z"},
    {"http://user@h/", "http://user@h/"},
    {"http://user:secret@h/x", "http://user:***@h/x"},
    {"http://user:se@cret@h/x", "http://user:***@h/x"},
    {"HTTP://user:@h:81", "HTTP://user:***@h:81"},
    {"http://h/a:b@c", "http://h/a:b@c"},
  };
  for (const auto& [url, masked] : table)
    EXPECT_EQ(parsed(url)->masked_url(), masked);
  EXPECT_EQ(mask_url("ftp://a:b@c d/"), "ftp://a:***@c d/");
  EXPECT_EQ(mask_url("nonsense"), "nonsense");
  EXPECT_EQ(mask_url(""), "");
}

TEST(TargetUrlTest, IsNamedWithoutWhateverMayBeSecret) {
  EXPECT_EQ(name_url("https://a.example/hook?token=S#x"),
            "https://a.example/hook");
  EXPECT_EQ(name_url("https://TOKEN@a.example/hook"), "https://a.example/hook");
  EXPECT_EQ(name_url("https://u:p@a.example/?q"), "https://a.example/");
  EXPECT_EQ(name_url("https://a.example/a@b"), "https://a.example/a@b");
  EXPECT_EQ(name_url("nonsense"), "nonsense");
}

TEST(TargetTest, RefusesWhatCannotBeCalled) {
  const std::pair<std::string, const char*> table[] = {
    {"", "not a URL"},
    {"example.org/hook", "not a URL"},
    {"http:/example.org", "not a URL"},
    {"mailto:a@example.org", "not a URL"},
    {"ftp://example.org/", "only http and https"},
    {"://example.org/", "only http and https"},
    {"file:///etc/passwd", "only http and https"},
    {"http://", "no host"},
    {"http:///path", "no host"},
    {"http://:80/", "no host"},
    {"http://user:pw@/", "no host"},
    {"http://h:0/", "1 to 65535"},
    {"http://h:65536/", "1 to 65535"},
    {"http://h:99999999999/", "1 to 65535"},
    {"http://h:x/", "malformed"},
    {"http://h:-1/", "malformed"},
    {"http://h:80:80/", "malformed"},
    {"http://[::1/", "malformed"},
    {"http://[::1]x/", "malformed"},
    {"http://[::1]x:80/", "malformed"},
    {"http://[]/", "malformed"},
    {"http://[127.0.0.1]/", "malformed"},
    {"http://h:+80/", "malformed"},
    {"http://h: 80/", "malformed"},
    {"http://::1/", "no host"},
    {"http://[::1%25eth0]/", "malformed"},
    {"http://[v1.x]/", "malformed"},
    {"http://a..b/", "malformed"},
    {"http://.a/", "malformed"},
    {"http://a b/", "malformed"},
    {"http://a\\b/", "malformed"},
    {"http://a%2eb/", "malformed"},
    {"http://a*b/", "malformed"},
    {"http://" + std::string(64, 'a') + "/", "malformed"},
    {"http://h/a\r\nX: y", "control character"},
    {"http://h/\n", "control character"},
    {std::string{"http://h/\0x", 11}, "control character"},
    {"http://h\t/", "control character"},
    {"http://user:a\rb@h/", "control character"},
    {"http://h/" + std::string(9000, 'a'), "8 KiB"},
  };
  for (const auto& [url, because] : table) {
    const auto out = target::parse(url);
    ASSERT_FALSE(out) << url;
    EXPECT_EQ(out.error().code, ec::invalid_argument) << url;
    EXPECT_EQ(out.error().field, "target_url") << url;
    EXPECT_THAT(out.error().detail, HasSubstr(because)) << url;
  }
}

TEST(TargetTest, TurnsInternationalNamesIntoAsciiOnes) {
  const std::pair<const char*, const char*> table[] = {
    {"http://bücher.example/", "xn--bcher-kva.example"},
    {"http://BÜCHER.Example/", "xn--bcher-kva.example"},
    {"http://bu\u0308cher.example/", "xn--bcher-kva.example"},
    {"http://faß.de/", "xn--fa-hia.de"}, // not "fass"
    {"http://例え.テスト/", "xn--r8jz45g.xn--zckzah"},
    {"http://пример.испытание/", "xn--e1afmkfd.xn--80akhbyknj4f"},
    {"http://my_host.bücher.example/", "my_host.xn--bcher-kva.example"},
    {"http://b\u00adücher.example/", "xn--bcher-kva.example"},
    // Dots of other scripts.
    {"http://bücher。example。/", "xn--bcher-kva.example"},
    {"http://bücher．example/", "xn--bcher-kva.example"},
    {"http://bücher｡example/", "xn--bcher-kva.example"},
    {"http://ｅｘａｍｐｌｅ.org/", "example.org"},
  };
  for (const auto& [url, host] : table) {
    const auto to = parsed(url);
    ASSERT_TRUE(to) << url;
    EXPECT_EQ(to->host(), host) << url;
    EXPECT_EQ(to->key().text, "http://" + std::string{host} + ":80") << url;
    EXPECT_EQ(header(url, "Host"), host) << url;
    EXPECT_FALSE(to->literal()) << url;
  }
}

TEST(TargetTest, KnowsAnAddressInDigitsOfOtherScripts) {
  for (const auto* url :
       {"http://１２７.０.０.１/", "http://127。0。0。1/", "http://①②⑦.0.0.1/",
        "http://127.0.0.1。/", "http://１２７．０．０．１/"}) {
    const auto to = parsed(url);
    ASSERT_TRUE(to) << url;
    EXPECT_EQ(to->host(), "127.0.0.1") << url;
    ASSERT_TRUE(to->literal()) << url;
    EXPECT_TRUE(to->literal()->is_loopback()) << url;
  }
  // Left to the resolver, like the same in ASCII.
  EXPECT_EQ(parsed("http://０ｘ７ｆ.1/")->host(), "0x7f.1");
}

TEST(TargetTest, RefusesWhatIsNoInternationalName) {
  const char* table[] = {
    "http://b\xfc"
    "cher.example/", // Latin-1
    "http://\xc3/",
    "http://-é.example/",
    "http://é-.example/",
    "http://ab--é.example/",
    "http://é..example/",
    "http://。é/",
    "http://é。。/",
    "http://\u00ad/",
    "http://a\u200db.example/", // a joiner between letters that do not join
    "http://☃.example/",
    "http://\u0301é.example/",
    "http://א1a.é/",
    "http://xn--a.é/",
    "http://é／path/", // would be a slash
    "http://é：80/",
    "http://é？x/",
    "http://user＠é.example/",
    "http://é%2e.example/",
    "http://é example/",
    "http://é\u3000example/",
    "http://[é]/",
  };
  for (const auto* url : table) {
    const auto out = target::parse(url);
    ASSERT_FALSE(out) << url << " is " << (*out)->host();
    EXPECT_EQ(out.error().code, ec::invalid_argument) << url;
    EXPECT_EQ(out.error().field, "target_url") << url;
    EXPECT_THAT(out.error().detail, HasSubstr("host")) << url;
  }
  std::string labels;
  for (int i = 0; i < 60; ++i)
    labels += "é.";
  EXPECT_FALSE(target::parse("http://" + labels + "example/"));
  std::string label;
  for (int i = 0; i < 60; ++i)
    label += "é";
  EXPECT_FALSE(target::parse("http://" + label + ".example/"));
  EXPECT_THAT(target::parse("http://-é.example/").error().detail,
              HasSubstr("not a valid international name"));
}

TEST(TargetTest, NoByteOfAUrlEndsAHeader) {
  for (int byte = 1; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    for (const auto& url : {"http://h/" + one, "http://u:" + one + "@h/",
                            "http://h/?" + one, "http://h" + one + "/"}) {
      const auto out = target::parse(url);
      if (!out)
        continue;
      const auto& head = (*out)->head();
      std::size_t lines = 0;
      for (std::size_t at = 0;
           (at = head.find_first_of("\r\n", at)) != head.npos; at += 2, ++lines)
        ASSERT_EQ(head.substr(at, 2), "\r\n");
      EXPECT_EQ(lines, head.find("\r\nAuthorization: ") == head.npos ? 6u : 7u)
        << url;
      EXPECT_THAT(head, Not(HasSubstr("\r\n\r\n")));
    }
  }
}

} // namespace
} // namespace fanfare::protocol
