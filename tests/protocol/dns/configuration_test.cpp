// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/configuration.hpp"

#include "protocol/dns/resolver.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>

#include <fstream>

namespace fanfare::protocol {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DnsConfigurationTest : public ::testing::Test {
protected:
  void write(const std::string& text) {
    std::ofstream{path} << text;
  }

  std::shared_ptr<const dns_configuration>
  read(const std::string& text, const std::vector<std::string>& servers = {}) {
    write(text);
    return read_dns_configuration(path, servers);
  }

  test::temp_dir directory;
  const std::string path = (directory.path() / "resolv.conf").string();
};

TEST_F(DnsConfigurationTest, ReadsTheFile) {
  const auto found = read("nameserver 192.0.2.1\nnameserver 2001:db8::1\n"
                          "search one.test two.test\noptions ndots:3\n");
  ASSERT_EQ(found->servers.size(), 2u);
  EXPECT_EQ(found->servers[0].family, AF_INET);
  EXPECT_EQ(found->servers[0].next, &found->servers[1]);
  EXPECT_EQ(found->servers[1].family, AF_INET6);
  EXPECT_EQ(found->servers[1].next, nullptr);
  EXPECT_THAT(found->domains, ElementsAre("one.test", "two.test"));
  EXPECT_EQ(found->dots, 3);
}

TEST_F(DnsConfigurationTest, KnowsWhereToLookFirst) {
  struct row {
    const char* text;
    bool table_first;
    bool table_last;
    bool dns;
  };
  const row table[] = {{"lookup file bind\n", true, false, true},
                       {"lookup bind file\n", false, true, true},
                       {"lookup file\n", true, false, false},
                       {"lookup bind\n", false, false, true}};
  for (const auto& row : table) {
    const auto found = read(row.text);
    EXPECT_EQ(found->table_first, row.table_first) << row.text;
    EXPECT_EQ(found->table_last, row.table_last) << row.text;
    EXPECT_EQ(found->dns, row.dns) << row.text;
  }
}

TEST_F(DnsConfigurationTest, TakesGivenServersInPlaceOfThoseInTheFile) {
  const auto found = read("nameserver 192.0.2.1\n",
                          {"nonsense", "192.0.2.2:5353"});
  ASSERT_EQ(found->servers.size(), 1u);
  EXPECT_EQ(found->servers[0].udp_port, 5353);
  EXPECT_EQ(found->servers[0].next, nullptr);
  EXPECT_THAT(read("nameserver 192.0.2.1\n", {"nonsense"})->servers, IsEmpty());
}

TEST_F(DnsConfigurationTest, TriesNamesWithEnoughDotsAsGivenFirst) {
  dns_configuration by;
  by.domains = {"one.test", "two.test"};
  by.dots = 2;
  EXPECT_THAT(by.names("a"), ElementsAre("a.one.test", "a.two.test", "a"));
  EXPECT_THAT(by.names("a.b"),
              ElementsAre("a.b.one.test", "a.b.two.test", "a.b"));
  EXPECT_THAT(by.names("a.b.c"),
              ElementsAre("a.b.c", "a.b.c.one.test", "a.b.c.two.test"));
  by.domains.clear();
  EXPECT_THAT(by.names("a"), ElementsAre("a"));
}

TEST_F(DnsConfigurationTest, IsReadAgainWhenItsFileHasChanged) {
  write("search one.test\n");
  configuration_watch watch{path, {}};
  const configuration_watch::time_point start{1h};
  EXPECT_FALSE(watch.refresh(start)); // it replaces none
  EXPECT_THAT(watch.current()->domains, ElementsAre("one.test"));
  EXPECT_FALSE(watch.refresh(start + 30s));
  write("search two.test # and more\n");
  EXPECT_FALSE(watch.refresh(start + 59s));
  EXPECT_THAT(watch.current()->domains, ElementsAre("one.test"));
  EXPECT_TRUE(watch.refresh(start + 60s));
  EXPECT_THAT(watch.current()->domains,
              ::testing::Contains(std::string{"two.test"}));
}

TEST(NameServerTest, IsAnAddressWithOrWithoutAPort) {
  for (const auto* good : {"127.0.0.1", "127.0.0.1:5353", "::1", "[::1]",
                           "[2001:db8::1]:53", "192.0.2.1:65535"})
    EXPECT_TRUE(is_name_server(good)) << good;
  for (const auto* bad : {"", "localhost", "127.0.0.1:", "127.0.0.1:0",
                          "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:53x",
                          "[::1", "[::1]x", "[::1]:", "[127.0.0.1]:53", "1.2.3",
                          ":53", "fe80::1%eth0", "1.2.3.4,5.6.7.8"})
    EXPECT_FALSE(is_name_server(bad)) << bad;
}

} // namespace
} // namespace fanfare::protocol
