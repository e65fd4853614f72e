// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The resource that makes a backup.

#include "tests/protocol/rest/rest_test.hpp"

namespace fanfare::test {
namespace {

class RestBackupTest : public RestTest {
protected:
  reply make(std::string_view body = {}, std::string_view key = "root") {
    return ask("POST", "/api/v1/backup/", body, key);
  }
};

TEST_F(RestBackupTest, IsForTheServersAdminOnly) {
  for (const std::string key : {"hooks", "publisher", "boss"})
    EXPECT_EQ(make({}, key).status, 403) << key;
  EXPECT_EQ(make({}, {}).status, 401);
  EXPECT_EQ(ask("GET", "/api/v1/backup/", {}, "root").status, 405);
}

TEST_F(RestBackupTest, IsMadeOnAThreadThatMayWaitAtTheUsualPace) {
  const auto made = make();
  EXPECT_EQ(made.status, 200);
  EXPECT_TRUE(made.blocking);
  EXPECT_EQ(made.header("Content-Type"), "application/octet-stream");
  EXPECT_EQ(service.asked_backup.bytes_per_second,
            backup_options{}.bytes_per_second);
}

TEST_F(RestBackupTest, TakesAPace) {
  EXPECT_EQ(make(R"({"bytes_per_second":1000})").status, 200);
  EXPECT_EQ(service.asked_backup.bytes_per_second, 1'000U);
  EXPECT_EQ(make(R"({"bytes_per_second":0})").status, 200);
  EXPECT_EQ(service.asked_backup.bytes_per_second, 0U);
  for (const std::string wrong :
       {R"({"bytes_per_second":-1})", R"({"bytes_per_second":"fast"})",
        R"({"bytes_per_second":null})", R"({"speed":1})", "[]"})
    EXPECT_EQ(make(wrong).status, 400) << wrong;
}

TEST_F(RestBackupTest, SaysWhyNoneBegan) {
  service.backup_error = error{ec::conflict, "one runs"};
  const auto refused = make();
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.body, R"({"detail":"one runs"})");
}

} // namespace
} // namespace fanfare::test
