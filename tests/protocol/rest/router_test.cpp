// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/router.hpp"

#include "protocol/rest/resource_table.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace fanfare::test {
namespace {

using protocol::rest::find_route;
using protocol::rest::resource_table;
using verdict = protocol::rest::route::verdict;

/// The path of a row, with something in place of each parameter.
std::string path_of(const protocol::rest::resource& row) {
  std::string path{row.path};
  for (const auto& [name, value] : {std::pair{"{organizer}", "dem%20o.1"},
                                    {"{event}", "12"},
                                    {"{id}", "12"},
                                    {"{call}", "34"}})
    if (const auto at = path.find(name); at != path.npos)
      path.replace(at, std::string_view{name}.size(), value);
  return path;
}

TEST(RestRouterTest, LeadsFromEachPathToItsResource) {
  for (const auto& row : resource_table()) {
    const auto found = find_route(path_of(row));
    EXPECT_EQ(found.outcome, verdict::found) << row.path;
    EXPECT_EQ(found.what, &row) << row.path;
    EXPECT_EQ(found.organizer, row.is_owned() ? "dem o.1" : "") << row.path;
    const bool has_id = row.path.find("{id}") != row.path.npos
                     || row.path.find("{event}") != row.path.npos;
    EXPECT_EQ(found.id, has_id ? "12" : "");
    EXPECT_EQ(found.call, row.path.find("{call}") != row.path.npos ? "34" : "");
    EXPECT_EQ(found.format, "");
  }
}

TEST(RestRouterTest, SeesThatASlashIsMissing) {
  for (const auto& row : resource_table()) {
    auto path = path_of(row);
    if (!path.ends_with('/') || path == "/")
      continue;
    path.pop_back();
    const auto found = find_route(path);
    EXPECT_EQ(found.outcome, verdict::slash_missing) << row.path;
    EXPECT_EQ(found.what, &row) << row.path;
  }
}

TEST(RestRouterTest, TakesAFormatBelowTheRootOfTheApi) {
  const auto list = find_route("/api/v1/organizers/demo/webhooks.json");
  EXPECT_EQ(list.outcome, verdict::found);
  EXPECT_EQ(list.format, "json");
  const auto one = find_route("/api/v1/organizers/demo/webhooks/12.xml");
  EXPECT_EQ(one.outcome, verdict::found);
  EXPECT_EQ(one.id, "12");
  EXPECT_EQ(one.format, "xml");
  EXPECT_EQ(find_route("/healthz.json").outcome, verdict::unknown);
}

TEST(RestRouterTest, FindsNothingElse) {
  for (const std::string_view path :
       {"/api/", "/api/v1/", "/api/v1/organizers//events/", "/api/v1/nothing/",
        "/api/v1/organizers/demo/webhooks/12/calls/34/x/", "/api/v1/{id}/",
        "/api/v1/openapi.json/", "/api/v2/organizers/"}) {
    const auto found = find_route(path);
    EXPECT_EQ(found.outcome, verdict::unknown_api) << path;
    EXPECT_EQ(found.what, nullptr) << path;
  }
  for (const std::string_view path : {"//", "", "/healthz/", "/metrics/"})
    EXPECT_EQ(find_route(path).outcome, verdict::unknown) << path;
}

TEST(RestRouterTest, KnowsWhichSlashesWereMeant) {
  using protocol::rest::path_with_right_slashes;
  const std::pair<std::string_view, std::string_view> meant[] = {
    {"/api/v1/organizers", "/api/v1/organizers/"},
    {"/api/v1//organizers//demo/webhooks", "/api/v1/organizers/demo/webhooks/"},
    {"//api/v1/organizers/demo/tokens/7/", "/api/v1/organizers/demo/tokens/7/"},
    {"/api/v1/openapi.json/", "/api/v1/openapi.json"},
    {"/api/v1/idempotency_query//", "/api/v1/idempotency_query"},
    {"/healthz/", "/healthz"},
    {"//", "/"},
  };
  for (const auto& [path, right] : meant)
    EXPECT_EQ(path_with_right_slashes(path), right) << path;
  for (const std::string_view path :
       {"", "/", "/api/", "/api/v1/organizers/", "/api/v1/organizers//events/",
        "/nothing/", "/api/v1/nothing"})
    EXPECT_EQ(path_with_right_slashes(path), "") << path;
}

TEST(ResourceTableTest, HasEachPathOnceAndSoundRows) {
  std::set<std::string_view> paths;
  for (const auto& row : resource_table()) {
    SCOPED_TRACE(row.path);
    EXPECT_TRUE(paths.insert(row.path).second);
    EXPECT_FALSE(row.title.empty());
    std::visit([](auto* handler) { EXPECT_NE(handler, nullptr); }, row.handler);
    EXPECT_EQ(row.allows("HEAD"), row.allows("GET"));
    EXPECT_FALSE(row.allows("GE") || row.allows("") || row.allows("GET, HEAD"));
    // Whoever may be known only after a look at the token is not let in
    // without one.
    EXPECT_EQ(row.is_open(), row.write == protocol::rest::everybody);
    EXPECT_FALSE(row.is_open() && row.is_owned());
  }
}

TEST(RestRouterTest, SaysWhosePostsKeepTheirOrder) {
  using protocol::rest::keeps_order;
  for (const auto& row : resource_table())
    EXPECT_EQ(keeps_order(path_of(row)), row.ordered) << row.path;
  EXPECT_TRUE(keeps_order("/api/v1/organizers/a/notifications/"));
  EXPECT_FALSE(keeps_order("/api/v1/organizers//notifications/"));
  EXPECT_FALSE(keeps_order("/api/v1/organizers/a/notifications"));
  EXPECT_FALSE(keeps_order("/api/v1/organizers/a/notifications/1/"));
  EXPECT_FALSE(keeps_order("/api/v1/organizers/a/b/notifications/"));
  EXPECT_FALSE(keeps_order(""));
}

} // namespace
} // namespace fanfare::test
