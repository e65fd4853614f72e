// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/failed_addresses.hpp"

#include <gtest/gtest.h>

namespace fanfare::protocol {
namespace {

boost::asio::ip::address ip_of(const char* text) {
  return boost::asio::ip::make_address(text);
}

TEST(FailedAddressesTest, KnowsTheLatestOfANotificationAtADestination) {
  const pool_key here{"http://a.example:80", 17};
  const pool_key there{"http://b.example:80", 18};
  failed_addresses all;
  EXPECT_EQ(all.find(here, 1), nullptr);
  all.note(here, 1, ip_of("192.0.2.1"));
  all.note(here, 1, ip_of("192.0.2.2"));
  ASSERT_NE(all.find(here, 1), nullptr);
  EXPECT_EQ(*all.find(here, 1), ip_of("192.0.2.2"));
  EXPECT_EQ(all.find(here, 2), nullptr);
  EXPECT_EQ(all.find(there, 0), nullptr) << "the same place";
  EXPECT_EQ(all.find(there, 1), nullptr);
}

TEST(FailedAddressesTest, ForgetsWhatHasNoRoom) {
  const pool_key here{"http://a.example:80", 17};
  failed_addresses all;
  for (position what = 0; what <= failed_addresses::most; ++what)
    all.note(here, what, ip_of("::1"));
  EXPECT_EQ(all.find(here, 0), nullptr);
  for (position what = 1; what <= failed_addresses::most; ++what)
    EXPECT_NE(all.find(here, what), nullptr) << what;
}

} // namespace
} // namespace fanfare::protocol
