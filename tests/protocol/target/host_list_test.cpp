// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Which hosts a list of names and networks holds.

#include "protocol/target/host_list.hpp"

#include <gmock/gmock.h>

namespace fanfare::protocol {
namespace {

using ::testing::HasSubstr;

boost::asio::ip::address at(const char* text) {
  return boost::asio::ip::make_address(text);
}

host_list list(const std::vector<std::string>& texts) {
  const auto made = host_list::parse(texts);
  EXPECT_TRUE(made);
  return made ? *made : host_list{};
}

TEST(HostListTest, ANameHoldsItselfAndWhatIsBelow) {
  const auto some = list({"Internal.Example.", "bücher.example"});
  EXPECT_TRUE(some.holds("internal.example"));
  EXPECT_TRUE(some.holds("a.b.internal.example"));
  EXPECT_TRUE(some.holds("xn--bcher-kva.example"));
  EXPECT_FALSE(some.holds("notinternal.example"));
  EXPECT_FALSE(some.holds("example"));
  EXPECT_FALSE(some.holds("internal.example.org"));
}

TEST(HostListTest, ADotInFrontHoldsOnlyWhatIsBelow) {
  const auto some = list({".internal.example"});
  EXPECT_FALSE(some.holds("internal.example"));
  EXPECT_TRUE(some.holds("a.internal.example"));
  EXPECT_FALSE(some.holds("anotherinternal.example"));
}

TEST(HostListTest, NetworksHoldAddresses) {
  const auto some = list({"10.0.0.0/8", "192.0.2.1", "fd00::/8"});
  EXPECT_TRUE(some.holds(at("10.255.0.1")));
  EXPECT_TRUE(some.holds(at("::ffff:10.0.0.1")));
  EXPECT_TRUE(some.holds(at("192.0.2.1")));
  EXPECT_TRUE(some.holds(at("fd12::1")));
  EXPECT_FALSE(some.holds(at("11.0.0.0")));
  EXPECT_FALSE(some.holds(at("192.0.2.2")));
  EXPECT_FALSE(some.holds(at("fe00::1")));
}

TEST(HostListTest, AllAddressesMustBeInItsNetworks) {
  const auto some = list({"10.0.0.0/8"});
  EXPECT_TRUE(some.holds_all({at("10.0.0.1"), at("10.0.0.2")}));
  EXPECT_FALSE(some.holds_all({at("10.0.0.1"), at("11.0.0.2")}));
  EXPECT_FALSE(some.holds_all({}));
  EXPECT_FALSE(host_list{}.holds_all({at("10.0.0.1")}));
  EXPECT_FALSE(host_list{}.holds("a.example"));
}

TEST(HostListTest, KnowsWhatSomeReadAsAnAddress) {
  for (const auto* host : {"127.1", "2130706433", "0x7f000001", "0x", "a.1"})
    EXPECT_TRUE(may_be_address(host)) << host;
  for (const auto* host : {"a.example", "1.example", "0x7g", "a.b1", "cafe"})
    EXPECT_FALSE(may_be_address(host)) << host;
}

TEST(HostListTest, SaysWhatItCannotRead) {
  for (const auto* text :
       {"", ".", "*", "*.example", "a.example:80", "http://a.example", "a b",
        "10.0.0.1:80", "[::1]", "127.1", "0x7f.0x1", "10"}) {
    const auto made = host_list::parse({"a.example", text});
    ASSERT_FALSE(made) << text;
    EXPECT_EQ(made.error().code, ec::invalid_argument);
    EXPECT_EQ(made.error().field, "");
    EXPECT_THAT(made.error().detail, HasSubstr('"' + std::string{text} + '"'));
  }
  const auto behind = host_list::parse({"10.0.0.1/8"});
  ASSERT_FALSE(behind);
  EXPECT_THAT(behind.error().detail, HasSubstr("10.0.0.0/8"));
}

} // namespace
} // namespace fanfare::protocol
