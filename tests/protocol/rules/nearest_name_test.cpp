// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rules/nearest_name.hpp"

#include <gtest/gtest.h>

namespace fanfare::test {
namespace {

using protocol::nearest_name;
using protocol::similar_name;

TEST(NearestNameTest, TakesTheFewestChanges) {
  const std::vector<std::string> known{"data", "listen", "max-age",
                                       "max-in-flight"};
  EXPECT_EQ(nearest_name("dat", known), "data");
  EXPECT_EQ(nearest_name("max_in_flight", known), "max-in-flight");
  EXPECT_EQ(nearest_name("max-aeg", known), "max-age");
  EXPECT_EQ(nearest_name("listen", known), "listen");
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(SimilarNameTest, IsOneThatCanHaveBeenMeant) {
  const std::vector<std::string> known{"list",   "show",     "create",
                                       "delete", "webhooks", "action"};
  EXPECT_EQ(similar_name("lsit", known), "list");
  EXPECT_EQ(similar_name("webhook", known), "webhooks");
  EXPECT_EQ(similar_name("cretae", known), "create");
  EXPECT_EQ(similar_name("action-type", known), "action");
  EXPECT_EQ(similar_name("del", known), "delete");
}

TEST(SimilarNameTest, IsNoneThatIsMerelyTheNearest) {
  const std::vector<std::string> known{"list", "show", "create", "delete"};
  EXPECT_EQ(similar_name("update", known), "");
  EXPECT_EQ(similar_name("dance", known), "");
  EXPECT_EQ(similar_name("l", known), "");
  EXPECT_EQ(similar_name("list", {}), "");
}

} // namespace
} // namespace fanfare::test
