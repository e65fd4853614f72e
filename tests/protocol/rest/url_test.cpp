// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/target/target_url.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fanfare::protocol::rest {
namespace {

TEST(TargetUrl, TakesWhatADeliveryCanUse) {
  const std::string urls[] = {
    "http://example.org",
    "https://example.org/",
    "HTTPS://EXAMPLE.ORG/Path",
    "http://localhost",
    "http://LOCALHOST/",
    "http://localhost:8080/x",
    "http://127.0.0.1/",
    "http://10.0.0.1:80",
    "http://0.0.0.0/",
    "http://255.255.255.255",
    "http://[::1]/",
    "http://[::1]:8080/x",
    "http://[2001:DB8::1]",
    "http://[::ffff:10.0.0.1]/",
    "http://a.com:0/",
    "http://a.com:99999/",
    "http://a.com:1",
    "http://user:pw@a.com/",
    "http://user@a.com/",
    "http://user:@a.com/",
    "http://us%20er:p%40w@a.com/",
    "http://b\xc3\xbc"
    "cher.de/",
    "http://\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88/",
    "http://xn--bcher-kva.de/",
    "http://example.xn--p1ai/",
    "http://a.com.",
    "http://a.com./x",
    "http://a.com?x=1",
    "http://a.com#f",
    "http://a.com/?q=\"<>{}|^`",
    "http://a.com/%zz%",
    "http://a.com/\xc3\xa9",
    "http://a.com/x@y:z",
    "http://a.com/?x@b.com",
    "http://a-b.c-d.com",
    "http://1.2.3.com",
    "http://1.com",
    "http://sub.sub.sub.example.museum/",
    "http://" + std::string(63, 'a') + ".com/",
    "http://a." + std::string(63, 'a') + "/",
  };
  for (const auto& url : urls)
    EXPECT_TRUE(is_target_url(url)) << url;
}

TEST(TargetUrl, RefusesTheRest) {
  std::string long_host = "http://";
  for (int i = 0; i < 63; ++i)
    long_host += "abc.";
  const std::string urls[] = {
    "",
    "foo.bar",
    "//a.com",
    "http:",
    "http:/a.com",
    "http://",
    "http:///x",
    "http://?x",
    "ws://a.com",
    "ftp://a.com/",
    "ftps://a.com/",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http://foo",
    "http://localhost.",
    "http://localhost.localdomain1",
    "http://a.c",
    "http://a.c1",
    "http://a.123",
    "http://a.-com",
    "http://a.com-",
    "http://a_b.com",
    "http://a!b.com",
    "http://a,b.com",
    "http://a b.com",
    "http://a..com",
    "http://.a.com",
    "http://a.com..",
    "http://-a.com",
    "http://a-.com",
    "http://a.-b.com",
    "http://a.b-.com",
    "http://" + std::string(64, 'a') + ".com/",
    "http://a." + std::string(64, 'a') + "/",
    long_host + "com",
    "http://999.1.1.1/",
    "http://010.1.1.1/",
    "http://1.2.3/",
    "http://1.2.3.4.5/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[::1/",
    "http://::1/",
    "http://[1.2.3.4]/",
    "http://[]/",
    "http://[::1]x/",
    "http://a.com:/",
    "http://a.com:123456/",
    "http://a.com:8o/",
    "http://a.com:-1/",
    "http://a:b:c@a.com/",
    "http://a@b@a.com/",
    "http://:pw@a.com/",
    "http://@a.com/",
    "http://us/er@a.com/",
    "http://foo?bar@a.com/",
    "http://foo#bar@a.com/",
    "http://a.com/ x",
    "http://a.com/\tx",
    "http://a.com/\n",
    "http://a.com/\xc2\xa0",
    "http://a.com/\xe3\x80\x80x",
    "http://a\xe2\x80\x83"
    "b.com/",
    "http://\xf0\x9f\x98\x80.com/",
    "http://a%41.com/",
    " http://a.com",
  };
  for (const auto& url : urls)
    EXPECT_FALSE(is_target_url(url)) << url;
}

TEST(TargetUrl, RefusesInternationalNamesThatADeliveryCannotUse) {
  for (const std::string url :
       {"http://\xe2\x98\x83.example/", "http://\xe2\x99\xa5.com",
        "http://xn--a.\xe2\x98\x83.de/"})
    EXPECT_FALSE(is_target_url(url)) << url;
  // In ASCII this label has more than 63 characters.
  std::string label;
  for (int i = 0; i < 60; ++i)
    label += "\xc3\xbc"
             "b";
  EXPECT_FALSE(is_target_url("http://" + label + ".de/"));
  EXPECT_TRUE(is_target_url("http://" + label.substr(0, 30) + ".de/"));
}

TEST(TargetUrl, TakesLocalNamesOnceTheyAreAllowed) {
  for (const std::string url :
       {"http://foo", "http://foo:80/x", "https://my_app/", "http://a_b.com",
        "http://localhost.", "http://receiver.local1", "http://a.c",
        "http://_x.y_", "http://user:pw@db_1:8080/",
        "http://b\xc3\xbc"
        "cher"}) {
    EXPECT_FALSE(is_target_url(url)) << url;
    EXPECT_TRUE(is_target_url(url, host_names::local_too)) << url;
  }
  for (const std::string url :
       {"http://", "http://a!b", "http://-a", "http://a-", "http://a..b",
        "http://.a", "http://a%41", "http://2130706433/", "http://0x7f.1/",
        "http://0x7f/", "http://999.1.1.1/", "http://1.2.3/", "http://a.123",
        "http://\xe2\x98\x83/", "foo", "ftp://foo"})
    EXPECT_FALSE(is_target_url(url, host_names::local_too)) << url;
  const std::string longest(63, 'a');
  EXPECT_TRUE(is_target_url("http://" + longest, host_names::local_too));
  EXPECT_FALSE(is_target_url("http://" + longest + 'a', host_names::local_too));
}

} // namespace
} // namespace fanfare::protocol::rest
