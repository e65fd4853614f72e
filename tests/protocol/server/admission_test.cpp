// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/admission.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace fanfare::protocol::server {

namespace {

using namespace std::chrono_literals;
using verdict = admission::verdict;

boost::asio::ip::address ip(const std::string& text) {
  return boost::asio::ip::make_address(text);
}

http_server_options limits(std::size_t total, std::size_t per_address) {
  http_server_options out;
  out.max_connections = total;
  out.max_connections_per_address = per_address;
  return out;
}

TEST(AdmissionTest, RefusesMoreThanItsTotal) {
  admission door{limits(2, 100)};
  const auto first = door.admit(ip("192.0.2.1"));
  std::optional second{door.admit(ip("192.0.2.2"))};
  EXPECT_EQ(second->how(), verdict::admitted);
  EXPECT_EQ(door.admit(ip("192.0.2.3")).how(), verdict::server_full);
  second.reset();
  EXPECT_EQ(door.admit(ip("192.0.2.3")).how(), verdict::admitted);
}

TEST(AdmissionTest, RefusesMoreThanItsLimitOfOneAddress) {
  admission door{limits(100, 1)};
  std::optional first{door.admit(ip("192.0.2.1"))};
  EXPECT_EQ(door.admit(ip("192.0.2.1")).how(), verdict::address_full);
  EXPECT_EQ(door.admit(ip("192.0.2.2")).how(), verdict::admitted);
  first.reset();
  EXPECT_EQ(door.admit(ip("192.0.2.1")).how(), verdict::admitted);
}

TEST(AdmissionTest, TakesAnIpv6NetworkForOneAddress) {
  admission door{limits(100, 1)};
  const auto first = door.admit(ip("2001:db8:0:1::1"));
  EXPECT_EQ(door.admit(ip("2001:db8:0:1:ffff::2")).how(),
            verdict::address_full);
  EXPECT_EQ(door.admit(ip("2001:db8:0:2::1")).how(), verdict::admitted);
}

TEST(AdmissionTest, KnowsIpv4ClientsOfAnIpv6SocketApart) {
  admission door{limits(100, 1)};
  const auto first = door.admit(ip("::ffff:192.0.2.1"));
  EXPECT_EQ(first.address(), ip("192.0.2.1"));
  EXPECT_EQ(door.admit(ip("::ffff:192.0.2.2")).how(), verdict::admitted);
  EXPECT_EQ(door.admit(ip("192.0.2.1")).how(), verdict::address_full);
}

TEST(AdmissionTest, DropsWhomItCannotEvenRefuse) {
  admission door{limits(1, 100)};
  const auto served = door.admit(ip("192.0.2.1"));
  std::vector<admission::pass> refused;
  for (int i = 0; i < 64; ++i) {
    refused.push_back(door.admit(ip("192.0.2.2")));
    ASSERT_EQ(refused.back().how(), verdict::server_full);
  }
  EXPECT_EQ(door.admit(ip("192.0.2.2")).how(), verdict::dropped);
  refused.pop_back();
  EXPECT_EQ(door.admit(ip("192.0.2.2")).how(), verdict::server_full);
}

TEST(AdmissionTest, CountsAPassOnce) {
  admission door{limits(1, 100)};
  auto first = door.admit(ip("192.0.2.1"));
  auto moved = std::move(first);
  moved.give_back();
  moved.give_back();
  const auto second = door.admit(ip("192.0.2.1"));
  EXPECT_EQ(second.how(), verdict::admitted);
  EXPECT_EQ(door.admit(ip("192.0.2.1")).how(), verdict::server_full);
}

TEST(AdmissionTest, IsEmptyWhenServedAndRefusedHaveLeft) {
  admission door{limits(1, 100)};
  EXPECT_TRUE(door.wait_empty(0ms));
  auto served = door.admit(ip("192.0.2.1"));
  auto refused = door.admit(ip("192.0.2.2"));
  served.give_back();
  EXPECT_FALSE(door.wait_empty(0ms));
  refused.give_back();
  EXPECT_TRUE(door.wait_empty(0ms));
}

} // namespace

} // namespace fanfare::protocol::server
