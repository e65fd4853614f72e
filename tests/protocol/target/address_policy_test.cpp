// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/target/address_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::protocol {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

boost::asio::ip::address address(const char* text) {
  return boost::asio::ip::make_address(text);
}

address_policy allowing(std::vector<const char*> networks) {
  std::vector<network> parsed;
  for (const auto* each : networks)
    parsed.push_back(network::parse(each).value());
  return address_policy{std::move(parsed)};
}

struct refused {
  const char* text;
  const char* because;
};

TEST(AddressPolicyTest, RefusesWhatIsNotPublic) {
  const address_policy policy;
  const refused table[] = {
    {"0.0.0.0", "this network"},
    {"0.255.255.255", "this network"},
    {"10.0.0.0", "private"},
    {"10.255.255.255", "private"},
    {"100.64.0.0", "carrier-grade NAT"},
    {"100.127.255.255", "carrier-grade NAT"},
    {"100.100.100.200", "metadata"},
    {"127.0.0.1", "loopback"},
    {"127.255.255.254", "loopback"},
    {"168.63.129.16", "metadata"},
    {"169.254.0.1", "link-local"},
    {"169.254.169.254", "metadata"},
    {"169.254.170.2", "metadata"},
    {"172.16.0.0", "private"},
    {"172.31.255.255", "private"},
    {"192.0.0.1", "protocol assignments"},
    {"192.0.0.170", "protocol assignments"},
    {"192.0.0.192", "metadata"},
    {"192.0.2.1", "documentation"},
    {"192.88.99.1", "6to4"},
    {"192.168.0.0", "private"},
    {"192.168.255.255", "private"},
    {"198.18.0.1", "benchmarking"},
    {"198.19.255.255", "benchmarking"},
    {"198.51.100.7", "documentation"},
    {"203.0.113.9", "documentation"},
    {"224.0.0.1", "multicast"},
    {"239.255.255.255", "multicast"},
    {"240.0.0.1", "reserved"},
    {"255.255.255.254", "reserved"},
    {"255.255.255.255", "broadcast"},
    {"::", "unspecified"},
    {"::1", "loopback"},
    {"::2", "IPv4-compatible"},
    {"::127.0.0.1", "IPv4-compatible"},
    {"::8.8.8.8", "IPv4-compatible"},
    {"::ffff:127.0.0.1", "loopback"},
    {"::ffff:10.0.0.1", "private"},
    {"::ffff:169.254.169.254", "metadata"},
    {"::ffff:0.0.0.0", "this network"},
    {"::ffff:7f00:1", "loopback"},
    {"::ffff:0:127.0.0.1", "IPv4-translated"},
    {"64:ff9b::127.0.0.1", "NAT64"},
    {"64:ff9b::8.8.8.8", "NAT64"},
    {"64:ff9b:1::1", "NAT64"},
    {"64:ff9b:1:ffff::10.0.0.1", "NAT64"},
    {"100::1", "discard"},
    {"2001::1", "Teredo"},
    {"2001:0:7f00:1::", "Teredo"},
    {"2001:2::1", "protocol assignments"},
    {"2001:10::1", "protocol assignments"},
    {"2001:1ff:ffff::1", "protocol assignments"},
    {"2001:db8::1", "documentation"},
    {"2002:7f00:1::1", "6to4"},
    {"2002:808:808::1", "6to4"},
    {"3fff::1", "documentation"},
    {"5f00::1", "not a public address"},
    {"4000::1", "not a public address"},
    {"fc00::1", "private"},
    {"fd00:ec2::254", "metadata"},
    {"fdff:ffff::1", "private"},
    {"fe80::1", "link-local"},
    {"fe80::1%1", "link-local"},
    {"febf::1", "link-local"},
    {"fec0::1", "site-local"},
    {"feff::1", "site-local"},
    {"ff02::1", "multicast"},
    {"ff0e::1", "multicast"},
  };
  for (const auto& [text, because] : table) {
    const auto reason = policy.refusal(address(text));
    ASSERT_TRUE(reason) << text;
    EXPECT_THAT(*reason, StartsWith("policy: ")) << text;
    EXPECT_THAT(*reason, HasSubstr(because)) << text;
    EXPECT_THAT(*reason, HasSubstr("--allow-network ")) << text;
  }
}

TEST(AddressPolicyTest, LetsThePublicInternetThrough) {
  const address_policy policy;
  for (const auto* text : {
         "1.1.1.1",
         "8.8.8.8",
         "9.255.255.255",
         "11.0.0.0",
         "100.63.255.255",
         "100.128.0.0",
         "126.255.255.255",
         "128.0.0.1",
         "169.253.255.255",
         "169.255.0.0",
         "172.15.255.255",
         "172.32.0.0",
         "192.0.1.0",
         "192.0.3.0",
         "192.167.255.255",
         "192.169.0.0",
         "198.17.255.255",
         "198.20.0.0",
         "203.0.114.0",
         "223.255.255.255",
         "::ffff:8.8.8.8",
         "2001:200::1",
         "2001:4860:4860::8888",
         "2003::1",
         "2606:4700::1111",
         "2a00:1450::1",
         "2001:db9::1",
       })
    EXPECT_FALSE(policy.refusal(address(text))) << text;
}

TEST(AddressPolicyTest, NamesTheOptionThatAllowsTheAddress) {
  EXPECT_EQ(address_policy{}.refusal(address("127.0.0.1")),
            "policy: 127.0.0.1 is a loopback address; allow it with "
            "--allow-network 127.0.0.0/8");
}

TEST(AddressPolicyTest, AllowsExactlyTheNetworksGiven) {
  const auto policy = allowing({"127.0.0.0/8", "10.1.2.0/23", "fd12::/16"});
  for (const auto* text :
       {"127.0.0.1", "::ffff:127.0.0.1", "10.1.2.0", "10.1.3.255", "fd12::1"})
    EXPECT_FALSE(policy.refusal(address(text))) << text;
  for (const auto* text : {"::1", "10.1.1.255", "10.1.4.0", "fd13::1",
                           "::127.0.0.1", "64:ff9b::127.0.0.1"})
    EXPECT_TRUE(policy.refusal(address(text))) << text;
}

TEST(AddressPolicyTest, JudgesWhatIsInsideAnAllowedTranslation) {
  const auto policy = allowing({"64:ff9b::/96", "2002::/16"});
  EXPECT_FALSE(policy.refusal(address("64:ff9b::8.8.8.8")));
  EXPECT_FALSE(policy.refusal(address("2002:808:808::1")));
  EXPECT_THAT(policy.refusal(address("64:ff9b::10.0.0.1")).value_or(""),
              HasSubstr("private"));
  EXPECT_THAT(policy.refusal(address("2002:7f00:1::1")).value_or(""),
              HasSubstr("loopback"));
  // Said explicitly, or both allowed.
  EXPECT_FALSE(
    allowing({"64:ff9b::a00:0/104"}).refusal(address("64:ff9b::10.0.0.1")));
  EXPECT_FALSE(allowing({"64:ff9b::/96", "10.0.0.0/8"})
                 .refusal(address("64:ff9b::10.0.0.1")));
}

TEST(AddressPolicyTest, AllowingEverythingAllowsEverything) {
  const auto policy = allowing({"0.0.0.0/0", "::/0"});
  for (const auto* text : {"127.0.0.1", "::1", "169.254.169.254", "fe80::1",
                           "64:ff9b::10.0.0.1", "255.255.255.255", "ff02::1"})
    EXPECT_FALSE(policy.refusal(address(text))) << text;
}

std::vector<network> networks(std::vector<const char*> texts) {
  std::vector<network> out;
  for (const auto* each : texts)
    out.push_back(network::parse(each).value());
  return out;
}

TEST(AddressPolicyTest, DeniesInEveryForm) {
  // Everything is allowed, so that only what is denied is refused.
  const address_policy policy{
    networks({"0.0.0.0/0", "::/0"}),
    networks({"10.1.0.0/16", "8.8.8.8/32", "2606:4700::/32"})};
  const refused table[] = {
    {"10.1.0.0", "10.1.0.0 is denied by the configuration (10.1.0.0/16)"},
    {"10.1.255.255", "(10.1.0.0/16)"},
    {"8.8.8.8", "(8.8.8.8/32)"},
    {"2606:4700::1111", "2606:4700::1111 is denied by the configuration "
                        "(2606:4700::/32)"},
    {"2606:4700:ffff::1%1", "(2606:4700::/32)"},
    {"::ffff:10.1.2.3", "10.1.2.3 is denied"},
    {"::10.1.2.3", "stands for 10.1.2.3, which is denied"},
    {"::ffff:0:10.1.2.3", "stands for 10.1.2.3"},
    {"64:ff9b::10.1.2.3", "stands for 10.1.2.3"},
    {"64:ff9b::8.8.8.8", "stands for 8.8.8.8"},
    {"2002:a01:203::1", "stands for 10.1.2.3"},
    // Local NAT64 with prefixes of 96, 64, 56 and 48 bits.
    {"64:ff9b:1:7:8:9:a01:203", "stands for 10.1.2.3"},
    {"64:ff9b:1:7:a:102:300:0", "stands for 10.1.2.3"},
    {"64:ff9b:1:70a:1:203::", "stands for 10.1.2.3"},
    {"64:ff9b:1:a01:2:300::", "stands for 10.1.2.3"},
    // Teredo's server, and its client, which is written inverted.
    {"2001:0:a01:203::1", "stands for 10.1.2.3"},
    {"2001:0:101:101:0:0:f5fe:fdfc", "stands for 10.1.2.3"},
  };
  for (const auto& [text, because] : table) {
    const auto reason = policy.refusal(address(text));
    ASSERT_TRUE(reason) << text;
    EXPECT_THAT(*reason, StartsWith("policy: ")) << text;
    EXPECT_THAT(*reason, HasSubstr(because)) << text;
    EXPECT_EQ(reason->find("--allow-network"), std::string::npos) << text;
  }
  for (const auto* text :
       {"10.0.255.255", "10.2.0.0", "8.8.8.7", "8.8.8.9", "2606:4701::1",
        "2606:46ff::1", "::ffff:10.2.0.1", "64:ff9b::10.2.0.1",
        "2002:a02:203::1", "64:ff9b:1:7:8:9:a02:203",
        "2001:0:101:101:0:0:f5fd:fdfc", "127.0.0.1", "::1"})
    EXPECT_FALSE(policy.refusal(address(text))) << text;
}

TEST(AddressPolicyTest, DeniesPublicAddresses) {
  const address_policy policy{{}, networks({"1.1.1.0/24"})};
  EXPECT_TRUE(policy.refusal(address("1.1.1.1")));
  EXPECT_FALSE(policy.refusal(address("1.1.2.1")));
  // What was refused before still is.
  EXPECT_THAT(policy.refusal(address("127.0.0.1")).value_or(""),
              HasSubstr("loopback"));
}

TEST(AddressPolicyTest, TakesADeniedNetworkWrittenAsMapped) {
  const address_policy policy{{}, networks({"::ffff:1.1.1.0/120"})};
  EXPECT_TRUE(policy.refusal(address("1.1.1.1")));
  EXPECT_TRUE(policy.refusal(address("::ffff:1.1.1.1")));
  EXPECT_FALSE(policy.refusal(address("1.1.2.1")));
}

TEST(AddressPolicyTest, DenyingWinsHoweverSpecificTheAllowanceIs) {
  const address_policy policy{networks({"10.1.2.3/32"}),
                              networks({"10.0.0.0/8"})};
  EXPECT_TRUE(policy.refusal(address("10.1.2.3")));
}

TEST(AddressPolicyTest, AddsTheNetworksOfAnOrganizer) {
  const address_policy engine{networks({"10.0.0.0/8"}),
                              networks({"10.9.0.0/16"})};
  const auto organizer = engine.with(
    networks({"192.168.7.0/24", "10.9.1.0/24"}),
    networks({"10.2.0.0/16", "9.9.9.9/32"}));
  for (const auto* text : {"10.1.1.1", "192.168.7.1", "1.1.1.1"})
    EXPECT_FALSE(organizer.refusal(address(text))) << text;
  for (const auto* text : {"10.9.1.1", "10.2.3.4", "9.9.9.9", "192.168.8.1"})
    EXPECT_TRUE(organizer.refusal(address(text))) << text;
  // And leaves the one it came from as it is.
  EXPECT_FALSE(engine.refusal(address("10.2.3.4")));
  EXPECT_TRUE(engine.refusal(address("192.168.7.1")));
  // Nothing more: the same judgement.
  EXPECT_EQ(engine.with({}, {}).refusal(address("10.9.1.1")),
            engine.refusal(address("10.9.1.1")));
}

TEST(NetworkTest, ReadsAndWritesNetworks) {
  for (const auto* text :
       {"0.0.0.0/0", "10.0.0.0/8", "10.128.0.0/9", "192.0.2.1/32", "::/0",
        "fc00::/7", "2001:db8::/33", "::1/128"})
    EXPECT_EQ(to_string(network::parse(text).value()), text);
  EXPECT_EQ(to_string(network::parse("127.0.0.1").value()), "127.0.0.1/32");
  EXPECT_EQ(to_string(network::parse("::1").value()), "::1/128");
}

TEST(NetworkTest, SaysWhatIsWrongWithAText) {
  const std::pair<const char*, const char*> table[] = {
    {"", "write an IPv4 or IPv6 address"},
    {"localhost/8", "write an IPv4 or IPv6 address"},
    {"127.1/8", "write an IPv4 or IPv6 address"},
    {"10.0.0.0.0/8", "write an IPv4 or IPv6 address"},
    {"fe80::1%eth0/64", "write an IPv4 or IPv6 address"},
    {"10.0.0.0/", "from 0 to 32"},
    {"10.0.0.0/33", "from 0 to 32"},
    {"10.0.0.0/-1", "from 0 to 32"},
    {"10.0.0.0/8 ", "from 0 to 32"},
    {"10.0.0.0/255.0.0.0", "from 0 to 32"},
    {"10.0.0.0/99999999999", "from 0 to 32"},
    {"::/129", "from 0 to 128"},
    {"10.0.0.1/8", "did you mean 10.0.0.0/8?"},
    {"fd00::1/8", "did you mean fd00::/8?"},
  };
  for (const auto& [text, because] : table) {
    const auto parsed = network::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ec::invalid_argument);
    EXPECT_THAT(parsed.error().detail, HasSubstr(because)) << text;
  }
}

} // namespace
} // namespace fanfare::protocol
